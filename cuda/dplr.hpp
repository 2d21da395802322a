// The long-range term of a DPLR model on the device: charges of ions and centroids, and their forces home.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/atoms.hpp"
#include "cuda/evaluation.hpp"
#include "cuda/long_range.hpp"
#include "cuda/packed_model.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace nanoday::NANODAY_GPU {

/// Where charges stand: a replica's ions, then its centroids.
struct ChargeOrder {
  std::int64_t ions, centroids;  ///< of one replica
  NANODAY_HD std::int64_t replica(std::int64_t i) const { return i / ions; }
  NANODAY_HD std::int64_t ion(std::int64_t i) const { return i + replica(i) * centroids; }
  /// \param site centroids of all atoms before atom i
  NANODAY_HD std::int64_t centroid(std::int64_t i, std::int64_t site) const {
    return (replica(i) + 1) * ions + site;
  }
};

/// As forces/long_range, replica by replica: its ions first, then the centroids of those atoms that carry
/// one, in memory order. All replicas have as many ions and centroids.
class DplrTerm {
 public:
  /// \param plans of all models, each with plan.dplr, whose solvers and fields are the same
  /// \param sum as make_solver()
  DplrTerm(Stream& stream, const Plans& plans, const Box& box, int n_replicas, SumWords sum = {});

  /// Numbers the centroids; after the atoms' order changed. Never part of a graph.
  /// \param centre (nlocal) model·nt + type of each atom; must stay where it is until the next call
  void deal(Stream& stream, const DeviceAtoms& atoms, const std::int32_t* centre);
  /// Room for the solver's results, whatever a run may need; after deal().
  void prepare(const Needs& needs) { solver_->prepare(n_charges_, needs); }
  /// Charges at x and x + μ. Sets trouble where a centroid is farther than 1 Å from its host.
  void place(Stream& stream, const DeviceAtoms& atoms, const Vec4* dipole, Signals* signals);
  /// Starts the solver, which only reads what place() wrote.
  /// \param halt while the word is not zero, sums() stay those of an earlier run
  void solve(Stream& stream, const Needs& needs, const std::uint32_t* halt);
  /// Adds forces on ions, and those on centroids as far as they move with their hosts, to the fixed-point
  /// rows; −f_W to `cotangent`; −f_W ⊗ μ (and the field's share) to the virial; field energies.
  /// \param state (replicas)  \param time_steps steps beyond state's at which the field is taken
  void come_home(Stream& stream, const DeviceAtoms& atoms, const Vec4* dipole, const SystemState* state,
                 double dt, int time_steps, const Results& to);

  Vec4* cotangent() const { return cotangent_.data(); }
  /// A replica's energy and virial (9) of the solver's last run, of all ranks, on the host [eV]; waits for
  /// the stream.
  std::array<double, 10> sums(Stream& stream, int replica) const;
  DeviceSolver& solver() { return *solver_; }

 private:
  ChargeOrder order() const { return {n_ / n_replicas_, (n_charges_ - n_) / n_replicas_}; }

  ElectricField field_;
  Box box_;
  int n_replicas_;
  std::unique_ptr<DeviceSolver> solver_;
  Scratch scratch_;
  DeviceArray<double> ion_charge_, wannier_charge_;  ///< (models · nt) [e]
  DeviceArray<std::int32_t> carries_;                ///< (models · nt) 1: the type carries a centroid
  const std::int32_t* centre_ = nullptr;             ///< (nlocal), see deal()
  DeviceArray<std::int64_t> site_;                   ///< (nlocal + 1) centroids before this atom
  DeviceArray<Vec4> charge_;                         ///< (n + centroids) [Å], [e]
  DeviceArray<Vec4> cotangent_;                      ///< (nlocal)
  std::int64_t n_ = 0, n_charges_ = 0;
};

}  // namespace nanoday::NANODAY_GPU
