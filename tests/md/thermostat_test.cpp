// Thermostats sample the canonical ensemble and keep their conserved quantity.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "core/units.hpp"
#include "md/simulation.hpp"
#include "md/toy_backend.hpp"
#include "md/velocities.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <numeric>

namespace nanoday {
namespace {

constexpr Needs k_all{true, true, false, false};
constexpr double k_target = 300;
constexpr int k_atoms = 12;

using Make = std::function<std::unique_ptr<Thermostat>(const ThermostatOptions&)>;

struct Bath {
  const char* name;
  Make make;
  double conserved_tolerance;  ///< largest deviation of the conserved energy over the run [eV]
};

const Bath k_baths[] = {{"nose_hoover", make_nose_hoover, 5e-3},
                        {"langevin", make_langevin, 5e-3},
                        {"rescaling", make_velocity_rescaling, 5e-3}};

struct Sampled {
  double temperature = 0;        ///< mean [K]
  double kinetic_variance = 0;   ///< of K over the canonical value ½ N_f (kT)² [–]
  double kinetic_share[3] = {};  ///< mean 2 K_t / (3 N_t k T) of each type [–]
  double conserved_range = 0;    ///< [eV]
};

/// Long run of atoms in traps of three strengths with a quartic part, coupled by a repulsion: every
/// degree of freedom counts because nothing is conserved but the energy.
Sampled sample(const Bath& bath, std::int64_t steps) {
  toy::Field field;
  field.trap = {1.0, 2.5, 0.7};
  field.quartic = 2;
  field.repulsion = 1;
  toy::ToyBackend backend(field);
  Atoms atoms = toy::atoms(k_atoms, 1.5);
  draw_velocities(atoms, k_target, 5);
  Evaluator evaluator(backend, toy::plan(), Box::open(), atoms, {6.0, 0});
  const double dof = 3 * k_atoms, dt = 5e-4;
  Simulation simulation(evaluator, bath.make({k_target, 0.02, dt, dof, 99}), dt, dof);
  simulation.start(k_all);
  for (int i = 0; i < 4000; ++i) simulation.step({});  // forget the start
  Sampled s;
  double second = 0, first_conserved = 0;
  for (std::int64_t i = 0; i < steps; ++i) {
    simulation.step(k_all);
    const Observables o = simulation.observe();
    if (i == 0) first_conserved = o.conserved;
    s.conserved_range = std::max(s.conserved_range, std::abs(o.conserved - first_conserved));
    s.temperature += o.temperature / static_cast<double>(steps);
    second += o.kinetic * o.kinetic / static_cast<double>(steps);
    const Atoms& now = evaluator.atoms();
    for (int k = 0; k < k_atoms; ++k)
      s.kinetic_share[now.type[k]] +=
          now.mass[k] * dot(xyz(now.velocity[k]), xyz(now.velocity[k])) * units::k_mass_velocity2 /
          (3 * (k_atoms / 3) * units::k_boltzmann * k_target * static_cast<double>(steps));
  }
  const double kT = units::k_boltzmann * k_target, mean = s.temperature * dof * units::k_boltzmann / 2;
  s.kinetic_variance = (second - mean * mean) / (0.5 * dof * kT * kT);
  return s;
}

class ThermostatTest : public testing::TestWithParam<int> {
 protected:
  const Bath& bath() const { return k_baths[GetParam()]; }
};

TEST_P(ThermostatTest, samples_the_canonical_kinetic_energy_with_equipartition) {
  const Sampled s = sample(bath(), 400000);
  EXPECT_NEAR(s.temperature, k_target, 0.015 * k_target);
  EXPECT_NEAR(s.kinetic_variance, 1, 0.1);
  // Three times the spread of a chain's shares over six seeds, 0.026: chaos carries any rounding there.
  for (const double share : s.kinetic_share) EXPECT_NEAR(share, 1, 0.08);
  RecordProperty("temperature", std::to_string(s.temperature));
  std::printf("%s: T %.2f K, var(K)/canonical %.3f, shares %.3f %.3f %.3f, conserved within %.2e eV\n",
              bath().name, s.temperature, s.kinetic_variance, s.kinetic_share[0], s.kinetic_share[1],
              s.kinetic_share[2], s.conserved_range);
  EXPECT_LT(s.conserved_range, bath().conserved_tolerance);
}

TEST_P(ThermostatTest, continues_exactly_from_its_state) {
  toy::ToyBackend backend({});
  const ThermostatOptions options{k_target, 0.05, 1e-3, 33, 4};
  Atoms atoms = toy::atoms(k_atoms, 5), copy;
  draw_velocities(atoms, 500, 2);
  const auto ranks = make_self_transport();
  const auto run = [&](Thermostat& thermostat, Atoms& who, int first, int last) {
    for (int step = first; step < last; ++step) {
      const MovingAtoms moving{backend, who, *ranks};
      thermostat.before(moving, step);
      thermostat.middle(moving, step);
      thermostat.after(moving, step);
    }
  };
  auto whole = bath().make(options), second = bath().make(options);
  run(*whole, atoms, 0, 20);
  copy = atoms;
  second->restore(whole->state());
  run(*whole, atoms, 20, 40);
  run(*second, copy, 20, 40);
  EXPECT_EQ(whole->energy(), second->energy());
  for (int i = 0; i < k_atoms; ++i) EXPECT_EQ(atoms.velocity[i].y, copy.velocity[i].y);
}

TEST_P(ThermostatTest, refuses_the_state_of_another_bath) {
  auto thermostat = bath().make({k_target, 0.05, 1e-3, 33, 4});
  EXPECT_THROW(thermostat->restore({1, 2, 3}), InputError);
}

INSTANTIATE_TEST_SUITE_P(AllBaths, ThermostatTest, testing::Range(0, 3),
                         [](const auto& info) { return k_baths[info.param].name; });

TEST(Langevin, noise_belongs_to_the_input_id) {
  toy::ToyBackend backend({});
  Atoms atoms = toy::atoms(9, 5), turned = atoms;
  std::reverse(turned.id.begin(), turned.id.end());
  std::reverse(turned.mass.begin(), turned.mass.end());
  auto a = make_langevin({k_target, 0.05, 1e-3, 27, 4}), b = make_langevin({k_target, 0.05, 1e-3, 27, 4});
  const auto ranks = make_self_transport();
  a->middle({backend, atoms, *ranks}, 3);
  b->middle({backend, turned, *ranks}, 3);
  for (int i = 0; i < 9; ++i) EXPECT_EQ(atoms.velocity[i].x, turned.velocity[8 - i].x);
}

TEST(VelocityRescaling, relaxes_the_kinetic_energy_with_its_time) {
  // Mean over independent seeds of K(t) is K̄ + (K0 − K̄) exp(−t/τ).
  toy::ToyBackend backend({});
  const double dof = 3 * k_atoms, tau = 0.1;
  const auto ranks = make_self_transport();
  double mean = 0;
  constexpr int k_copies = 400;
  for (int copy = 0; copy < k_copies; ++copy) {
    Atoms atoms = toy::atoms(k_atoms, 5);
    draw_velocities(atoms, 1000, 2);
    const double start =
        2 * backend.kinetic_energy(atoms.velocity, atoms.mass).value() / (dof * units::k_boltzmann);
    auto bath = make_velocity_rescaling({k_target, tau, 1e-2, dof, static_cast<std::uint64_t>(copy)});
    for (int step = 1; step <= 10; ++step) bath->after({backend, atoms, *ranks}, step);
    const double end =
        2 * backend.kinetic_energy(atoms.velocity, atoms.mass).value() / (dof * units::k_boltzmann);
    mean += (end - k_target) / (start - k_target) / k_copies;
  }
  EXPECT_NEAR(mean, std::exp(-1.0), 0.03);  // standard error about 0.008
}

}  // namespace
}  // namespace nanoday
