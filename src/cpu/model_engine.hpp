// Runs the batch kernels over all atoms: threads own contiguous ranges, results are summed in a fixed order.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/force_buffers.hpp"
#include "cpu/kernels/kernel_set.hpp"
#include "cpu/long_range.hpp"

namespace nanoday::cpu {

/// What an evaluation is asked for beyond the energy model's forces.
struct EngineTask {
  View<Vec4> dipole;           ///< (nlocal) dipole models, forward; empty otherwise
  View<const Vec4> cotangent;  ///< (nlocal) dipole models, backward; empty otherwise
  bool want_forces = true;
  Companion* companion = nullptr;  ///< a long-range solver to run beside
};

/// State that outlives a step: workspaces, force buffers, scratch per atom. No allocation in an ordinary
/// step.
class ModelEngine {
 public:
  ModelEngine(const KernelSet& kernels, int threads, bool reproducible)
      : kernels_(kernels), threads_(threads), reproducible_(reproducible) {}

  EvaluationCounts evaluate(CpuModel& model, const EvaluationArgs& args, const EngineTask& task,
                            Forces& forces, StageTimes& times);

 private:
  template <class Real>
  struct Thread {
    Workspace<Real> work, exact;
    BatchCounts counts;
    std::vector<std::int32_t> by_type;  ///< atoms of the range, one centre type after the other
    double solver_end = 0, end = 0;     ///< when its part of the companion, and its atoms, were done [s]
  };
  template <class Real>
  EvaluationCounts run(const PackedModel<Real>& model, const PackedModel<Real>* exact,
                       BatchKernel<Real> kernel, std::vector<Thread<Real>>& team, const EvaluationArgs& args,
                       const EngineTask& task, Forces& forces, StageTimes& times);
  template <class Real>
  static double book_companion(Companion& companion, const std::vector<Thread<Real>>& team, double start);
  template <class Real>
  void run_range(const PackedModel<Real>& model, BatchKernel<Real> kernel,
                 const std::vector<std::int32_t>& atoms, View<const std::int32_t> type, BatchArgs args,
                 Workspace<Real>& work, BatchCounts& counts);
  void split(const EvaluationArgs& args, int threads, const Companion* companion);
  void sum_forces(std::int64_t nall, int me, int threads, Forces& forces);
  void sum_atoms(const Needs& needs, std::int64_t nlocal, Forces& forces);

  const KernelSet& kernels_;
  int threads_;
  bool reproducible_;
  std::vector<Thread<double>> fp64_;
  std::vector<Thread<float>> mixed_;
  ForceBuffers buffers_;
  std::vector<std::int64_t> range_;             ///< (threads + 1) first centre of every thread
  Array<double> energy_;                        ///< (nlocal)
  Array<std::array<double, 9>> centre_virial_;  ///< (nlocal)
};

}  // namespace nanoday::cpu
