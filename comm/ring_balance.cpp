// Which atoms' work moves to a neighbor node, so that all nodes have the same number to evaluate.
// SPDX-License-Identifier: Apache-2.0
#include "ring_balance.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nanoday {
namespace {

using Counts = std::vector<std::int64_t>;

std::int64_t sum_of(View<const std::int64_t> values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{0});
}

/// A step through 0 … n − 1 that scatters: near n / golden ratio and without a common divisor.
std::int64_t scattering_stride(std::int64_t n) {
  std::int64_t stride = std::max<std::int64_t>(1, std::llround(0.6180339887498949 * static_cast<double>(n)));
  while (std::gcd(stride, n) != 1) ++stride;
  return stride;
}

/// Halfway between the two middle values when there are two: what crosses a row's faces is then shared by
/// both.
std::int64_t median(Counts values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  const std::int64_t below = *std::max_element(values.begin(), middle);
  return below + (*middle - below) / 2;
}

/// Atoms of every node by the number of faces their work has crossed.
class Holdings {
 public:
  explicit Holdings(const Counts& owned) {
    for (const std::int64_t n : owned) by_hops_.push_back({n});
  }
  std::int64_t count(std::size_t node) const { return sum_of(by_hops_[node]); }
  std::int64_t guests(std::size_t node) const { return count(node) - by_hops_[node][0]; }
  int hops(std::size_t node) const {
    int most = 0;
    for (std::size_t h = 0; h < by_hops_[node].size(); ++h)
      if (by_hops_[node][h] > 0) most = static_cast<int>(h);
    return most;
  }
  /// Takes n atoms, those with the fewest hops first.
  Counts take(std::size_t node, std::int64_t n) {
    Counts taken;
    for (std::int64_t& here : by_hops_[node]) {
      taken.push_back(std::min(here, n));
      here -= taken.back();
      n -= taken.back();
    }
    return taken;
  }
  /// Adds what another node gave: one hop more.
  void give(std::size_t node, const Counts& taken) {
    Counts& here = by_hops_[node];
    here.resize(std::max(here.size(), taken.size() + 1));
    for (std::size_t h = 0; h < taken.size(); ++h) here[h + 1] += taken[h];
  }

 private:
  std::vector<Counts> by_hops_;  ///< (nodes, hops)
};

/// Nobody sends more than it has: both faces give way in proportion. Returns whether all could be sent.
/// \param up (n) flows of a row, last entry the closing face; \param counts (n)
bool limit_flows(Counts& up, const Counts& counts) {
  const std::size_t n = counts.size();
  bool complete = true;
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t before = (i + n - 1) % n;
    const std::int64_t to_next = std::max<std::int64_t>(up[i], 0);
    const std::int64_t to_previous = std::max<std::int64_t>(-up[before], 0);
    const std::int64_t wanted = to_next + to_previous;
    if (wanted <= counts[i]) continue;
    complete = false;
    const std::int64_t first = std::llround(static_cast<double>(counts[i]) * static_cast<double>(to_next) /
                                            static_cast<double>(wanted));
    if (to_next > 0) up[i] = std::min(first, to_next);
    if (to_previous > 0) up[before] = -std::min(counts[i] - std::min(first, to_next), to_previous);
  }
  return complete;
}

/// Rows of nodes that are balanced at the same time.
struct Rows {
  int axis = 0;
  Row row = Row::closed;
  std::vector<std::vector<std::size_t>> nodes;  ///< (rows, length)
};

/// Adds the steps that balance some rows to the plan; `up` of nodes without a neighbor stays 0.
void balance_rows(const Rows& rows, int max_repeats, Holdings& held, BalancePlan& plan) {
  const std::size_t n_nodes = plan.counts.size();
  std::vector<Counts> goals;
  std::int64_t extra = 0;
  for (const auto& nodes : rows.nodes) {
    std::int64_t total = 0;
    for (const std::size_t node : nodes) total += plan.counts[node];
    goals.push_back(row_goals(total, static_cast<int>(nodes.size()), extra));
    extra += total % static_cast<std::int64_t>(nodes.size());
  }
  bool complete = false;
  for (int repeat = 0; !complete && repeat <= max_repeats; ++repeat) {
    BalanceStep step{rows.axis, Counts(n_nodes, 0)};
    complete = true;
    for (std::size_t r = 0; r < rows.nodes.size(); ++r) {
      const auto& nodes = rows.nodes[r];
      Counts counts;
      for (const std::size_t node : nodes) counts.push_back(plan.counts[node]);
      Counts up = row_flows(counts, goals[r], rows.row);
      complete = limit_flows(up, counts) && complete;
      for (std::size_t i = 0; i < nodes.size(); ++i) step.up[nodes[i]] = up[i];
    }
    if (std::all_of(step.up.begin(), step.up.end(), [](std::int64_t n) { return n == 0; })) break;
    // All send before anybody receives.
    std::vector<std::pair<std::size_t, Counts>> parcels;
    for (const auto& nodes : rows.nodes)
      for (std::size_t i = 0; i < nodes.size(); ++i) {
        const std::size_t here = nodes[i], next = nodes[(i + 1) % nodes.size()];
        const std::size_t before = nodes[(i + nodes.size() - 1) % nodes.size()];
        if (step.up[here] > 0) parcels.emplace_back(next, held.take(here, step.up[here]));
        if (step.up[before] < 0) parcels.emplace_back(before, held.take(here, -step.up[before]));
      }
    for (const auto& [to, atoms] : parcels) held.give(to, atoms);
    for (std::size_t i = 0; i < n_nodes; ++i) plan.counts[i] = held.count(i);
    plan.steps.push_back(std::move(step));
    plan.repeats += repeat > 0;
  }
}

Rows rows_along(int axis, const std::array<int, 3>& shape, bool closed) {
  Rows rows{axis, closed ? Row::closed : Row::open, {}};
  const int b = axis == 0 ? 1 : 0, c = axis == 2 ? 1 : 2;
  for (int ib = 0; ib < shape[b]; ++ib)
    for (int ic = 0; ic < shape[c]; ++ic) {
      auto& nodes = rows.nodes.emplace_back();
      std::array<int, 3> place{};
      place[b] = ib;
      place[c] = ic;
      for (place[axis] = 0; place[axis] < shape[axis]; ++place[axis])
        nodes.push_back((static_cast<std::size_t>(place[0]) * shape[1] + place[1]) * shape[2] + place[2]);
    }
  return rows;
}

void finish_plan(const Holdings& held, BalancePlan& plan) {
  for (std::size_t i = 0; i < plan.counts.size(); ++i) {
    plan.moved += held.guests(i);
    plan.hops = std::max(plan.hops, held.hops(i));
  }
}

}  // namespace

double BalancePlan::excess() const {
  const double mean = static_cast<double>(sum_of(counts)) / static_cast<double>(counts.size());
  return static_cast<double>(*std::max_element(counts.begin(), counts.end())) - mean;
}

std::vector<std::int64_t> row_goals(std::int64_t total, int n, std::int64_t first_extra) {
  Counts goals(static_cast<std::size_t>(n), total / n);
  const std::int64_t stride = scattering_stride(n);
  for (std::int64_t k = 0; k < total % n; ++k)
    ++goals[static_cast<std::size_t>((first_extra + k) % n * stride % n)];
  return goals;
}

std::vector<std::int64_t> row_flows(View<const std::int64_t> counts, View<const std::int64_t> goals,
                                    Row row) {
  Counts flow;
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) flow.push_back(sum += counts[i] - goals[i]);
  if (row == Row::open || flow.size() < 2) return flow;
  const std::int64_t shift = median(flow);
  for (std::int64_t& f : flow) f -= shift;
  return flow;
}

// Rows along a leave planes of nearly equal sums, because their extra atoms are dealt on from row to row; the
// same for columns after b. Rounding twice is rounding once (⌊⌊x⌋/n⌋ = ⌊x/n⌋, ⌈⌈x⌉/n⌉ = ⌈x/n⌉), so that the
// rows along c end at the mean of all nodes rounded down or up.
BalancePlan plan_balance(const std::array<int, 3>& shape, const std::array<bool, 3>& closed,
                         std::vector<std::int64_t> counts, int max_repeats) {
  Holdings held(counts);
  BalancePlan plan;
  plan.counts = std::move(counts);
  for (int axis = 0; axis < 3; ++axis)
    if (shape[axis] > 1) balance_rows(rows_along(axis, shape, closed[axis]), max_repeats, held, plan);
  finish_plan(held, plan);
  return plan;
}

BalancePlan plan_one_ring(const std::array<int, 3>& shape, const std::vector<std::int64_t>& counts,
                          int max_repeats) {
  Rows ring{2, Row::closed, {{}}};
  const auto turned = [](int i, int n, bool back) { return back ? n - 1 - i : i; };
  for (int ia = 0; ia < shape[0]; ++ia)
    for (int jb = 0; jb < shape[1]; ++jb)
      for (int jc = 0; jc < shape[2]; ++jc) {
        const int ib = turned(jb, shape[1], ia % 2 == 1);
        const int ic = turned(jc, shape[2], (ia * shape[1] + jb) % 2 == 1);
        ring.nodes[0].push_back((static_cast<std::size_t>(ia) * shape[1] + ib) * shape[2] + ic);
      }
  Holdings held(counts);
  BalancePlan plan;
  plan.counts = counts;
  balance_rows(ring, max_repeats, held, plan);
  finish_plan(held, plan);
  return plan;
}

}  // namespace nanoday
