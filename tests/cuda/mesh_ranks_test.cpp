// The device's solvers over ranks that share the charges: the bits of one rank.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "machine.hpp"
#include "reference/gathered_mesh.hpp"
#include "reference/long_range_cases.hpp"
#include "reference/ranks.hpp"
#include "replicated_mesh.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace nanoday {
namespace {

using namespace reference;

LongRangeResult solve(LongRangeSolver& solver, View<const Vec4> charge) {
  solver.start({charge, k_all_long_range});
  return solver.finish();
}

class DeviceMeshRanks : public testing::TestWithParam<MeshCase> {};
INSTANTIATE_TEST_SUITE_P(boxes, DeviceMeshRanks, testing::ValuesIn(coarse_meshes()),
                         [](const auto& info) { return info.param.name; });

/// 60 charges dealt to several ranks give what one rank gives.
void expect_the_bits_of_one_rank(const LongRangePlan& plan) {
  const auto charge = random_charges(plan.box, 60, 3);
  const LongRangeResult one = solve(*device_machine()->make_long_range(plan), charge);
  for (const int n : {1, 2, 3}) {
    SCOPED_TRACE(n);
    const auto rank_of = dealt_at_random(charge.size(), n, 5);
    run_ranks(n, [&](Transport& transport) {
      const auto ranks = make_replicated_mesh(transport);
      const auto machine = device_machine();
      const auto solver = machine->make_long_range(plan, ranks.get());
      Array<Vec4> own;
      Array<Vec4> expected;
      for (std::size_t i = 0; i < charge.size(); ++i)
        if (rank_of[i] == transport.rank()) {
          own.push_back(charge[i]);
          expected.push_back(one.force[i]);
        }
      const LongRangeResult result = solve(*solver, own);
      EXPECT_EQ(result.energy, one.energy);
      EXPECT_EQ(result.virial, one.virial);
      for (std::size_t k = 0; k < own.size(); ++k)
        EXPECT_EQ(norm(xyz(result.force[k]) - xyz(expected[k])), 0) << k;
    });
  }
}

TEST_P(DeviceMeshRanks, have_the_bits_of_one_rank_however_charges_are_dealt) {
  NANODAY_NEEDS_DEVICE();
  const MeshCase& c = GetParam();
  expect_the_bits_of_one_rank(mesh_plan(c.box, c.beta, c.mesh, 5, c.differentiation));
}

TEST(DeviceSumRanks, have_the_bits_of_one_rank_however_charges_are_dealt) {
  NANODAY_NEEDS_DEVICE();
  expect_the_bits_of_one_rank(direct_plan(shifted_box(), 0.4, 1));
}

void expect_errors_of_all(const LongRangePlan& plan) {
  const auto good = random_charges(plan.box, 20, 3);
  auto bad = good;
  bad[4].x = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::string> said(3);
  run_ranks(3, [&](Transport& transport) {
    const auto ranks = make_replicated_mesh(transport);
    const auto machine = device_machine();
    const auto solver = machine->make_long_range(plan, ranks.get());
    try {
      solve(*solver, transport.rank() == 1 ? bad : good);
    } catch (const RunError& error) {
      said[transport.rank()] = error.what();
    }
    EXPECT_NO_THROW(solve(*solver, good));
  });
  EXPECT_NE(said[1].find("charge 4 has no place"), std::string::npos) << said[1];
  for (const int other : {0, 2})
    EXPECT_NE(said[other].find("see the message there"), std::string::npos) << said[other];
}

TEST(DeviceMeshRanks, an_error_on_one_rank_is_an_error_on_all_and_the_next_solve_works) {
  NANODAY_NEEDS_DEVICE();
  expect_errors_of_all(mesh_plan(shifted_box(), 0.4, {10, 9, 8}, 5));
  expect_errors_of_all(direct_plan(shifted_box(), 0.4, 1));
}

TEST(DeviceMeshRanks, refuse_bricks) {
  NANODAY_NEEDS_DEVICE();
  const auto plan = mesh_plan(shifted_box(), 0.4, {10, 9, 8}, 5);
  run_ranks(1, [&](Transport& transport) {
    const Cuts cuts{plan.mesh, {std::vector<int>{0, 10}, std::vector<int>{0, 9}, std::vector<int>{0, 8}}};
    GatheredMesh bricks(transport, cuts, {4, 4, 4});
    const auto machine = device_machine();
    EXPECT_THROW(machine->make_long_range(plan, &bricks), InputError);
  });
}

}  // namespace
}  // namespace nanoday
