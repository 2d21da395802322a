// Runs that stay on the device: trajectories as on the CPU, the same bits after a restart, hardly a byte
// copied. SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cuda/device_counts.hpp"
#include "cuda/machine.hpp"
#include "md/guards.hpp"
#include "running.hpp"

#include <cmath>

namespace nanoday {
namespace {

using namespace reference;

class Resident : public testing::TestWithParam<BathKind> {
 protected:
  void SetUp() override { NANODAY_NEEDS_DEVICE(); }
  static std::unique_ptr<Backend> cpu() { return make_backend({.device = "cpu", .threads = 1}); }
};

TEST_P(Resident, a_run_follows_the_cpu) {
  const System water = small_water();
  const Plan plan = plan_of(model_named("water_sea.pb"), TableKind::quintic);
  Running a = running(device_machine(), plan, water.box, moving(water), GetParam());
  Running b = running(cpu(), plan, water.box, moving(water), GetParam());
  for (Running* r : {&a, &b}) {
    r->simulation->start(k_row);
    advance(*r, 30);
  }
  EXPECT_GT(a.evaluator->rebuilds(), 1) << "lists must be rebuilt on the way";
  expect_same_trajectory(a, b, 1e-9);
}

TEST_P(Resident, a_long_range_run_follows_the_cpu) {
  const auto model = model_named("water_dplr.pb");
  const System water = small_water();
  const Plan plan = dplr_plan(model, pppm_plan(*model, 18), {{0, 0, 0.05}, 0.01}, TableKind::quintic);
  Running a = running(device_machine(), plan, water.box, moving(water), GetParam());
  Running b = running(cpu(), plan, water.box, moving(water), GetParam());
  for (Running* r : {&a, &b}) {
    r->simulation->start(k_row);
    advance(*r, 12);
  }
  expect_same_trajectory(a, b, 1e-9);
}

TEST_P(Resident, continuing_from_a_saved_state_gives_the_same_bits) {
  const System water = small_triclinic_water();
  const Plan plan = plan_of(model_named("water_sea.pb"), TableKind::quintic, Precision::mixed);
  Running whole = running(device_machine(), plan, water.box, moving(water), GetParam());
  whole.simulation->start(k_row);
  advance(whole, 11);
  Evaluator::ListState list = whole.evaluator->list_state();
  list.age -= 1;  // continuing evaluates this step once more
  Running part = running(device_machine(), plan, water.box, whole.evaluator->atoms(), GetParam());
  part.evaluator->restore(list);
  part.simulation->thermostat().restore(whole.simulation->thermostat().state());
  part.simulation->set_step(11);
  part.simulation->start(k_row);
  for (Running* r : {&whole, &part}) advance(*r, 14);
  expect_same_trajectory(whole, part, std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(whole.simulation->observe().conserved, part.simulation->observe().conserved);
}

INSTANTIATE_TEST_SUITE_P(Baths, Resident,
                         testing::Values(BathKind::none, BathKind::nose_hoover, BathKind::langevin,
                                         BathKind::rescaling));

class ResidentStep : public testing::Test {
 protected:
  void SetUp() override { NANODAY_NEEDS_DEVICE(); }
};

TEST_F(ResidentStep, copies_nothing_to_the_host_but_its_signals) {
  const System water = small_water();
  const Plan plan = plan_of(model_named("water_sea.pb"), TableKind::lowrank);
  Running r = running(device_machine(), plan, water.box, moving(water), BathKind::nose_hoover, {2.0, 0});
  r.simulation->start({});
  for (int k = 0; k < 3; ++k) r.simulation->step({});
  const std::int64_t rebuilds = r.evaluator->rebuilds();
  const DeviceTraffic before = device_traffic();
  for (int k = 0; k < 5; ++k) r.simulation->step({});
  const DeviceTraffic after = device_traffic();
  ASSERT_EQ(r.evaluator->rebuilds(), rebuilds);
  EXPECT_EQ(after.bytes_to_host - before.bytes_to_host, 5 * 12) << "three 32-bit signals per step";
  EXPECT_EQ(after.bytes_to_device - before.bytes_to_device, 0);
  EXPECT_EQ(after.allocations - before.allocations, 0);
  EXPECT_EQ(after.kernels - before.kernels, 0) << "everything runs inside graphs";
  EXPECT_EQ(after.graph_launches - before.graph_launches, 10) << "two per step";
}

TEST_F(ResidentStep, finds_room_for_the_exact_plan_on_the_way) {
  System water = water_box(Box::orthorhombic(16, 16, 16), 5, 3);
  for (std::size_t i = 0; i < water.position.size(); i += 3)  // bonds stretched, so that they swing inwards
    for (std::size_t h = i + 1; h < i + 3; ++h)
      water.position[h] = water.position[i] + 0.72 * (water.position[h] - water.position[i]);
  const Plan plan = plan_of(model_named("water_sea.pb"), TableKind::lowrank);
  Running a = running(device_machine(), plan, water.box, moving(water), BathKind::nose_hoover);
  Running b = running(make_backend({.device = "cpu"}), plan, water.box, moving(water), BathKind::nose_hoover);
  for (Running* r : {&a, &b}) {
    r->simulation->start(k_row);
    advance(*r, 6);
  }
  EXPECT_GT(a.evaluator->counts().outside_table, 300) << "the test must need the net";
  expect_same_trajectory(a, b, 1e-8);
}

TEST_F(ResidentStep, an_exploded_run_is_stopped_and_the_atom_named) {
  const System water = small_water();
  Atoms atoms = moving(water);
  atoms.velocity[7] = {3000, 0, 0, 0};
  const Plan plan = plan_of(model_named("water_sea.pb"), TableKind::quintic);
  Running r = running(device_machine(), plan, water.box, std::move(atoms), BathKind::none);
  try {
    r.simulation->start({});
    for (int k = 0; k < 3; ++k) r.simulation->step({});
    FAIL() << "the run went on";
  } catch (const AtomError& error) {
    EXPECT_EQ(r.evaluator->atoms().id[error.atom()], 7);
  }
}

// The host queues the second half before it knows that the first one met something absurd.
TEST_F(ResidentStep, that_explodes_shows_what_the_last_evaluation_gave) {
  const auto model = model_named("water_dplr.pb");
  const System water = small_water();
  ResidentSettings settings;
  settings.plans = {dplr_plan(model, pppm_plan(*model, 18), {{0, 0, 0.05}, 0.01}, TableKind::quintic)};
  settings.box = water.box;
  settings.dt = k_dt;
  const auto machine = device_machine();
  const auto system = machine->make_resident(settings);
  ResidentState state;
  state.atoms = moving(water);
  state.atoms.image.resize(static_cast<std::size_t>(state.atoms.nlocal));
  state.atoms.velocity[7] = {3000, 0, 0, 0};
  system->load(0, state);
  system->start(k_row);
  ASSERT_TRUE(system->sound());
  Atoms atoms;
  Forces forces, forces_after;
  Array<Vec4> dipoles, dipoles_after;
  const ResidentScalars before = system->scalars(0);
  system->download(0, atoms, forces, dipoles);
  system->step(k_row);
  ASSERT_FALSE(system->sound());
  const ResidentScalars after = system->scalars(0);
  system->download(0, atoms, forces_after, dipoles_after);
  EXPECT_EQ(before.energy, after.energy);
  EXPECT_EQ(before.energy_long, after.energy_long);
  EXPECT_EQ(before.virial, after.virial);
  for (std::size_t i = 0; i < dipoles.size(); ++i) {
    EXPECT_EQ(norm(xyz(dipoles[i]) - xyz(dipoles_after[i])), 0) << "atom " << i;
    EXPECT_EQ(norm(xyz(forces.force[i]) - xyz(forces_after.force[i])), 0) << "atom " << i;
  }
}

TEST_F(ResidentStep, a_compressed_model_out_of_its_table_stops_the_run) {
  System water = small_water();
  water.position[1] = water.position[0] + 0.1 * (water.position[1] - water.position[0]);
  const Plan plan = plan_of(model_named("water_sea_compressed.pb"), TableKind::quintic);
  Running r = running(device_machine(), plan, water.box, moving(water), BathKind::none);
  EXPECT_THROW(r.simulation->start({}), AtomError);
}

}  // namespace
}  // namespace nanoday
