// Velocity Verlet: order, reversibility, units, conservation laws.
// SPDX-License-Identifier: Apache-2.0
#include "core/units.hpp"
#include "md/simulation.hpp"
#include "md/toy_backend.hpp"
#include "md/velocities.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

constexpr Needs k_all{true, true, false, false};

toy::Field liquid() {
  toy::Field field;
  field.repulsion = 0.5;
  return field;
}

/// Largest deviation of the total energy over 0.1 ps of a soft liquid at 300 K.
double energy_error(double dt) {
  toy::ToyBackend backend(liquid());
  Atoms atoms = toy::atoms(40, 8);
  draw_velocities(atoms, 300, 3);
  Evaluator evaluator(backend, toy::plan(), Box::orthorhombic(8, 8, 8), atoms, {1.0, 0});
  Simulation simulation(evaluator, make_no_thermostat(), dt, 117);
  simulation.start(k_all);
  const double first = simulation.observe().total;
  double worst = 0;
  while (simulation.time() < 0.1 - dt / 2) {
    simulation.step(k_all);
    worst = std::max(worst, std::abs(simulation.observe().total - first));
  }
  return worst;
}

TEST(VelocityVerlet, energy_error_shrinks_by_four_when_the_time_step_halves) {
  const double coarse = energy_error(4e-4), fine = energy_error(2e-4), finest = energy_error(1e-4);
  EXPECT_GT(coarse, 1e-7);  // there is an error to shrink
  EXPECT_NEAR(coarse / fine, 4, 0.4);
  EXPECT_NEAR(fine / finest, 4, 0.4);
}

TEST(VelocityVerlet, follows_the_exact_oscillator_in_physical_units) {
  toy::Field field;
  field.trap = {2.0, 2.0, 2.0};
  toy::ToyBackend backend(field);
  Atoms atoms = toy::atoms(1, 1);
  atoms.position[0] = {1, 0.5, 0, 0};
  Evaluator evaluator(backend, toy::plan(), Box::open(), atoms, {1.0, 0});
  const double dt = 1e-4;
  Simulation simulation(evaluator, make_no_thermostat(), dt, 3);
  simulation.start(k_all);
  for (int i = 0; i < 1000; ++i) simulation.step({});
  // ω² = k/m; 1 eV/(Å² u) = 1.602176634e-19 J / (1e-20 m² 1.66053906660e-27 kg) in 1/s² = 9648.53 1/ps².
  const double omega = std::sqrt(2.0 / 16 * 9648.533212);
  EXPECT_NEAR(evaluator.atoms().position[0].x, std::cos(omega * 0.1), 1e-5);
  EXPECT_NEAR(evaluator.atoms().position[0].y, 0.5 * std::cos(omega * 0.1), 1e-5);
  EXPECT_NEAR(evaluator.atoms().velocity[0].x, -omega * std::sin(omega * 0.1), 1e-3);
}

TEST(VelocityVerlet, runs_back_to_the_start_when_velocities_turn_around) {
  toy::ToyBackend backend(liquid());
  Atoms atoms = toy::atoms(20, 6);
  draw_velocities(atoms, 300, 5);
  const Box box = Box::orthorhombic(6, 6, 6);
  Evaluator evaluator(backend, toy::plan(), box, atoms, {1.0, 0});
  Simulation simulation(evaluator, make_no_thermostat(), 5e-4, 57);
  simulation.start({});
  for (int i = 0; i < 200; ++i) simulation.step({});
  Atoms& now = evaluator.atoms();
  for (auto& v : now.velocity) v = padded(-1 * xyz(v));
  for (int i = 0; i < 200; ++i) simulation.step({});
  EXPECT_GT(evaluator.rebuilds(), 1);
  double worst = 0;
  for (std::int64_t i = 0; i < now.nlocal; ++i) {
    const auto& n = now.image[i];
    const Vec3 unwrapped = xyz(now.position[i]) + box.translation(n[0], n[1], n[2]);
    worst = std::max(worst, norm(unwrapped - xyz(atoms.position[now.id[i]])));
  }
  EXPECT_LT(worst, 1e-9);
}

TEST(VelocityVerlet, keeps_the_total_momentum) {
  toy::ToyBackend backend(liquid());
  Atoms atoms = toy::atoms(40, 8);
  draw_velocities(atoms, 300, 3);
  Evaluator evaluator(backend, toy::plan(), Box::orthorhombic(8, 8, 8), atoms, {1.0, 0});
  Simulation simulation(evaluator, make_no_thermostat(), 5e-4, 117);
  simulation.start({});
  for (int i = 0; i < 200; ++i) simulation.step({});
  Vec3 momentum;
  for (std::int64_t i = 0; i < 40; ++i)
    momentum = momentum + evaluator.atoms().mass[i] * xyz(evaluator.atoms().velocity[i]);
  EXPECT_LT(norm(momentum), 1e-9);
}

TEST(Observables, pressure_of_an_ideal_gas_is_n_k_t_over_v) {
  const double kinetic = 1.5 * 100 * units::k_boltzmann * 300;
  // 100 atoms at 300 K in (100 Å)³: 100 · 1.380649e-23 · 300 / 1e-24 m³ = 414194.7 Pa.
  EXPECT_NEAR(pressure_of(kinetic, {}, Box::orthorhombic(100, 100, 100)), 4.141947, 1e-6);
  EXPECT_TRUE(std::isnan(pressure_of(kinetic, {}, Box::open())));
}

TEST(Observables, pressure_is_minus_the_slope_of_energy_with_volume) {
  const auto evaluate = [](double edge) {
    toy::ToyBackend backend(liquid());
    Atoms atoms = toy::atoms(30, 7);
    for (auto& x : atoms.position) x = padded((edge / 7) * xyz(x));
    Evaluator evaluator(backend, toy::plan(), Box::orthorhombic(edge, edge, edge), atoms, {1.0, 0});
    Simulation simulation(evaluator, make_no_thermostat(), 5e-4, 87);
    simulation.start(k_all);
    return simulation.observe();
  };
  const double h = 1e-4, volume_step = std::pow(7 + h, 3) - std::pow(7 - h, 3);
  const double slope = -(evaluate(7 + h).potential - evaluate(7 - h).potential) / volume_step;
  EXPECT_NEAR(evaluate(7).pressure, slope * units::k_pressure_bar,
              1e-5 * std::abs(slope) * units::k_pressure_bar);
}

TEST(DegreesOfFreedom, total_momentum_takes_three_except_from_a_single_atom) {
  EXPECT_EQ(degrees_of_freedom(192, true), 573);
  EXPECT_EQ(degrees_of_freedom(192, false), 576);
  EXPECT_EQ(degrees_of_freedom(1, true), 3);
}

}  // namespace
}  // namespace nanoday
