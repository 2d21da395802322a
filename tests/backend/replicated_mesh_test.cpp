// Long-range solvers over ranks whose nodes hold the whole mesh: the bits of one rank.
// SPDX-License-Identifier: Apache-2.0
#include "replicated_mesh.hpp"
#include "core/error.hpp"
#include "machines.hpp"
#include "reference/charges.hpp"
#include "reference/instruction_sets.hpp"
#include "reference/long_range_cases.hpp"
#include "reference/ranks.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nanoday {
namespace {

using namespace reference;

const std::vector<int> k_rank_counts{1, 2, 3, 4, 7, 8};

LongRangeResult on_one(const LongRangePlan& plan, View<const Vec4> charge, int team = 1,
                       const cpu::InstructionSet& set = cpu::instruction_set("auto")) {
  LongRangeResult result;
  solve_on(*solver_of(plan, team, nullptr, set), {charge, k_all_long_range}, team, result);
  return result;
}

void expect_bits_of_one_rank(const LongRangePlan& plan, View<const Vec4> charge, unsigned seed) {
  const LongRangeResult one = on_one(plan, charge);
  for (const int n : k_rank_counts) {
    SCOPED_TRACE(n);
    const auto dealt = dealt_at_random(charge.size(), n, seed + unsigned(n));
    expect_same_bits(on_ranks(plan, charge, dealt, n, make_replicated_mesh), one);
  }
}

class ReplicatedPppm : public testing::TestWithParam<MeshCase> {};
INSTANTIATE_TEST_SUITE_P(boxes, ReplicatedPppm, testing::ValuesIn(coarse_meshes()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ReplicatedPppm, has_the_bits_of_one_rank_for_every_order_however_charges_are_dealt) {
  const MeshCase& c = GetParam();
  const auto charge = random_charges(c.box, 75, 3);
  for (int order = 3; order <= 7; ++order) {
    SCOPED_TRACE(order);
    expect_bits_of_one_rank(mesh_plan(c.box, c.beta, c.mesh, order, c.differentiation), charge, 10);
  }
}

TEST_P(ReplicatedPppm, has_the_bits_of_one_rank_for_every_size_of_the_teams) {
  const MeshCase& c = GetParam();
  const auto charge = random_charges(c.box, 75, 3);
  const auto plan = mesh_plan(c.box, c.beta, c.mesh, 5, c.differentiation);
  for (const cpu::InstructionSet& set : every_instruction_set()) {
    SCOPED_TRACE(set.name);
    const LongRangeResult one = on_one(plan, charge, 1, set);
    for (const int team : {2, 3, 11})
      expect_same_bits(on_ranks(plan, charge, dealt_at_random(75, 3, 5), 3, make_replicated_mesh, team, set),
                       one);
  }
}

TEST_P(ReplicatedPppm, has_the_bits_of_one_rank_for_every_number_of_ranks_on_a_node) {
  const MeshCase& c = GetParam();
  const auto charge = random_charges(c.box, 75, 3);
  const auto plan = mesh_plan(c.box, c.beta, c.mesh, 5, c.differentiation);
  const LongRangeResult one = on_one(plan, charge);
  for (const int per_node : {1, 2, 3, 4})
    for (int n = 1; n <= 8; ++n) {
      SCOPED_TRACE(std::to_string(n) + " ranks, " + std::to_string(per_node) + " per node");
      const auto dealt = dealt_at_random(75, n, 5);
      const cpu::InstructionSet& set = cpu::instruction_set("auto");
      expect_same_bits(on_ranks(plan, charge, dealt, n, make_replicated_mesh, n % 2 + 1, set, per_node), one);
    }
  LongRangeResult floating;
  solve_on(*cpu::make_pppm(plan, 1, false), {charge, k_all_long_range}, 1, floating);
  expect_equal(one, floating, 5e-12);  // measured: up to 6e-13
}

class ReplicatedSum : public testing::TestWithParam<SumCase> {};
INSTANTIATE_TEST_SUITE_P(boxes, ReplicatedSum, testing::ValuesIn(direct_sums()),
                         [](const auto& info) { return info.param.name; });

TEST_P(ReplicatedSum, has_the_bits_of_one_rank_however_charges_are_dealt) {
  const SumCase& c = GetParam();
  const auto plan = direct_plan(c.box, c.beta, c.spacing);
  const auto charge = random_charges(c.box, c.n_charges, 6);
  expect_bits_of_one_rank(plan, charge, 20);
  const auto dealt = dealt_at_random(charge.size(), 3, 7);
  for (const cpu::InstructionSet& set : every_instruction_set()) {
    SCOPED_TRACE(set.name);
    expect_same_bits(on_ranks(plan, charge, dealt, 3, make_replicated_mesh, 2, set),
                     on_one(plan, charge, 1, set));
  }
}

TEST(ReplicatedSum, takes_the_fixed_point_unit_from_the_charges_of_all_ranks) {
  // 400 charges of 40 e: one rank of eight alone would choose a finer unit than all of them together.
  const auto plan = direct_plan(Box::orthorhombic(7, 8, 9), 0.4, 1);
  auto charge = random_charges(plan.box, 400, 8);
  for (Vec4& c : charge) c.w *= 20;
  charge[17].w = 1000;
  expect_bits_of_one_rank(plan, charge, 30);
}

TEST(ReplicatedMesh, ranks_without_any_charges_take_part) {
  const auto mesh = mesh_plan(shifted_box(), 0.4, {10, 9, 8}, 5);
  const auto direct = direct_plan(shifted_box(), 0.4, 1);
  for (const auto& plan : {mesh, direct}) {
    const auto charge = random_charges(plan.box, 20, 9);
    expect_same_bits(on_ranks(plan, charge, std::vector<int>(20, 2), 4, make_replicated_mesh),
                     on_one(plan, charge));
    const LongRangeResult nothing = on_ranks(plan, {}, {}, 3, make_replicated_mesh);
    EXPECT_EQ(nothing.energy, 0);
  }
}

TEST(ReplicatedMesh, an_error_on_one_rank_is_an_error_on_all_and_the_next_solve_works) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto mesh = mesh_plan(shifted_box(), 0.4, {10, 9, 8}, 5);
  const auto direct = direct_plan(shifted_box(), 0.4, 1);
  const Array<Vec4> ok = random_charges(mesh.box, 20, 9);
  Array<Vec4> lost = ok;
  lost[3].y = nan;
  for (const int team : {1, 3})
    for (const auto& plan : {mesh, direct})
      for (const int per_node : {0, 1, 2}) {
        const auto said =
            said_by_ranks(plan, {ok, lost, ok, {}}, {ok, ok, ok, {}}, make_replicated_mesh, team, per_node);
        EXPECT_NE(said[1].find("charge"), std::string::npos) << said[1];
        EXPECT_EQ(said[1].find("see the message there"), std::string::npos) << said[1];
        for (const int other : {0, 2, 3})
          EXPECT_NE(said[other].find("see the message there"), std::string::npos) << said[other];
      }
  Array<Vec4> large = ok;
  large[3].w = 1000;
  const auto said = said_by_ranks(mesh, {large, ok}, {ok, ok}, make_replicated_mesh, 2);
  EXPECT_NE(said[0].find("overflows"), std::string::npos) << said[0];
  EXPECT_NE(said[1].find("see the message there"), std::string::npos) << said[1];
}

TEST(ReplicatedMesh, charges_that_only_together_overflow_a_plane_are_refused_on_all_ranks) {
  // 5000 charges of 60 e at one place: 3e5 e of 2^18 e on a plane, which no rank has alone.
  const auto plan = mesh_plan(shifted_box(), 0.4, {10, 9, 8}, 5);
  Array<Vec4> half(2500, Vec4{1, 2, 43, 60});
  const auto said = said_by_ranks(plan, {half, half}, {{half[0]}, {}}, make_replicated_mesh, 2);
  for (const auto& text : said) EXPECT_NE(text.find("overflows"), std::string::npos) << text;
}

TEST(ReplicatedMesh, the_cpu_machine_takes_ranks_and_the_reference_machine_refuses_them) {
  const auto plan = mesh_plan(shifted_box(), 0.4, {10, 9, 8}, 5);
  const auto charge = random_charges(plan.box, 30, 2);
  const LongRangeResult one = on_one(plan, charge);
  run_ranks(2, [&](Transport& transport) {
    const auto ranks = make_replicated_mesh(transport);
    const auto cpu = make_backend({.device = "cpu", .threads = 2, .reproducible = false});
    const auto solver = cpu->make_long_range(plan, ranks.get());
    const std::size_t begin = transport.rank() == 0 ? 0 : 20, end = transport.rank() == 0 ? 20 : 30;
    const Array<Vec4> own(charge.begin() + begin, charge.begin() + end);
    solver->start({own, k_all_long_range});
    const LongRangeResult& result = solver->finish();
    EXPECT_EQ(result.energy, one.energy);
    for (std::size_t k = 0; k < own.size(); ++k)
      EXPECT_EQ(norm(xyz(result.force[k]) - xyz(one.force[begin + k])), 0);
    EXPECT_THROW(make_backend({.device = "oracle"})->make_long_range(plan, ranks.get()), InputError);
  });
}

}  // namespace
}  // namespace nanoday
