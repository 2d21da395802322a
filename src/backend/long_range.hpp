// The long-range term of DPLR models as a machine sees it: Gaussian charges in, forces on them out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/forces.hpp"
#include "model/long_range_plan.hpp"

#include <array>

namespace nanoday {

/// A Wannier centroid farther from its atom than this is no electron pair of it [Å].
inline constexpr double k_farthest_centroid = 1.0;

/// Input of one evaluation.
struct LongRangeArgs {
  View<const Vec4> charge;  ///< (n) x, y, z [Å], q [e]; positions need not lie inside the box
  Needs needs;
};

/// Output of one evaluation. Nothing is subtracted: no self-energy, no background (spec dplr.md 1.2). Where
/// ranks share the charges, `energy` and `virial` are those of all of them, the same bits on every rank:
/// whoever adds up over ranks counts them once; everything per charge is of the rank's own charges.
struct LongRangeResult {
  Array<Vec4> force;                         ///< (n) −∂E_el/∂x [eV/Å]
  double energy = 0;                         ///< [eV], when energy or atom_energy is needed
  std::array<double, 9> virial{};            ///< charges scaled affinely with the box [eV]
  Array<double> atom_energy;                 ///< (n) q_i φ(x_i)/2; sums to `energy`
  Array<std::array<double, 9>> atom_virial;  ///< (n) sums to `virial`
};

/// A machine's evaluation of one LongRangePlan. When one rank cannot go on, finish() throws RunError on all:
/// its own sentence there, that another rank failed elsewhere.
class LongRangeSolver {
 public:
  virtual ~LongRangeSolver() = default;
  /// Hands the charges over; they must stay where they are until finish(). What the same machine evaluates
  /// between the two calls runs beside this.
  virtual void start(const LongRangeArgs& args) = 0;
  /// Waits for the result, which stays valid until the next start().
  virtual const LongRangeResult& finish() = 0;
  /// Mean time of one solve of these charges [s], nothing beside it; on a GPU without any copies.
  virtual double time_solves(const LongRangeArgs& args, int repeats);
};

}  // namespace nanoday
