// Cuts of weighted items over ranks: against sorting all of them on one.
// SPDX-License-Identifier: Apache-2.0
#include "weighted_cut.hpp"

#include "rank_worlds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

namespace nanoday {
namespace {

constexpr int k_groups = 3;
constexpr std::uint64_t k_largest = ~std::uint64_t{0} - 1;

/// Keys of three kinds: scattered over all bits, consecutive, and the extremes.
KeyedItems all_items(bool heavy) {
  std::mt19937_64 random(3);
  KeyedItems items;
  for (int i = 0; i < 300; ++i) {
    const std::uint64_t scattered = random() % k_largest;
    items.key.push_back(i % k_groups == 0 ? scattered : std::uint64_t(5000 + i));
    if (i % k_groups == 2) items.key.back() = k_largest - std::uint64_t(i);
    items.group.push_back(i % k_groups);
    items.weight.push_back(heavy ? std::int64_t(random() % 50) : 1);
  }
  return items;
}

KeyedItems part_of(const KeyedItems& all, const Transport& ranks) {
  KeyedItems mine;
  for (std::size_t i = 0; i < all.key.size(); ++i) {
    if (int((i / 7) % std::size_t(ranks.size())) != ranks.rank()) continue;
    mine.key.push_back(all.key[i]);
    mine.group.push_back(all.group[i]);
    mine.weight.push_back(all.weight[i]);
  }
  return mine;
}

std::int64_t below(const KeyedItems& items, std::int32_t group, std::uint64_t cut) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < items.key.size(); ++i)
    if (items.group[i] == group && items.key[i] < cut) sum += items.weight[i];
  return sum;
}

/// Distance from the goal that the best of all cuts leaves.
std::int64_t least_error(const KeyedItems& items, const CutGoal& goal) {
  std::int64_t least = std::abs(below(items, goal.group, ~std::uint64_t{0}) - goal.weight);
  for (std::size_t i = 0; i < items.key.size(); ++i)
    if (items.group[i] == goal.group)
      least = std::min(least, std::abs(below(items, goal.group, items.key[i]) - goal.weight));
  return least;
}

class WeightedCut : public testing::TestWithParam<RankWorld> {};
INSTANTIATE_TEST_SUITE_P(worlds, WeightedCut, testing::ValuesIn(rank_worlds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(WeightedCut, leaves_what_is_wanted_below_as_nearly_as_whole_items_allow) {
  for (const bool heavy : {false, true}) {
    const KeyedItems all = all_items(heavy);
    std::vector<CutGoal> goals;
    for (std::int32_t group = 0; group < k_groups; ++group)
      for (const int percent : {0, 1, 37, 50, 99, 100})
        goals.push_back({group, below(all, group, ~std::uint64_t{0}) * percent / 100});
    GetParam().run([&](Transport& ranks) {
      const auto cuts = find_cuts(ranks, part_of(all, ranks), goals);
      ASSERT_EQ(cuts.size(), goals.size());
      for (std::size_t c = 0; c < goals.size(); ++c)
        EXPECT_EQ(std::abs(below(all, goals[c].group, cuts[c]) - goals[c].weight), least_error(all, goals[c]))
            << "group " << goals[c].group << ", wanted " << goals[c].weight;
    });
  }
}

TEST_P(WeightedCut, takes_exactly_as_many_items_of_weight_one_as_are_wanted) {
  const KeyedItems all = all_items(false);
  std::vector<CutGoal> goals;
  for (std::int32_t group = 0; group < k_groups; ++group)
    for (std::int64_t n = 0; n <= 100; n += 9) goals.push_back({group, n});
  GetParam().run([&](Transport& ranks) {
    const auto cuts = find_cuts(ranks, part_of(all, ranks), goals);
    for (std::size_t c = 0; c < goals.size(); ++c)
      EXPECT_EQ(below(all, goals[c].group, cuts[c]), goals[c].weight);
  });
}

TEST_P(WeightedCut, of_nothing_is_anywhere) {
  GetParam().run([&](Transport& ranks) {
    EXPECT_EQ(find_cuts(ranks, {}, {{0, 0}, {1, 5}}).size(), 2u);
    EXPECT_TRUE(find_cuts(ranks, all_items(false), {}).empty());
  });
}

}  // namespace
}  // namespace nanoday
