// Which atoms' work moves to a neighbor node, so that all nodes have the same number to evaluate.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace nanoday {

// "Node" is whatever the plan's grid is made of: ranks, or nodes with several. What moving means is the
// user's (comm/lending).

/// A row of nodes whose last one touches the first (a direction that repeats), or not.
enum class Row { open, closed };

/// What each node of a row should hold: `total` dealt evenly, the first few of a scattered order of nodes get
/// one more. \param first_extra  where in that order to begin: rows that go on where the one before stopped
/// give every node the same share of extra atoms. Returns (n) summing to total. \pre n ≥ 1, total ≥ 0
std::vector<std::int64_t> row_goals(std::int64_t total, int n, std::int64_t first_extra = 0);

/// The fewest atoms across faces that turn counts into goals: flow[i] > 0 go from node i to i + 1, < 0 the
/// other way; the last entry is the face between the last node and the first (0 in open rows). With s the
/// prefix sums of counts − goals, flow = s − median(s). \pre the sums of counts and goals are equal
std::vector<std::int64_t> row_flows(View<const std::int64_t> counts, View<const std::int64_t> goals, Row row);

/// One exchange of work along one direction: all nodes send from what they hold, then receive.
struct BalanceStep {
  int axis = 0;
  std::vector<std::int64_t> up;  ///< (nodes) atoms across the upper face of each; < 0: they come from there
};

struct BalancePlan {
  std::vector<BalanceStep> steps;    ///< none where nothing has to move
  std::vector<std::int64_t> counts;  ///< (nodes) atoms each evaluates after all steps
  std::int64_t moved = 0;            ///< atoms evaluated by another node than their owner
  int repeats = 0;  ///< steps beyond the first along their axis: somebody had too few to send
  int hops = 0;     ///< most faces an atom's work may have crossed
  /// Largest count minus the mean.
  double excess() const;
};

/// Balances rows along a, then b, then c. Where a node should send more than it holds it sends what it has,
/// and the row is done again. Unless `max_repeats` ends that, every node's count is then the mean rounded
/// down or up. Own atoms go before guests, so that with hops = 1 every guest comes from the owner next door.
/// Pure: all ranks compute the same plan from the same counts.
/// \param shape nodes along a, b, c; \param counts (nodes) owned atoms, index (ia·nb + ib)·nc + ic
/// \param closed directions whose last node touches the first
BalancePlan plan_balance(const std::array<int, 3>& shape, const std::array<bool, 3>& closed,
                         std::vector<std::int64_t> counts, int max_repeats = 64);

/// All nodes as one closed row, in an order in which each touches the next: the scheme of the 51 ns/day
/// paper, for comparison. \param counts as in plan_balance()
BalancePlan plan_one_ring(const std::array<int, 3>& shape, const std::vector<std::int64_t>& counts,
                          int max_repeats = 64);

}  // namespace nanoday
