// Several ranks with a device each: atoms live there, and follow the trajectory of one rank.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/tiles.hpp"
#include "machine.hpp"
#include "machines.hpp"
#include "md/rank_trail.hpp"
#include "reference/dplr.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

namespace nanoday {
namespace {

using namespace ranks;

std::unique_ptr<Backend> reproducible_machine() { return device_machine(true); }
std::unique_ptr<Backend> fast_machine() { return device_machine(false); }
std::unique_ptr<Backend> cpu() { return make_backend({.device = "cpu", .threads = 1, .reproducible = true}); }

reference::Plan net_of(TableKind table, Precision precision = Precision::fp64) {
  return reference::plan_of(reference::model_named("water_sea.pb"), table, precision);
}

Case water(BathKind bath) {
  return {"water", reference::small_water(), net_of(TableKind::quintic), bath, 0.3, 15};
}

Case long_range_water(BathKind bath, LongRangePlan (*solver)(const Model&)) {
  const auto model = reference::model_named("water_dplr.pb");
  const ElectricField field{{0, 0, 0.05}, 0.01};
  return {"dplr",
          reference::small_triclinic_water(),
          reference::dplr_plan(model, solver(*model), field, TableKind::quintic),
          bath,
          0.2,
          10};
}
LongRangePlan on_a_mesh(const Model& model) { return reference::pppm_plan(model, 12); }

/// \param limit of positions [Å]
void expect_near(const Trail& a, const Trail& b, double limit) {
  for (std::size_t i = 0; i < a.position.size(); ++i)
    EXPECT_LT(norm(a.position[i] - b.position[i]), limit) << "atom " << i;
  ASSERT_EQ(a.observed.size(), b.observed.size());
  for (std::size_t k = 0; k < a.observed.size(); ++k)
    EXPECT_NEAR(a.observed[k], b.observed[k], 100 * limit * (1 + std::abs(a.observed[k]))) << k;
}

void compare_bits(const Case& c, const std::vector<int>& numbers, int ranks_per_node = 0) {
  const Trail one = trail_of(c, reproducible_machine, 1);
  EXPECT_GT(one.rebuilds, 1) << "atoms must change ranks on the way";
  for (const int n : numbers) {
    SCOPED_TRACE(fmt::format("{}, bath {}, {} ranks", c.name, static_cast<int>(c.bath), n));
    expect_same(one, trail_of(c, reproducible_machine, n, ranks_per_node));
  }
}

class DeviceRanks : public testing::Test {
 protected:
  void SetUp() override { NANODAY_NEEDS_DEVICE(); }
};

TEST_F(DeviceRanks, follow_one_rank_bit_by_bit_with_every_bath) {
  for (const BathKind bath : {BathKind::none, BathKind::nose_hoover, BathKind::langevin, BathKind::rescaling})
    compare_bits(water(bath), {2, 3, 4});
}

TEST_F(DeviceRanks, follow_one_rank_bit_by_bit_with_a_long_range_part_on_a_mesh) {
  compare_bits(long_range_water(BathKind::none, on_a_mesh), {2, 3, 4});
  compare_bits(long_range_water(BathKind::nose_hoover, on_a_mesh), {3}, 2);
}

TEST_F(DeviceRanks, follow_one_rank_bit_by_bit_with_a_direct_sum) {
  compare_bits(long_range_water(BathKind::langevin, reference::fine_direct), {2, 4});
}

TEST_F(DeviceRanks, follow_one_rank_bit_by_bit_in_single_precision) {
  Case c = water(BathKind::rescaling);
  c.plan = net_of(TableKind::lowrank, Precision::mixed);
  compare_bits(c, {3});
}

TEST_F(DeviceRanks, follow_one_rank_bit_by_bit_in_open_space) {
  Case c = water(BathKind::none);
  c.system.box = Box::open();
  c.system.box.periodic = {false, false, false};
  compare_bits(c, {3});
}

TEST_F(DeviceRanks, may_have_no_atoms) {
  for (const bool long_range : {false, true}) {
    Case c = long_range ? long_range_water(BathKind::nose_hoover, on_a_mesh) : water(BathKind::nose_hoover);
    c.system = reference::small_water();
    c.system.box = Box::orthorhombic(20, 20, 20);  // a droplet in a corner
    c.balance = Balance::off;
    const Trail one = trail_of(c, reproducible_machine, 1), many = trail_of(c, reproducible_machine, 4);
    EXPECT_EQ(many.fewest, 0);
    expect_same(one, many);
  }
}

TEST_F(DeviceRanks, have_the_same_bits_whether_atoms_are_lent_or_not) {
  Case c = water(BathKind::none);
  c.system.box = Box::orthorhombic(20, 20, 20);
  c.balance = Balance::ring;
  const Trail lent = trail_of(c, reproducible_machine, 3);
  EXPECT_GT(lent.lent, 0);
  EXPECT_LE(lent.most - lent.fewest, 1);
  expect_same(trail_of(c, reproducible_machine, 1), lent);
}

TEST_F(DeviceRanks, wait_for_the_one_that_needs_room_for_the_exact_plan) {
  Case c = water(BathKind::nose_hoover);
  c.plan = net_of(TableKind::lowrank);
  c.system = reference::water_box(Box::orthorhombic(16, 16, 16), 5, 3);
  auto& x = c.system.position;
  std::vector<std::size_t> close;  // hydrogens of some molecules: other ranks have room enough
  for (std::size_t i = 0; i < x.size() / 2; i += 3) close.insert(close.end(), {i + 1, i + 2});
  for (const std::size_t h : close) x[h] = x[h / 3 * 3] + 0.72 * (x[h] - x[h / 3 * 3]);
  c.steps = 5;
  const Trail many = trail_of(c, reproducible_machine, 3);
  std::array<int, 3> rows{};
  for (const std::size_t h : close) ++rows[static_cast<std::size_t>(many.first_owner[h])];
  EXPECT_EQ(std::count_if(rows.begin(), rows.end(), [](int n) { return n > NANODAY_GPU::k_tile_rows; }), 1)
      << "each rank begins with a tile per type";
  expect_same(trail_of(c, reproducible_machine, 1), many);
}

// Neighbors stand in the order of places in memory then: sums differ in their last bits.
TEST_F(DeviceRanks, agree_to_rounding_where_runs_need_not_be_reproducible) {
  for (const Case& c : {water(BathKind::nose_hoover), long_range_water(BathKind::none, on_a_mesh)}) {
    const Trail one = trail_of(c, fast_machine, 1);
    for (const int n : {2, 4}) expect_near(one, trail_of(c, fast_machine, n), 1e-12);
  }
}

TEST_F(DeviceRanks, follow_the_cpu) {
  for (const Case& c : {water(BathKind::langevin), long_range_water(BathKind::none, on_a_mesh)})
    expect_near(trail_of(c, cpu, 1), trail_of(c, fast_machine, 3), 1e-9);
}

}  // namespace
}  // namespace nanoday
