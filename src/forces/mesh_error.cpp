// Measures the force error of a mesh on given charges.
// SPDX-License-Identifier: Apache-2.0
#include "forces/mesh_error.hpp"

#include "core/error.hpp"
#include "math/mesh_estimate.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nanoday {
namespace {

/// Charges × reciprocal vectors of the direct sum that take about half a second on one AVX-512 core (2e10 per
/// second, 752 charges in 18.7 Å).
constexpr double k_direct_limit = 1e10;
/// Points of the finer reference mesh, relative to those of the measured one.
constexpr double k_finer = 1.5;

Array<Vec4> forces_of(Backend& backend, const LongRangePlan& plan, View<const Vec4> charges) {
  const auto solver = backend.make_long_range(plan);
  solver->start({charges, {}});
  return solver->finish().force;
}

}  // namespace

LongRangePlan reference_plan(const LongRangePlan& mesh_plan, std::int64_t n_charges) {
  // e^{−k²/4β²} = 1e-16 at k = 2β √(16 ln 10). The sum leaves out |n_d| > |a_d|/2h for some d, and with them
  // only |k| ≥ |k·a_d|/|a_d| = 2π|n_d|/|a_d| > π/h, whatever the shape of the box.
  const double k_last = 2 * mesh_plan.beta * std::sqrt(16 * std::numbers::ln10);
  LongRangePlan plan = mesh_plan;
  plan.method = LongRangeMethod::direct;
  plan.spacing = std::numbers::pi / k_last;
  double vectors = 1;
  for (const Vec3& side : plan.box.cell) vectors *= norm(side) / plan.spacing + 1;
  if (static_cast<double>(n_charges) * vectors <= k_direct_limit) return plan;
  plan = mesh_plan;
  plan.order = k_max_assignment_order;
  plan.differentiation = Differentiation::ik;
  for (int& n : plan.mesh) n = next_smooth(static_cast<int>(std::ceil(k_finer * n)));
  return plan;
}

MeshError measure_mesh_error(Backend& backend, const LongRangePlan& mesh_plan, View<const Vec4> charges) {
  require(mesh_plan.method == LongRangeMethod::pppm,
          "the error of a mesh is asked for but the solver is the "
          "direct sum (it has no mesh); use the pppm solver");
  require(!charges.empty(), "no charges to measure the mesh error on; give a structure");
  const LongRangePlan exact = reference_plan(mesh_plan, static_cast<std::int64_t>(charges.size()));
  const Array<Vec4> mesh = forces_of(backend, mesh_plan, charges);
  const Array<Vec4> reference = forces_of(backend, exact, charges);
  MeshError error;
  error.reference = exact.method;
  double sum = 0, sum_force = 0;
  for (std::size_t i = 0; i < charges.size(); ++i) {
    const Vec3 d = xyz(mesh[i]) - xyz(reference[i]);
    sum += dot(d, d);
    sum_force += dot(xyz(reference[i]), xyz(reference[i]));
    error.max = std::max({error.max, std::fabs(d.x), std::fabs(d.y), std::fabs(d.z)});
  }
  const double components = 3 * static_cast<double>(charges.size());
  error.rms = std::sqrt(sum / components);
  error.rms_force = std::sqrt(sum_force / components);
  if (error.rms_force > 0) error.relative = error.rms / error.rms_force;
  return error;
}

}  // namespace nanoday
