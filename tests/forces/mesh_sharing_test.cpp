// Long-range forces over ranks by every way of sharing the mesh, from domains to forces.
// SPDX-License-Identifier: Apache-2.0
#include "forces/mesh_sharing.hpp"

#include "reference/long_range_cases.hpp"
#include "reference/ranks.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <random>
#include <utility>

namespace nanoday {
namespace {

using namespace reference;

/// How far charges lie beyond their domains [Å].
constexpr double k_reach = 1.6;

struct Shared {
  LongRangePlan plan;
  Array<Vec4> wrapped, charge;  ///< where atoms are owned, and where charges are

  explicit Shared(const Box& box, FftMethod fft, Differentiation differentiation = Differentiation::ik) {
    plan = mesh_plan(box, 0.4, {12, 10, 9}, 5, differentiation);
    plan.fft = fft;
    wrapped = random_charges(box, 90, 4);
    std::mt19937_64 random(5);
    std::uniform_real_distribution<double> uniform(-1, 1);
    for (Vec4& c : wrapped) {
      Vec3 f = box.fractional(xyz(c));
      f = {f.x - std::floor(f.x), f.y - std::floor(f.y), f.z - std::floor(f.z)};
      const Vec3 x = box.cartesian(f);
      c = {x.x, x.y, x.z, c.w};
      const Vec3 d{uniform(random), uniform(random), uniform(random)};
      const Vec3 y = x + (0.99 * k_reach / std::max(1.0, norm(d))) * d;
      charge.push_back({y.x, y.y, y.z, c.w});
    }
  }

  LongRangeResult on(int n_ranks, bool reproducible, int team = 1) const {
    std::vector<int> rank_of(charge.size());
    run_ranks(n_ranks, [&](Transport& transport) {
      const DomainGrid domains = grid(transport);
      if (transport.rank() != 0) return;
      for (std::size_t i = 0; i < wrapped.size(); ++i) rank_of[i] = domains.owner(xyz(wrapped[i]));
    });
    const MakeMesh mesh = [&](Transport& transport) {
      return make_mesh_ranks(plan, transport, grid(transport), k_reach, reproducible);
    };
    return on_ranks(plan, charge, rank_of, n_ranks, mesh, team);
  }

  DomainGrid grid(Transport& transport) const {
    return {domain_frame(plan.box, wrapped, transport), transport.node_of()};
  }

  LongRangeResult alone() const {
    LongRangeResult result;
    solve_on(*cpu::make_pppm(plan, 1, true), {charge, k_all_long_range}, 1, result);
    return result;
  }
};

const std::vector<int> k_rank_counts{1, 2, 3, 4, 5, 7, 8};

TEST(MeshSharing, pencils_give_the_same_bits_on_any_number_of_ranks_and_equal_one_rank) {
  for (const auto& [box, differentiation] : {std::pair{shifted_box(), Differentiation::ik},
                                             {shifted_box(), Differentiation::ad},
                                             {turned_box(), Differentiation::ik}}) {
    const Shared shared(box, FftMethod::pencil, differentiation);
    const LongRangeResult alone = shared.alone(), one = shared.on(1, true);
    expect_equal(one, alone, 1e-12);  // measured: 1e-14
    for (const int n : k_rank_counts) {
      SCOPED_TRACE(n);
      expect_same_bits(shared.on(n, true, n % 3 + 1), one);
    }
  }
}

TEST(MeshSharing, reductions_rounded_by_points_give_the_same_bits_on_any_number_of_ranks) {
  for (const Box& box : {shifted_box(), turned_box()}) {
    const Shared shared(box, FftMethod::reduction);
    const LongRangeResult alone = shared.alone(), one = shared.on(1, true);
    expect_equal(one, alone, 2e-6);  // S = 1e7; measured: 1.2e-7
    for (const int n : k_rank_counts) {
      SCOPED_TRACE(n);
      expect_same_bits(shared.on(n, true), one);
    }
  }
}

TEST(MeshSharing, reductions_rounded_by_ranks_equal_one_rank_within_their_rounding) {
  const Shared shared(shifted_box(), FftMethod::reduction);
  const LongRangeResult alone = shared.alone();
  for (const int n : k_rank_counts) {
    SCOPED_TRACE(n);
    expect_equal(shared.on(n, false), alone, 2e-6);  // S = 1e7; measured: 1.8e-7
  }
  Shared coarse(shifted_box(), FftMethod::reduction);
  coarse.plan.fft_scale = 1e3;
  EXPECT_GT(relative_error(flat_forces(coarse.on(4, false)), flat_forces(alone)), 1e-5);
}

TEST(MeshSharing, a_plan_for_one_rank_is_replicated_over_several) {
  for (const FftMethod fft : {FftMethod::local, FftMethod::replicated}) {
    const Shared shared(shifted_box(), fft);
    const LongRangeResult alone = shared.alone();
    for (const int n : {1, 3, 4}) expect_same_bits(shared.on(n, true), alone);
  }
  Shared direct(shifted_box(), FftMethod::local);
  direct.plan.method = LongRangeMethod::direct;
  direct.plan.spacing = 1;
  expect_same_bits(direct.on(3, true), direct.on(1, true));
}

TEST(SharesOfNets, let_the_ranks_of_a_node_end_together) {
  for (const auto& [layout, cost] :
       {std::pair{NodeLayout{1, 4, 1}, 0.1}, {NodeLayout{3, 4, 2}, 0.05}, {NodeLayout{2, 8, 6}, 0.006}}) {
    const auto shares = shares_of_nets(cost, layout);
    ASSERT_EQ(shares.size(), std::size_t(layout.ranks));
    EXPECT_NEAR(std::accumulate(shares.begin(), shares.end(), 0.0), 1, 1e-14);
    for (std::size_t k = 1; k < shares.size(); ++k)
      EXPECT_NEAR(shares[k] / layout.nodes, shares[0] / layout.nodes + cost, 1e-14);
  }
}

TEST(SharesOfNets, leave_nothing_to_a_leader_that_is_last_anyway) {
  EXPECT_EQ(shares_of_nets(2, {1, 3, 1}), (std::vector{0.0, 0.5, 0.5}));
  EXPECT_EQ(shares_of_nets(2, {4, 1, 1}), std::vector{1.0});
}

TEST(SharesOfNets, are_equal_where_the_cost_is_not_known) {
  for (const double share : shares_of_nets(0, {2, 5, 3})) EXPECT_NEAR(share, 0.2, 1e-15);
}

TEST(LedByOne, takes_the_cores_asked_for_at_the_cost_that_so_many_have) {
  LongRangePlan plan;
  plan.threads = 2;
  plan.relative_cost = 0.3;
  const NodeLayout layout{1, 2, 8};
  const LongRangePlan led = led_by_one(plan, 6, layout);
  EXPECT_EQ(led.threads, 6);
  EXPECT_NEAR(led.relative_cost, 0.1, 1e-15);
  EXPECT_THROW(led_by_one(plan, 8, layout), InputError);
  plan.threads = 0;
  EXPECT_EQ(led_by_one(plan, 1, {1, 4, 1}).threads, 0);
  EXPECT_THROW(led_by_one(plan, 2, {1, 4, 1}), InputError);
}

TEST(LedByOne, takes_the_fewest_threads_with_which_nobody_waits_for_it) {
  LongRangePlan plan;
  plan.threads = 1;
  for (const double cost : {0.001, 0.04, 0.1, 0.3})
    for (const NodeLayout layout : {NodeLayout{1, 2, 12}, {1, 4, 4}, {6, 2, 24}}) {
      plan.relative_cost = cost;
      const LongRangePlan led = led_by_one(plan, {}, layout);
      EXPECT_NEAR(led.threads * led.relative_cost, cost, 1e-15);
      EXPECT_EQ(led_by_one(led, {}, layout).threads, led.threads) << "a plan from a checkpoint stays";
      const double end = (1.0 / layout.nodes + cost) / (layout.ranks * layout.threads);
      if (led.threads < layout.threads - 1) {
        EXPECT_LE(led.relative_cost, end * (1 + 1e-12));
      }
      if (led.threads > 1) {
        EXPECT_GT(cost / (led.threads - 1), end);
      }
    }
  plan.relative_cost = 0.001;
  EXPECT_EQ(led_by_one(plan, {}, {1, 4, 12}).threads, 1);
}

}  // namespace
}  // namespace nanoday
