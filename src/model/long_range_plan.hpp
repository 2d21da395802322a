// How the long-range term of a DPLR model is evaluated: solver, mesh, constants, field.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/box.hpp"

#include <array>
#include <memory>

namespace nanoday {

enum class LongRangeMethod { pppm, direct };
/// How a mesh potential becomes a force: three transforms of i·k·φ, or one and the weights' derivatives.
enum class Differentiation { ik, ad };
/// How a mesh is transformed. local: by the one rank there is. replicated: one rank of every node transforms
/// the sum of all charge meshes. reduction, pencil: every rank has a brick of the mesh; partial transforms
/// are summed around rings of ranks as integers, or the mesh is redistributed so that lines are whole.
enum class FftMethod { local, replicated, reduction, pencil };
inline constexpr int k_fft_methods = 4;
/// "local", "replicated", "reduction", "pencil".
const char* fft_name(FftMethod method);

/// Everything that determines E_el = (C/2V) Σ_{k≠0} (4π/k²) e^{−k²/4β²} |S(k)|² and its approximation on a
/// mesh, except positions and charges.
struct LongRangePlan {
  LongRangeMethod method = LongRangeMethod::pppm;
  Box box;                    ///< periodic along a, b, c; any shape
  double beta = 0;            ///< [1/Å]; the charges are Gaussians of standard deviation 1/(2β)
  double coulomb = 0;         ///< C [eV·Å]
  double influence_4pi = 0;   ///< the number taken for 4π in the "ik" influence function (LAMMPS rounds it)
  double spacing = 0;         ///< direct: h [Å]; K_d = ceil(|a_d|/h) made even, −K_d/2 ≤ n_d ≤ K_d/2
  std::array<int, 3> mesh{};  ///< pppm: points along a, b, c
  int order = 5;              ///< pppm: assignment order P, 3 … 7
  Differentiation differentiation = Differentiation::ik;  ///< "ad" needs an orthorhombic box
  FftMethod fft = FftMethod::local;                       ///< pppm, and how ranks share it
  double fft_scale = 1e7;  ///< reduction: S of q = round(S·X), what is summed around a ring
  /// Threads of the machine that run it beside the energy net; 0: nothing runs beside it.
  int threads = 0;
  /// Its time on those threads over the time one thread needs for the energy net: how work is divided.
  double relative_cost = 0;
};

/// Throws InputError for a plan that no mesh can serve: beta ≤ 0, a box that does not repeat along a, b, c or
/// has no volume, an order outside 2 … 7, "ad" in a box that is not orthorhombic, a mesh smaller than the
/// stencil. Whether the mesh fits into memory is the machine's to say.
void check_mesh_plan(const LongRangePlan& plan);

/// Which vectors a direct sum runs over: n_d from −limit to limit, |k| ≤ k_far; beyond it e^{−k²/4β²} <
/// 1e-18, less than the rounding of the others.
struct DirectSumReach {
  std::array<int, 3> limit{};
  double k_far = 0;  ///< [1/Å]
};
/// Throws InputError for a plan that has no such sum: beta or spacing not positive, a box that does not
/// repeat along a, b, c or has no volume, more vectors than fit into memory.
DirectSumReach direct_sum_reach(const LongRangePlan& plan);

/// A uniform electric field on all charges: amplitude, or amplitude · sin(2π t / period).
struct ElectricField {
  Vec3 amplitude{};   ///< [V/Å], i.e. eV/Å per charge
  double period = 0;  ///< [ps]; 0: constant
  bool any() const { return dot(amplitude, amplitude) > 0; }
};

struct InferencePlan;

/// What a DPLR model needs beyond the plan of its energy net.
struct DplrPlan {
  std::shared_ptr<const InferencePlan> wannier;
  LongRangePlan solver;  ///< its box is the one it was chosen for; evaluations put their own
  ElectricField field;
};

}  // namespace nanoday
