// DPLR models with their plans for tests, and small boxes of water to try them on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "forces/dplr_plan.hpp"
#include "model/dipole_charge.hpp"
#include "reference/evaluate.hpp"
#include "reference/models.hpp"
#include "reference/plans.hpp"
#include "reference/systems.hpp"

#include <cmath>
#include <numbers>

namespace nanoday::reference {

/// n³ water molecules of random orientation, one in the middle of each cell of a lattice. Order O H H.
inline System water_box(const Box& box, int n, unsigned seed) {
  constexpr double k_bond = 0.97, k_half_angle = 0.911;  // [Å], [rad]
  System system;
  system.box = box;
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, 1);
  const auto direction = [&] {
    const Vec3 v{normal(random), normal(random), normal(random)};
    return (1 / norm(v)) * v;
  };
  for (int k = 0; k < n * n * n; ++k) {
    const Vec3 x = box.cartesian({(k % n + 0.5) / n, (k / n % n + 0.5) / n, (k / n / n + 0.5) / n});
    const Vec3 axis = direction();
    Vec3 side = cross(axis, direction());
    side = (1 / norm(side)) * side;
    const Vec3 along = k_bond * std::cos(k_half_angle) * axis,
               across = k_bond * std::sin(k_half_angle) * side;
    system.position.insert(system.position.end(), {x, x + along + across, x + along - across});
    system.type.insert(system.type.end(), {0, 1, 1});
  }
  return system;
}

/// Eight molecules at the density of water: boxes about as large as the cutoff.
inline System small_water(unsigned seed = 7) { return water_box(Box::orthorhombic(6.3, 6.1, 6.5), 2, seed); }
inline System small_triclinic_water(unsigned seed = 8) {
  return water_box(Box::triclinic({Vec3{6.4, 0, 0}, Vec3{0.8, 6.2, 0}, Vec3{-0.5, 1.1, 6.3}}), 2, seed);
}

/// The reciprocal sum with all vectors that matter: e^{−k²/4β²} < 1e-16 beyond.
inline LongRangePlan fine_direct(const Model& model) {
  LongRangePlan plan;
  plan.method = LongRangeMethod::direct;
  plan.beta = model.dipole_charge->beta;
  plan.coulomb = k_coulomb;
  plan.influence_4pi = 4 * std::numbers::pi;
  plan.spacing = 0.5;
  return plan;
}

inline LongRangePlan pppm_plan(const Model& model, int points) {
  LongRangePlan plan = fine_direct(model);
  plan.method = LongRangeMethod::pppm;
  plan.mesh = {points, points, points};
  return plan;
}

/// `threads` of the machine run the solver while the others evaluate the energy net.
inline LongRangePlan beside_nets(LongRangePlan plan, int threads) {
  plan.threads = threads;
  plan.relative_cost = 0.2;
  return plan;
}

/// Both nets as they are, no tables but those of compressed models.
inline Plan dplr_plan(const std::shared_ptr<const Model>& model, const LongRangePlan& solver,
                      const ElectricField& field = {}, TableKind table = TableKind::net,
                      Precision precision = Precision::fp64) {
  auto dplr = std::make_shared<DplrPlan>();
  dplr->wannier = plan_of(model->dipole_charge->wannier, table, precision);
  dplr->solver = solver;
  dplr->field = field;
  return with_dplr(*plan_of(model, table, precision), dplr);
}

/// An evaluation with the parts of its energy.
struct DplrResult : Result {
  double energy_long = 0, energy_field = 0;
  double energy_short() const { return energy - energy_long - energy_field; }
};

inline DplrResult dplr_result_of(const Evaluator& evaluator) {
  DplrResult result{result_of(evaluator)};
  result.energy_long = evaluator.long_range()->energy();
  result.energy_field = evaluator.long_range()->field_energy();
  return result;
}

inline DplrResult evaluate_dplr(Backend& backend, const Plan& plan, const System& system, double skin = 1.0) {
  Evaluator evaluator(backend, plan, system.box, atoms_of(system), {skin, 0});
  evaluator.compute(k_everything);
  return dplr_result_of(evaluator);
}

/// Toy nets with random weights, water's charges, and small displacements (a few 0.1 Å).
/// \param rcut  of energy and Wannier net [Å]
inline std::shared_ptr<const Model> toy_dplr(std::array<double, 2> rcut = {4, 4}, double displacement = 0.3) {
  const auto with_cutoff = [](Model model, double cutoff) {
    model.rcut = cutoff;
    model.switch_width = cutoff - model.rcut_smth;
    return model;
  };
  Model wannier = with_cutoff(toy_model({.kind = ModelKind::dipole, .seed = 4}), rcut[1]);
  for (double& w : wannier.fitting[0].output.weight) w *= displacement;
  for (double& b : wannier.fitting[0].output.bias) b *= displacement;
  const DipoleChargeSettings charges{{{"O", 6}, {"H", 1}}, {{"O", -8}}, 0.4, {}};
  return std::make_shared<const Model>(with_wannier(with_cutoff(toy_model(), rcut[0]), wannier, charges));
}

}  // namespace nanoday::reference
