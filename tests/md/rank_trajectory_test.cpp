// One trajectory, whatever the number of ranks: the same bits with fixed-point sums, to rounding without.
// SPDX-License-Identifier: Apache-2.0
#include "machines.hpp"
#include "md/rank_trail.hpp"
#include "reference/dplr.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace ranks;

Trail trail_of(const Case& c, int n_ranks, int ranks_per_node = 0, bool reproducible = true) {
  const auto cpu = [&] {
    return make_backend({.device = "cpu", .threads = 1, .reproducible = reproducible});
  };
  return ranks::trail_of(c, cpu, n_ranks, ranks_per_node);
}

void compare(const Case& c) {
  const Trail one = trail_of(c, 1);
  EXPECT_GT(one.rebuilds, 1) << "the case should rebuild its lists";
  for (const int n : {2, 3, 4, 5, 7, 8}) {
    SCOPED_TRACE(c.name + " on " + std::to_string(n) + " ranks");
    expect_same(one, trail_of(c, n));
  }
  SCOPED_TRACE(c.name + " on nodes of 2 and 3 ranks");
  expect_same(one, trail_of(c, 8, 2));
  expect_same(one, trail_of(c, 6, 3));
}

reference::Plan water(TableKind table, Precision precision = Precision::fp64) {
  return reference::plan_of(reference::model_named("water_sea.pb"), table, precision);
}
reference::System liquid() { return reference::water_box(Box::orthorhombic(9.5, 9.2, 9.8), 3, 7); }

TEST(RankTrajectory, has_the_same_bits_in_a_small_box) {
  compare({"orthorhombic", liquid(), water(TableKind::quintic), BathKind::nose_hoover, 0.1});
}

TEST(RankTrajectory, has_the_same_bits_in_a_tilted_box) {
  const Box box = Box::triclinic({Vec3{9.6, 0, 0}, Vec3{1.2, 9.3, 0}, Vec3{-0.75, 1.65, 9.45}});
  compare(
      {"triclinic", reference::water_box(box, 3, 8), water(TableKind::quintic), BathKind::rescaling, 0.1});
}

TEST(RankTrajectory, has_the_same_bits_in_open_space) {
  reference::System drop = liquid();
  drop.box = Box::open();
  compare({"open", drop, water(TableKind::quintic), BathKind::none, 0.1});
}

TEST(RankTrajectory, has_the_same_bits_in_single_precision_with_a_bath_of_noise) {
  compare({"mixed", liquid(), water(TableKind::lowrank, Precision::mixed), BathKind::langevin, 0.1});
}

TEST(RankTrajectory, has_the_same_bits_with_a_long_range_part_on_a_mesh) {
  const auto model = reference::model_named("water_dplr.pb");
  const ElectricField field{{0.01, 0, 0.02}, 0.05};
  compare({"dplr", reference::small_water(),
           reference::dplr_plan(model, reference::pppm_plan(*model, 16), field, TableKind::quintic),
           BathKind::none, 0.1, 20});
}

TEST(RankTrajectory, has_the_same_bits_with_a_direct_sum) {
  const auto model = reference::model_named("water_dplr.pb");
  compare({"direct", reference::small_triclinic_water(),
           reference::dplr_plan(model, reference::fine_direct(*model), {}, TableKind::quintic),
           BathKind::nose_hoover, 0.1, 15});
}

TEST(RankTrajectory, has_the_same_bits_after_a_thousand_steps_with_atoms_changing_ranks) {
  Case c{"long", reference::small_water(), water(TableKind::quintic), BathKind::langevin, 0.3, 1000};
  const Trail one = trail_of(c, 1), many = trail_of(c, 4, 2);
  expect_same(one, many);
  EXPECT_GT(one.rebuilds, 20);
  EXPECT_NE(many.first_owner, many.last_owner) << "no atom changed ranks";
}

/// All molecules in one corner of a wide box: most ranks own no atom.
TEST(RankTrajectory, has_the_same_bits_whether_atoms_are_lent_or_not) {
  reference::System corner = liquid();
  corner.box = Box::orthorhombic(30, 26, 22);
  Case c{"corner", corner, water(TableKind::quintic), BathKind::none, 0.1};
  const Trail one = trail_of(c, 1);
  const auto natoms = static_cast<std::int64_t>(corner.position.size());
  for (const auto& [n, per_node] : {std::pair{4, 0}, {7, 0}, {8, 2}, {6, 3}, {8, 1}}) {
    SCOPED_TRACE(fmt::format("{} ranks, {} per node", n, per_node));
    if (per_node > 0) c.halo = HaloRoute::staged;  // through nodes that hold atoms of others' places
    c.balance = Balance::off;
    const Trail kept = trail_of(c, n, per_node);
    expect_same(one, kept);
    EXPECT_EQ(kept.lent, 0);
    EXPECT_EQ(kept.fewest, 0);
    c.balance = Balance::ring;
    const Trail lent = trail_of(c, n, per_node);
    expect_same(one, lent);
    EXPECT_GT(lent.lent, 0);
    EXPECT_GT(lent.fewest, 0);
    EXPECT_LT(lent.most, 2 * natoms / n);
    EXPECT_LT(lent.lending.after, lent.lending.before / 3);
  }
}

TEST(RankTrajectory, has_the_same_bits_whichever_way_ghosts_travel) {
  const auto model = reference::model_named("water_dplr.pb");
  Case nets{"nets", liquid(), water(TableKind::quintic), BathKind::nose_hoover, 0.1};
  Case mesh{"dplr",
            reference::small_water(),
            reference::dplr_plan(model, reference::pppm_plan(*model, 16), {}, TableKind::quintic),
            BathKind::none,
            0.1,
            20};
  for (Case* const c : {&nets, &mesh}) {
    const Trail one = trail_of(*c, 1);
    for (const HaloRoute route : {HaloRoute::direct, HaloRoute::by_node, HaloRoute::staged})
      for (const auto& [n, per_node] : {std::pair{4, 2}, {8, 1}, {8, 2}, {7, 2}, {6, 3}}) {
        SCOPED_TRACE(fmt::format("{}, route {}, {} ranks, {} per node", c->name, int(route), n, per_node));
        c->halo = route;
        expect_same(one, trail_of(*c, n, per_node));
      }
  }
}

TEST(RankTrajectory, agrees_to_rounding_without_fixed_point_sums) {
  Case c{"plain", liquid(), water(TableKind::quintic), BathKind::nose_hoover, 0.1, 10};
  const Trail one = trail_of(c, 1, 0, false);
  for (const int n : {2, 7, 8}) {
    if (n == 8) c.halo = HaloRoute::staged;
    const Trail many = trail_of(c, n, n == 8 ? 1 : 0, false);
    for (std::size_t k = 0; k < one.observed.size(); ++k)
      EXPECT_NEAR(one.observed[k], many.observed[k], 1e-12 * std::abs(one.observed[k]) + 1e-9);
    for (std::size_t i = 0; i < one.position.size(); ++i)
      EXPECT_LT(norm(one.position[i] - many.position[i]), 1e-12) << "atom " << i << ", " << n << " ranks";
  }
}

}  // namespace
}  // namespace nanoday
