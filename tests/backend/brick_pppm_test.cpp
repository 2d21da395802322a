// The mesh solver on a mesh cut into bricks against one rank, and against itself on other bricks.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "reference/charges.hpp"
#include "reference/gathered_mesh.hpp"
#include "reference/instruction_sets.hpp"
#include "reference/long_range_cases.hpp"
#include "reference/ranks.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nanoday {
namespace {

using namespace reference;

/// Brick against one rank, relative to the largest value. Measured: 9e-14.
constexpr double k_brick = 1e-12;

/// Cuts into 1, 2, 3, 4, 5, 7 and 8 bricks, uneven ones, one of them empty, some thinner than the stencil.
std::vector<Cuts> cuts_of(std::array<int, 3> n) {
  const auto whole = [&](int d) { return std::vector<int>{0, n[d]}; };
  const auto halves = [&](int d) { return std::vector<int>{0, n[d] / 2, n[d]}; };
  return {{n, {whole(0), whole(1), whole(2)}},
          {n, {whole(0), halves(1), whole(2)}},
          {n, {std::vector<int>{0, 1, 4, n[0]}, whole(1), whole(2)}},
          {n, {whole(0), halves(1), std::vector<int>{0, 3, n[2]}}},
          {n, {whole(0), whole(1), std::vector<int>{0, 1, 3, 4, 6, n[2]}}},
          {n, {whole(0), std::vector<int>{0, 1, 2, 2, 4, 5, 6, n[1]}, whole(2)}},
          {n, {halves(0), halves(1), halves(2)}}};
}

std::vector<int> dealt_to(const Cuts& cuts, const Box& box, View<const Vec4> charge) {
  std::vector<int> rank;
  for (const Vec4& c : charge) {
    const Vec3 f = box.fractional(xyz(c));
    rank.push_back(cuts.owner({f.x - std::floor(f.x), f.y - std::floor(f.y), f.z - std::floor(f.z)}));
  }
  return rank;
}

/// Moves every charge by up to `most` mesh points along each direction.
Array<Vec4> drifted(const LongRangePlan& plan, const Array<Vec4>& charge, double most) {
  std::mt19937_64 random(99);
  std::uniform_real_distribution<double> uniform(-most, most);
  Array<Vec4> moved;
  for (const Vec4& c : charge) {
    const Vec3 f = plan.box.fractional(xyz(c));
    const Vec3 x =
        plan.box.cartesian({f.x + uniform(random) / plan.mesh[0], f.y + uniform(random) / plan.mesh[1],
                            f.z + uniform(random) / plan.mesh[2]});
    moved.push_back({x.x, x.y, x.z, c.w});
  }
  return moved;
}

LongRangeResult in_bricks(const LongRangePlan& plan, const Cuts& cuts, int margin, View<const Vec4> charge,
                          const std::vector<int>& dealt, int team = 1,
                          const cpu::InstructionSet& set = cpu::instruction_set("auto")) {
  const MakeMesh mesh = [&](Transport& transport) {
    return std::make_unique<GatheredMesh>(transport, cuts, std::array{margin, margin, margin});
  };
  return on_ranks(plan, charge, dealt, cuts.ranks(), mesh, team, set);
}

class BrickPppm : public testing::TestWithParam<MeshCase> {};
INSTANTIATE_TEST_SUITE_P(boxes, BrickPppm, testing::ValuesIn(coarse_meshes()),
                         [](const auto& info) { return info.param.name; });

TEST_P(BrickPppm, equals_one_rank_for_every_order_and_has_the_same_bits_for_every_cut) {
  const MeshCase& c = GetParam();
  const auto placed = random_charges(c.box, 60, 3);
  for (int order = 3; order <= 7; ++order) {
    SCOPED_TRACE(order);
    const auto plan = mesh_plan(c.box, c.beta, c.mesh, order, c.differentiation);
    const auto charge = drifted(plan, placed, 1.5);
    LongRangeResult one, first;
    solve_on(*cpu::make_pppm(plan, 1, true), {charge, k_all_long_range}, 1, one);
    for (const Cuts& cuts : cuts_of(c.mesh)) {
      SCOPED_TRACE(cuts.ranks());
      const int margin = order / 2 + 3;
      const auto result = in_bricks(plan, cuts, margin, charge, dealt_to(cuts, plan.box, placed));
      expect_equal(result, one, k_brick);
      if (cuts.ranks() == 1) first = result;
      expect_same_bits(result, first);
    }
  }
}

TEST_P(BrickPppm, teams_of_any_size_give_the_same_bits) {
  const MeshCase& c = GetParam();
  const auto charge = random_charges(c.box, 60, 3);
  const auto plan = mesh_plan(c.box, c.beta, c.mesh, 5, c.differentiation);
  const Cuts cuts = cuts_of(c.mesh)[3];
  const auto dealt = dealt_to(cuts, plan.box, charge);
  const auto one = in_bricks(plan, cuts, 5, charge, dealt);
  for (const cpu::InstructionSet& set : every_instruction_set()) {
    SCOPED_TRACE(set.name);
    const auto of_set = in_bricks(plan, cuts, 5, charge, dealt, 1, set);
    expect_equal(of_set, one, k_brick);
    for (const int team : {2, 5})
      expect_same_bits(in_bricks(plan, cuts, 5, charge, dealt, team, set), of_set);
  }
}

/// Charges of rank 0 and rank 1 of two bricks along a.
struct TwoBricks {
  LongRangePlan plan = mesh_plan(shifted_box(), 0.4, {10, 9, 8}, 5);
  Cuts cuts{{10, 9, 8}, {std::vector<int>{0, 5, 10}, std::vector<int>{0, 9}, std::vector<int>{0, 8}}};
  MakeMesh mesh = [this](Transport& transport) {
    return std::make_unique<GatheredMesh>(transport, cuts, std::array{3, 3, 3});
  };
  Vec4 at(double a, double q = 1) const {
    const Vec3 x = plan.box.cartesian({a / 10, 0.3, 0.6});
    return {x.x, x.y, x.z, q};
  }
};

TEST(BrickPppm, computes_only_what_is_needed_and_forces_do_not_depend_on_it) {
  const TwoBricks t;
  run_ranks(2, [&](Transport& transport) {
    const auto mesh = t.mesh(transport);
    const auto solver = cpu::make_pppm(t.plan, 1, false, cpu::instruction_set("auto"), mesh.get());
    const Array<Vec4> charge{t.at(1 + 5 * transport.rank()), t.at(3.3 + 5 * transport.rank(), -1)};
    LongRangeResult some, all;
    solve_on(*solver, {charge, {}}, 1, some);
    EXPECT_EQ(some.energy, 0);
    EXPECT_TRUE(some.atom_energy.empty());
    solve_on(*solver, {charge, k_all_long_range}, 1, all);
    EXPECT_EQ(flat_forces(some), flat_forces(all));
    solve_on(*solver, {charge, {.energy = true, .virial = true}}, 1, some);
    EXPECT_EQ(some.energy, all.energy);
    EXPECT_EQ(some.virial, all.virial);
    EXPECT_GT(some.energy, 0);
  });
}

TEST(BrickPppm, a_charge_beyond_the_margin_is_refused_on_all_ranks_and_the_next_solve_works) {
  const TwoBricks t;
  // Order 5 takes two points on either side of the nearest: with a margin of 3, charges up to −1.49 and 5.49
  // have places on the first rank. Whole periods do not matter.
  const std::vector<Array<Vec4>> good{{t.at(-1.49), t.at(5.49), t.at(-11.4), t.at(15.4)}, {t.at(7)}};
  for (const double far : {-1.51, 5.51, 7.0}) {
    const auto said = said_by_ranks(t.plan, {{t.at(2), t.at(far)}, {t.at(7)}}, good, t.mesh, 2);
    EXPECT_NE(said[0].find("charge 1 lies outside"), std::string::npos) << said[0];
    EXPECT_NE(said[1].find("see the message there"), std::string::npos) << said[1];
  }
}

TEST(BrickPppm, charges_that_are_not_finite_or_too_large_are_refused_on_all_ranks) {
  const TwoBricks t;
  const std::vector<Array<Vec4>> good{{t.at(2)}, {}};
  const auto said = [&](Vec4 bad) { return said_by_ranks(t.plan, {{}, {t.at(7), bad}}, good, t.mesh, 2); };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [bad, text] :
       {std::pair{Vec4{nan, 0, 0, 1}, "has no place"}, {t.at(7, 100), "overflows"}}) {
    const auto texts = said(bad);
    EXPECT_NE(texts[1].find(text), std::string::npos) << texts[1];
    EXPECT_NE(texts[0].find("see the message there"), std::string::npos) << texts[0];
  }
}

TEST(BrickPppm, charges_that_only_together_overflow_a_point_are_refused_on_all_ranks) {
  // 3,500 charges of 60 e at one place on each rank: 2.1e5 e on a plane are less than 2^18, but twice as much
  // may meet on a point.
  const TwoBricks t;
  Array<Vec4> left(3500, t.at(5, 60)), right(3500, t.at(5, 60));
  const auto said = said_by_ranks(t.plan, {left, right}, {{t.at(2)}, {t.at(7)}}, t.mesh, 1);
  for (const auto& text : said) EXPECT_NE(text.find("overflows"), std::string::npos) << text;
}

TEST(BrickPppm, refuses_bricks_outside_the_mesh) {
  TwoBricks t;
  t.cuts.at[0] = {0, 5, 11};
  run_ranks(2, [&](Transport& transport) {
    const auto mesh = t.mesh(transport);
    if (transport.rank() == 0) return;
    EXPECT_THROW(cpu::make_pppm(t.plan, 1, false, cpu::instruction_set("auto"), mesh.get()), InputError);
  });
}

}  // namespace
}  // namespace nanoday
