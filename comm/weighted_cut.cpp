// Cuts of keyed, weighted items that lie on several ranks: histograms of eight bits of the keys at a time.
// SPDX-License-Identifier: Apache-2.0
#include "weighted_cut.hpp"

#include <algorithm>
#include <limits>

namespace nanoday {
namespace {

constexpr int k_bits = 8, k_bins = 1 << k_bits;

/// What is known of a cut: it lies among the keys whose upper bits are those of `low`.
struct Search {
  std::uint64_t low = 0;   ///< until done(): smallest key it can be; then the cut
  std::int64_t below = 0;  ///< weight of the group's items with smaller keys
  bool found = false;
};

/// (goals, bins) weights, then numbers of items.
struct Histogram {
  explicit Histogram(std::size_t n_goals) : n_goals(n_goals), sums(2 * n_goals * k_bins) {}
  std::int64_t& weight(std::size_t goal, std::size_t bin) { return sums[goal * k_bins + bin]; }
  std::int64_t& count(std::size_t goal, std::size_t bin) { return sums[(n_goals + goal) * k_bins + bin]; }
  std::size_t n_goals;
  std::vector<std::int64_t> sums;
};

/// Goals of every group.
std::vector<std::vector<std::size_t>> by_group(const std::vector<CutGoal>& goals) {
  std::vector<std::vector<std::size_t>> lists;
  for (std::size_t c = 0; c < goals.size(); ++c) {
    const auto group = static_cast<std::size_t>(goals[c].group);
    lists.resize(std::max(lists.size(), group + 1));
    lists[group].push_back(c);
  }
  return lists;
}

/// Counts the items whose bits above `shift` + 8 are those of a search.
void count_items(const KeyedItems& items, const std::vector<std::vector<std::size_t>>& goals_of,
                 const std::vector<Search>& searches, int shift, Histogram& histogram) {
  const int known = shift + k_bits;
  const auto upper = [&](std::uint64_t key) { return known == 64 ? 0 : key >> known; };
  for (std::size_t i = 0; i < items.key.size(); ++i) {
    const auto group = static_cast<std::size_t>(items.group[i]);
    if (group >= goals_of.size()) continue;
    for (const std::size_t c : goals_of[group]) {
      if (searches[c].found || upper(items.key[i]) != upper(searches[c].low)) continue;
      const std::size_t bin = (items.key[i] >> shift) % k_bins;
      histogram.weight(c, bin) += items.weight[i];
      ++histogram.count(c, bin);
    }
  }
}

/// Descends into the first bin that reaches beyond the goal; done when that leaves at most one item.
void narrow(Search& search, std::int64_t goal, std::size_t c, int shift, Histogram& histogram) {
  std::size_t bin = 0;
  while (bin + 1 < k_bins && search.below + histogram.weight(c, bin) <= goal)
    search.below += histogram.weight(c, bin++);
  const std::int64_t weight = histogram.weight(c, bin);
  search.low += static_cast<std::uint64_t>(bin) << shift;
  if (histogram.count(c, bin) > 1 && shift > 0) return;
  search.found = true;
  const bool take_it = search.below + weight - goal < goal - search.below;
  const std::uint64_t end = std::numeric_limits<std::uint64_t>::max(), step = std::uint64_t{1} << shift;
  if (take_it) search.low = search.low > end - step ? end : search.low + step;
}

}  // namespace

std::vector<std::uint64_t> find_cuts(Transport& transport, const KeyedItems& items,
                                     const std::vector<CutGoal>& goals) {
  std::vector<Search> searches(goals.size());
  const auto goals_of = by_group(goals);
  const auto open = [](const Search& s) { return !s.found; };
  for (int shift = 64 - k_bits; shift >= 0 && std::any_of(searches.begin(), searches.end(), open);
       shift -= k_bits) {
    Histogram histogram(goals.size());
    count_items(items, goals_of, searches, shift, histogram);
    transport.all_reduce_sum(View<std::int64_t>(histogram.sums));
    for (std::size_t c = 0; c < goals.size(); ++c)
      if (!searches[c].found) narrow(searches[c], goals[c].weight, c, shift, histogram);
  }
  std::vector<std::uint64_t> cuts;
  for (const Search& search : searches) cuts.push_back(search.low);
  return cuts;
}

}  // namespace nanoday
