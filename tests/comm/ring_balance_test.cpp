// Balance of work between nodes: sums hold, flows are the least there are, goals are met.
// SPDX-License-Identifier: Apache-2.0
#include "ring_balance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

namespace nanoday {
namespace {

using Counts = std::vector<std::int64_t>;

std::int64_t sum_of(const Counts& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0});
}

Counts random_counts(std::size_t n, double mean, std::mt19937_64& random) {
  std::poisson_distribution<std::int64_t> draw(mean);
  Counts counts(n);
  for (std::int64_t& c : counts) c = draw(random);
  return counts;
}

/// What nodes of a row hold after the flows, one node at a time.
Counts after(Counts counts, const Counts& flow) {
  for (std::size_t i = 0; i < flow.size(); ++i) {
    counts[i] -= flow[i];
    counts[(i + 1) % flow.size()] += flow[i];
  }
  return counts;
}

std::int64_t crossings(const Counts& flow) {
  std::int64_t sum = 0;
  for (const std::int64_t f : flow) sum += std::abs(f);
  return sum;
}

TEST(RowGoals, sum_to_the_total_and_differ_by_one_at_most) {
  for (int n = 1; n <= 25; ++n)
    for (std::int64_t total : {0, 1, n - 1, n, 3 * n + 2, 1000003}) {
      const Counts goals = row_goals(total, n, total % 7);
      EXPECT_EQ(sum_of(goals), total);
      EXPECT_LE(*std::max_element(goals.begin(), goals.end()) - *std::min_element(goals.begin(), goals.end()),
                1);
    }
}

TEST(RowGoals, rows_that_go_on_give_every_node_the_same_number_of_extra_atoms) {
  Counts columns(12, 0);
  std::int64_t extra = 0;
  for (const std::int64_t total : {17, 5, 11, 23, 100, 7, 6, 3}) {
    const Counts goals = row_goals(total, 12, extra);
    extra += total % 12;
    for (std::size_t i = 0; i < 12; ++i) columns[i] += goals[i];
    EXPECT_EQ(*std::max_element(columns.begin(), columns.end()), (sum_of(columns) + 11) / 12);
  }
}

TEST(RowFlows, reach_the_goals_with_the_fewest_crossings) {
  std::mt19937_64 random(1);
  for (int n = 2; n <= 9; ++n)
    for (int k = 0; k < 20; ++k) {
      const Counts counts = random_counts(static_cast<std::size_t>(n), 47, random);
      const Counts goals = row_goals(sum_of(counts), n);
      const Counts flow = row_flows(counts, goals, Row::closed);
      EXPECT_EQ(after(counts, flow), goals);
      // Every other solution differs by one number for all faces.
      std::int64_t least = crossings(flow);
      for (std::int64_t shift = -60; shift <= 60; ++shift) {
        Counts other = flow;
        for (std::int64_t& f : other) f += shift;
        least = std::min(least, crossings(other));
      }
      EXPECT_EQ(crossings(flow), least);
    }
}

TEST(RowFlows, do_not_cross_the_end_of_an_open_row) {
  std::mt19937_64 random(2);
  for (int n = 1; n <= 9; ++n) {
    const Counts counts = random_counts(static_cast<std::size_t>(n), 10, random);
    const Counts goals = row_goals(sum_of(counts), n);
    const Counts flow = row_flows(counts, goals, Row::open);
    EXPECT_EQ(flow.back(), 0);
    EXPECT_EQ(after(counts, flow), goals);
  }
}

/// Carries the steps out with named atoms and returns, per node, the atoms it holds and their hops.
std::vector<std::vector<std::pair<std::int64_t, int>>> carried_out(const std::array<int, 3>& shape,
                                                                   const Counts& counts,
                                                                   const BalancePlan& plan) {
  using Held = std::vector<std::pair<std::int64_t, int>>;  // id, hops
  std::vector<Held> held(counts.size());
  std::int64_t id = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    for (std::int64_t k = 0; k < counts[i]; ++k) held[i].emplace_back(id++, 0);
  const std::array<std::size_t, 3> strides{static_cast<std::size_t>(shape[1]) * shape[2],
                                           static_cast<std::size_t>(shape[2]), 1};
  for (const BalanceStep& step : plan.steps) {
    const std::size_t stride = strides[step.axis], length = static_cast<std::size_t>(shape[step.axis]);
    std::vector<Held> arriving(counts.size());
    const auto send = [&](std::size_t from, std::size_t to, std::int64_t n) {
      std::stable_sort(held[from].begin(), held[from].end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
      ASSERT_LE(n, std::ssize(held[from])) << "a node sends more than it has";
      for (std::int64_t k = 0; k < n; ++k)
        arriving[to].emplace_back(held[from][k].first, held[from][k].second + 1);
      held[from].erase(held[from].begin(), held[from].begin() + n);
    };
    for (std::size_t i = 0; i < counts.size(); ++i) {
      const std::size_t place = i / stride % length;
      const std::size_t next = i - place * stride + (place + 1) % length * stride;
      if (step.up[i] > 0) send(i, next, step.up[i]);
      if (step.up[i] < 0) send(next, i, -step.up[i]);
    }
    for (std::size_t i = 0; i < counts.size(); ++i)
      held[i].insert(held[i].end(), arriving[i].begin(), arriving[i].end());
  }
  return held;
}

void expect_balanced(const std::array<int, 3>& shape, const std::array<bool, 3>& closed,
                     const Counts& counts) {
  const BalancePlan plan = plan_balance(shape, closed, counts);
  const std::int64_t n = std::ssize(counts), total = sum_of(counts);
  EXPECT_EQ(sum_of(plan.counts), total);
  for (const std::int64_t c : plan.counts) {
    EXPECT_GE(c, total / n);
    EXPECT_LE(c, (total + n - 1) / n);
  }
  EXPECT_LT(plan.excess(), 1);
  const auto held = carried_out(shape, counts, plan);
  std::set<std::int64_t> ids;
  int hops = 0;
  for (std::size_t i = 0; i < held.size(); ++i) {
    EXPECT_EQ(std::ssize(held[i]), plan.counts[i]);
    for (const auto& [id, crossed] : held[i]) {
      ids.insert(id);
      hops = std::max(hops, crossed);
    }
  }
  EXPECT_EQ(std::ssize(ids), total);
  EXPECT_LE(hops, plan.hops);
}

TEST(PlanBalance, every_node_ends_at_the_mean_rounded_down_or_up) {
  std::mt19937_64 random(3);
  const std::array<int, 3> shapes[] = {{1, 1, 1}, {2, 1, 1}, {1, 2, 2}, {3, 2, 1}, {1, 1, 7},
                                       {2, 2, 2}, {3, 5, 2}, {4, 4, 4}, {5, 7, 3}, {8, 12, 8}};
  for (const auto& shape : shapes)
    for (const double mean : {0.3, 5.0, 47.0}) {
      const std::size_t n = static_cast<std::size_t>(shape[0]) * shape[1] * shape[2];
      const Counts counts = random_counts(n, mean, random);
      expect_balanced(shape, {true, true, true}, counts);
      expect_balanced(shape, {false, true, false}, counts);
    }
}

TEST(PlanBalance, a_row_is_repeated_where_work_must_pass_through_an_empty_node) {
  const BalancePlan plan = plan_balance({1, 1, 6}, {true, true, true}, {600, 0, 0, 0, 0, 0});
  EXPECT_EQ(plan.counts, Counts(6, 100));
  EXPECT_GT(plan.repeats, 0);
  EXPECT_EQ(plan.hops, 3);
  EXPECT_EQ(plan.moved, 500);
  const BalancePlan cut = plan_balance({1, 1, 6}, {true, true, true}, {600, 0, 0, 0, 0, 0}, 0);
  EXPECT_EQ(cut.hops, 1);
  EXPECT_GT(cut.excess(), 1);
}

TEST(PlanBalance, nothing_moves_where_counts_are_even) {
  const BalancePlan plan = plan_balance({4, 3, 2}, {true, true, true}, Counts(24, 47));
  EXPECT_TRUE(plan.steps.empty());
  EXPECT_EQ(plan.moved, 0);
  EXPECT_EQ(plan.hops, 0);
}

TEST(PlanBalance, liquids_of_many_nodes_need_one_hop) {
  std::mt19937_64 random(4);
  // Molecules of three atoms whose number scatters as in water: half a Poisson variance of molecules.
  std::binomial_distribution<std::int64_t> molecules(31, 0.5);
  Counts counts(8 * 12 * 8);
  for (std::int64_t& c : counts) c = 3 * molecules(random);
  const BalancePlan plan = plan_balance({8, 12, 8}, {true, true, true}, counts);
  EXPECT_LT(plan.excess(), 1);
  EXPECT_EQ(plan.hops, 1);
  EXPECT_EQ(plan.repeats, 0);
}

TEST(PlanOneRing, needs_several_hops_where_rows_need_one) {
  std::mt19937_64 random(5);
  const Counts counts = random_counts(8 * 12 * 8, 47, random);
  const BalancePlan ring = plan_one_ring({8, 12, 8}, counts);
  EXPECT_EQ(sum_of(ring.counts), sum_of(counts));
  EXPECT_LT(ring.excess(), 1);
  EXPECT_GT(ring.hops, 1);
}

}  // namespace
}  // namespace nanoday
