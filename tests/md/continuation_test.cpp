// A simulation continued from its checkpoint equals the one that never stopped, bit for bit.
// SPDX-License-Identifier: Apache-2.0
#include "md/checkpoint.hpp"
#include "md/run_system.hpp"
#include "md/simulation.hpp"
#include "md/toy_backend.hpp"
#include "md/velocities.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

constexpr double k_dt = 5e-4;
constexpr int k_atoms = 40;
const Box k_box = Box::orthorhombic(8, 8, 8);

std::unique_ptr<Thermostat> bath(ThermostatKind kind) {
  const ThermostatOptions options{400, 0.02, k_dt,
                                  degrees_of_freedom(k_atoms, kind != ThermostatKind::langevin), 17};
  switch (kind) {
    case ThermostatKind::nose_hoover:
      return make_nose_hoover(options);
    case ThermostatKind::langevin:
      return make_langevin(options);
    case ThermostatKind::rescaling:
      return make_velocity_rescaling(options);
    case ThermostatKind::none:
      break;
  }
  return make_no_thermostat();
}

RunSystem make_system(ThermostatKind kind, Atoms atoms, int rebuild_every) {
  toy::Field field;
  field.repulsion = 0.5;
  RunSystem system;
  system.backend = std::make_unique<toy::ToyBackend>(field);
  system.plan = toy::plan();
  system.model = system.plan->model;
  system.evaluator = std::make_unique<Evaluator>(*system.backend, system.plan, k_box, std::move(atoms),
                                                 EvaluatorOptions{0.6, rebuild_every});
  system.simulation = std::make_unique<Simulation>(*system.evaluator, bath(kind), k_dt, 3.0 * k_atoms - 3);
  return system;
}

RunConfig config_of(ThermostatKind kind) {
  RunConfig config;
  config.thermostat = kind;
  config.dt = k_dt;
  return config;
}

void expect_same(const RunSystem& a, const RunSystem& b) {
  const Atoms &x = a.evaluator->atoms(), &y = b.evaluator->atoms();
  for (int i = 0; i < k_atoms; ++i) {
    ASSERT_EQ(x.id[i], y.id[i]);
    EXPECT_EQ(x.position[i].x, y.position[i].x);
    EXPECT_EQ(x.position[i].z, y.position[i].z);
    EXPECT_EQ(x.velocity[i].y, y.velocity[i].y);
    EXPECT_EQ(x.image[i], y.image[i]);
  }
  const Observables p = a.simulation->observe(), q = b.simulation->observe();
  EXPECT_EQ(p.step, q.step);
  EXPECT_EQ(p.conserved, q.conserved);
  EXPECT_EQ(p.pressure, q.pressure);
}

class Continuation : public testing::TestWithParam<ThermostatKind> {};

/// Stops at every step of a stretch that holds several list rebuilds.
void compare(ThermostatKind kind, int rebuild_every) {
  constexpr Needs k_all{true, true, false, false};
  Atoms start = toy::atoms(k_atoms, 8);
  draw_velocities(start, 400, 3);
  for (int stop = 0; stop <= 60; stop += 7) {
    RunSystem whole = make_system(kind, start, rebuild_every);
    whole.simulation->start({});
    for (int i = 0; i < stop; ++i) whole.simulation->step({});
    const Checkpoint saved = decode(encode(checkpoint_of(whole, config_of(kind))), "test");
    for (int i = stop; i < 120; ++i) whole.simulation->step(k_all);

    RunSystem resumed = make_system(kind, saved.atoms, rebuild_every);
    resumed.evaluator->restore(saved.list);
    resumed.simulation->thermostat().restore(saved.thermostat_state);
    resumed.simulation->set_step(saved.step);
    resumed.simulation->start({});
    for (int i = stop; i < 120; ++i) resumed.simulation->step(k_all);
    expect_same(whole, resumed);
    EXPECT_GT(whole.evaluator->rebuilds(), 2);
  }
}

TEST_P(Continuation, is_bitwise_with_lists_rebuilt_by_displacement) { compare(GetParam(), 0); }
TEST_P(Continuation, is_bitwise_with_lists_rebuilt_every_nine_steps) { compare(GetParam(), 9); }

INSTANTIATE_TEST_SUITE_P(AllBaths, Continuation,
                         testing::Values(ThermostatKind::none, ThermostatKind::nose_hoover,
                                         ThermostatKind::langevin, ThermostatKind::rescaling));

}  // namespace
}  // namespace nanoday
