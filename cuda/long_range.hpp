// The long-range solvers on the device: particle mesh and direct sum.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/long_range.hpp"
#include "cuda/fft.hpp"
#include "cuda/primitives.hpp"
#include "cuda/runtime.hpp"

#include <cstdint>
#include <functional>
#include <memory>

namespace nanoday::NANODAY_GPU {

/// Results in device memory, valid until the next solve.
struct LongRangeFields {
  Vec4* force = nullptr;  ///< (n) [eV/Å]
  /// (systems, 7) energy, virial xx xy xz yy yz zz [eV] of the last solve that needed some; 0 what it did not
  /// need
  double* sums = nullptr;
  double* atom_energy = nullptr;                 ///< (n) when needed
  std::array<double, 9>* atom_virial = nullptr;  ///< (n) when needed
};

/// Sums words of device memory over ranks, modulo 2^64; collective. None: one rank.
using SumWords = std::function<void(Stream& stream, std::uint64_t* words, std::size_t n)>;

/// One LongRangePlan on the device, for one or several independent systems in the same kernels. solve() only
/// queues work (it may be part of a graph, after prepare()); same bits for the same charges, whatever their
/// order of summation: the mesh is fixed point.
class DeviceSolver {
 public:
  virtual ~DeviceSolver() = default;
  /// Grows buffers for n charges and the needs; makes tables. Call before solve() with more than before.
  virtual void prepare(std::int64_t n, const Needs& needs) = 0;
  /// \param charge (n) x, y, z [Å], q [e]; device memory; system s has those from s·n/systems on
  /// \param halt a word in device memory; while it is not zero, fields().sums keep their values. Null: zero
  virtual void solve(Stream& stream, const Vec4* charge, std::int64_t n, const Needs& needs,
                     const std::uint32_t* halt = nullptr) = 0;
  virtual LongRangeFields fields() const = 0;
  /// Host: throws RunError when a charge of that system had no place on the mesh or the mesh overflowed since
  /// the last call, on this rank or another one.
  virtual void check(Stream& stream, int system = 0) = 0;
};

/// \param sum over those who hold parts of the charges of one system: charge meshes, or structure factors,
/// are summed, and every rank goes on with the sum. Part of a graph where `sum` may be. Throws InputError for
/// plans it cannot do, with the sentences of the CPU's solvers.
std::unique_ptr<DeviceSolver> make_solver(const LongRangePlan& plan, int systems = 1, SumWords sum = {});

}  // namespace nanoday::NANODAY_GPU
