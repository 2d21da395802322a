// What a step on the device costs: kernels, copies, graphs made and changed, memory; and who waits for whom.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/device_counts.hpp"
#include "cuda/machine.hpp"
#include "running.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace reference;

class ResidentSteps : public testing::Test {
 protected:
  void SetUp() override { NANODAY_NEEDS_DEVICE(); }

  /// Nodes of an ordinary step of water: an inner step, whose energy nobody reads.
  static std::int64_t nodes(bool long_range, BathKind kind) {
    const auto model = model_named(long_range ? "water_dplr.pb" : "water_sea.pb");
    const System water = small_water();
    const Plan plan = long_range
                          ? dplr_plan(model, pppm_plan(*model, 18), {}, TableKind::lowrank, Precision::mixed)
                          : plan_of(model, TableKind::lowrank, Precision::mixed);
    Running r = running(device_machine(), plan, water.box, moving(water), kind, {2.0, 0});
    r.simulation->start({});
    for (int k = 0; k < 2; ++k) r.simulation->step({});
    const DeviceTraffic before = device_traffic();
    r.simulation->step({});
    const DeviceTraffic after = device_traffic();
    EXPECT_EQ(after.graph_launches - before.graph_launches, 2);
    EXPECT_EQ(after.kernels - before.kernels, 0);
    return after.graph_nodes - before.graph_nodes;
  }
};

// Nets of three layers, tables with an exact plan behind them: of the 16, 11 are nets', one each moves atoms,
// begins the evaluation, ends it and copies the signals; a GPU counts the same but for waits between streams.
TEST_F(ResidentSteps, are_few_kernels) {
  EXPECT_LE(nodes(false, BathKind::none), 16);
  EXPECT_LE(nodes(false, BathKind::nose_hoover), 19);
  EXPECT_LE(nodes(false, BathKind::langevin), 19);
  EXPECT_LE(nodes(false, BathKind::rescaling), 18);
}

TEST_F(ResidentSteps, are_few_kernels_with_a_long_range_part) {
  EXPECT_LE(nodes(true, BathKind::none), 40);
  EXPECT_LE(nodes(true, BathKind::nose_hoover), 43);
}

TEST_F(ResidentSteps, change_their_graphs_after_a_rebuild_instead_of_making_new_ones) {
  const System water = small_water();
  const Plan plan = plan_of(model_named("water_sea.pb"), TableKind::lowrank);
  Running r = running(device_machine(), plan, water.box, moving(water), BathKind::none, {2.0, 3});
  r.simulation->start({});
  r.simulation->step({});
  const DeviceTraffic before = device_traffic();
  const ResidentSystem& system = *r.simulation->resident();
  const std::int64_t rebuilds = system.rebuilds();
  for (int k = 0; k < 9; ++k) r.simulation->step({});
  const DeviceTraffic after = device_traffic();
  EXPECT_EQ(system.rebuilds() - rebuilds, 3);
  EXPECT_EQ(after.graph_makings - before.graph_makings, 0);
  EXPECT_EQ(after.graph_updates - before.graph_updates, 6) << "both halves, after each rebuild";
}

TEST_F(ResidentSteps, give_the_same_bits_whether_the_host_is_waited_for_or_not) {
  const System water = small_triclinic_water();
  for (const bool long_range : {false, true}) {
    const auto model = model_named(long_range ? "water_dplr.pb" : "water_sea.pb");
    const Plan plan = long_range
                          ? dplr_plan(model, pppm_plan(*model, 18), {{0, 0, 0.05}, 0.01}, TableKind::quintic)
                          : plan_of(model, TableKind::quintic);
    for (const BathKind kind : {BathKind::nose_hoover, BathKind::langevin}) {
      Running ahead = running(device_machine(), plan, water.box, moving(water), kind, {0.3, 0});
      Running waiting = running(device_machine(), plan, water.box, moving(water), kind, {0.3, 0});
      for (Running* r : {&ahead, &waiting}) {
        r->simulation->start(k_row);
        if (r == &waiting) r->simulation->resident()->time_stages(true);  // waits for every step
        advance(*r, 12);
      }
      EXPECT_GT(ahead.evaluator->rebuilds(), 1) << "half a step must be queued in vain on the way";
      EXPECT_EQ(ahead.evaluator->rebuilds(), waiting.evaluator->rebuilds());
      expect_same_trajectory(ahead, waiting, std::numeric_limits<double>::denorm_min());
    }
  }
}

TEST_F(ResidentSteps, rebuild_lists_when_the_cpu_does) {
  const System water = small_water();
  const Plan plan = plan_of(model_named("water_sea.pb"), TableKind::quintic);
  Running a = running(device_machine(), plan, water.box, moving(water), BathKind::none, {0.3, 0});
  Running b = running(make_backend({.device = "cpu", .threads = 1}), plan, water.box, moving(water),
                      BathKind::none, {0.3, 0});
  for (Running* r : {&a, &b}) r->simulation->start(k_row);
  for (int k = 0; k < 30; ++k) {
    for (Running* r : {&a, &b}) advance(*r, 1);
    EXPECT_EQ(a.evaluator->rebuilds(), b.evaluator->rebuilds()) << "step " << k;
  }
  EXPECT_GT(b.evaluator->rebuilds(), 3);
}

TEST_F(ResidentSteps, count_what_lies_outside_tables_once_however_often_they_are_repeated) {
  System water = water_box(Box::orthorhombic(16, 16, 16), 5, 3);
  for (std::size_t i = 0; i < water.position.size(); i += 3)  // bonds stretched, so that they swing inwards
    for (std::size_t h = i + 1; h < i + 3; ++h)
      water.position[h] = water.position[i] + 0.72 * (water.position[h] - water.position[i]);
  const auto model = model_named("water_sea.pb");
  const Plan plan = plan_of(model, TableKind::lowrank);
  Running a = running(device_machine(), plan, water.box, moving(water), BathKind::none);
  Running b = running(make_backend({.device = "cpu"}), plan, water.box, moving(water), BathKind::none);
  for (Running* r : {&a, &b}) {
    r->simulation->start(k_row);
    advance(*r, 6);
  }
  EXPECT_GT(a.evaluator->counts().outside_table, 300) << "rows of the exact plan must not have sufficed";
  EXPECT_EQ(a.evaluator->counts().outside_table, b.evaluator->counts().outside_table);
  EXPECT_EQ(a.evaluator->counts().sel_overflow, b.evaluator->counts().sel_overflow);
}

}  // namespace
}  // namespace nanoday
