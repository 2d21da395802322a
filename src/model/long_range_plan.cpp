// Which long-range plans can be evaluated at all.
// SPDX-License-Identifier: Apache-2.0
#include "model/long_range_plan.hpp"

#include "core/error.hpp"
#include "math/charge_assignment.hpp"
#include "math/reciprocal_grid.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nanoday {

namespace {

/// Triples (nx, ny, nz ≥ 0) of the largest sum: three tables of 96 bytes each on the CPU, 3.2 GB.
constexpr double k_max_triples = 33554432;
/// Vectors whose Gaussian factor is smaller are left out.
constexpr double k_negligible_vector = 1e-18;

void check_direct_plan(const LongRangePlan& plan) {
  const auto& periodic = plan.box.periodic;
  require(periodic[0] && periodic[1] && periodic[2],
          "long-range forces need a box that repeats along a, b and c (the sum runs over its reciprocal "
          "vectors); give a periodic box");
  require(plan.box.volume() > 0, "the box has no volume (its vectors lie in a plane); correct the box");
  require(plan.beta > 0 && std::isfinite(plan.beta), "ewald beta is {} 1/Å (must be positive); correct it",
          plan.beta);
  require(plan.spacing > 0, "spacing of the direct sum is {} Å (must be positive); correct it", plan.spacing);
}

}  // namespace

const char* fft_name(FftMethod method) {
  static constexpr const char* k_names[k_fft_methods] = {"local", "replicated", "reduction", "pencil"};
  return k_names[static_cast<int>(method)];
}

void check_mesh_plan(const LongRangePlan& plan) {
  const auto& periodic = plan.box.periodic;
  require(periodic[0] && periodic[1] && periodic[2],
          "the long-range energy needs a box that repeats in all three directions; give the structure a box");
  const double volume = plan.box.volume();
  require(volume > 0 && std::isfinite(volume),
          "the box has no volume (its lattice vectors lie in a plane); correct the lattice vectors");
  require(plan.beta > 0 && std::isfinite(plan.beta),
          "the Ewald parameter beta is {} (charges are Gaussians of width 1/(2 beta)); use a positive number",
          plan.beta);
  require(std::isfinite(plan.coulomb) && std::isfinite(plan.influence_4pi),
          "the Coulomb constant or 4 pi is not a finite number; correct the plan");
  require(plan.order >= k_min_assignment_order && plan.order <= k_max_assignment_order,
          "assignment order {} is not known; use {} to {}", plan.order, k_min_assignment_order,
          k_max_assignment_order);
  require(
      plan.differentiation == Differentiation::ik || plan.box.is_orthorhombic(),
      "\"ad\" differentiation needs an orthorhombic box (the self-force is known for it only); use \"ik\"");
  for (int d = 0; d < 3; ++d)
    require(
        plan.mesh[d] >= plan.order,
        "the mesh {} × {} × {} is too small for assignment order {} (with {} points along {} a charge would "
        "meet itself); use at least {} points or a lower order",
        plan.mesh[0], plan.mesh[1], plan.mesh[2], plan.order, plan.mesh[d], "abc"[d], plan.order);
}

DirectSumReach direct_sum_reach(const LongRangePlan& plan) {
  check_direct_plan(plan);
  DirectSumReach reach;
  reach.k_far = 2 * plan.beta * std::sqrt(-std::log(k_negligible_vector));
  std::array<double, 3> limit{};
  double triples = 1;
  for (int d = 0; d < 3; ++d) {
    const double length = norm(plan.box.cell[d]);  // |n_d| = |k·a_d|/2π ≤ |k||a_d|/2π
    limit[d] = std::min(largest_reciprocal_index(length, plan.spacing),
                        std::floor(reach.k_far * length / (2 * std::numbers::pi)));
    triples *= limit[d] + 1;
  }
  require(
      triples <= k_max_triples,
      "the direct sum needs {:.3g} reciprocal vectors (box sides over the spacing of {} Å), which do not fit "
      "into memory; use --solver pppm",
      4 * triples, plan.spacing);
  for (int d = 0; d < 3; ++d) reach.limit[d] = static_cast<int>(limit[d]);
  return reach;
}

}  // namespace nanoday
