// How fast ranks talk, as a few numbers for cost models.
// SPDX-License-Identifier: Apache-2.0
#include "transport_speed.hpp"

#include "core/timer.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <vector>

namespace nanoday {
namespace {

/// A charge mesh of 32³ points.
constexpr std::size_t k_long = 32768;
/// Bytes of a message that takes no time to fill, and of one that does.
constexpr std::size_t k_short = 64, k_full = 65536;
/// Messages at once.
constexpr std::size_t k_many = 16;
constexpr int k_short_repeats = 50, k_long_repeats = 10;

constexpr int k_tag = 7305;

template <class Action>
double fastest(Transport& transport, int repeats, Action&& action) {
  double best = std::numeric_limits<double>::infinity();
  for (int k = 0; k < repeats; ++k) {
    transport.barrier();
    const double begin = seconds_now();
    action();
    best = std::min(best, seconds_now() - begin);
  }
  return best;
}

double all_reduce(Transport& transport, std::size_t numbers, int repeats) {
  std::vector<std::int64_t> values(numbers);
  return fastest(transport, repeats, [&] { transport.all_reduce_sum(View<std::int64_t>(values)); });
}

/// Seconds for `count` messages of `bytes` at once from every rank to the one `distance` behind it.
double messages(Transport& transport, int distance, std::size_t count, std::size_t bytes, int repeats) {
  const int n = transport.size(), next = (transport.rank() + distance) % n,
            last = (transport.rank() + n - distance) % n;
  const std::vector<std::byte> out(bytes);
  std::vector<std::byte> in(count * bytes);
  std::vector<Transport::Request> pending;
  return fastest(transport, repeats, [&] {
    for (std::size_t k = 0; k < count; ++k)
      pending.push_back(transport.post_receive(last, k_tag, {in.data() + k * bytes, bytes}));
    for (std::size_t k = 0; k < count; ++k)
      pending.push_back(transport.post_send(next, k_tag, {out.data(), out.size()}));
    for (const auto request : pending) transport.wait(request);
    pending.clear();
  });
}

/// How many ranks behind every rank there is one of another node; where nodes are so unlike that no number
/// will do, behind the first one. Zero for one node.
int to_another_node(const std::vector<int>& node_of) {
  const std::size_t n = node_of.size();
  const auto others = [&](std::size_t distance) {
    for (std::size_t r = 0; r < n; ++r)
      if (node_of[r] == node_of[(r + distance) % n]) return false;
    return true;
  };
  for (std::size_t distance = 1; distance < n; ++distance)
    if (others(distance)) return static_cast<int>(distance);
  const auto other =
      std::find_if(node_of.begin(), node_of.end(), [&](int node) { return node != node_of[0]; });
  return other == node_of.end() ? 0 : static_cast<int>(other - node_of.begin());
}

}  // namespace

TransportSpeed measure_speed(Transport& transport) {
  if (transport.size() == 1) return {};
  std::array<double, 3> seconds{all_reduce(transport, 1, k_short_repeats),
                                all_reduce(transport, k_long, k_long_repeats),
                                messages(transport, 1, 1, k_short, k_short_repeats)};
  transport.all_reduce_max({seconds.data(), seconds.size()});
  const double bytes = 8.0 * static_cast<double>(k_long - 1);
  return {seconds[0], std::max(0.0, seconds[1] - seconds[0]) / bytes, seconds[2]};
}

MessageSpeed measure_messages(Transport& transport) {
  const int distance = to_another_node(transport.node_of());
  if (distance == 0) return {};
  std::array<double, 3> seconds{messages(transport, distance, 1, k_short, k_short_repeats),
                                messages(transport, distance, k_many, k_short, k_short_repeats),
                                messages(transport, distance, 1, k_full, k_long_repeats)};
  transport.all_reduce_max({seconds.data(), seconds.size()});
  return {seconds[0], std::max(0.0, seconds[1] - seconds[0]) / (k_many - 1),
          std::max(0.0, seconds[2] - seconds[0]) / (k_full - k_short)};
}

}  // namespace nanoday
