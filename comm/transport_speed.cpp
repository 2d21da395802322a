// How fast ranks talk, as a few numbers for cost models.
// SPDX-License-Identifier: Apache-2.0
#include "transport_speed.hpp"

#include "core/timer.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace nanoday {
namespace {

/// A charge mesh of 32³ points.
constexpr std::size_t k_long = 32768;
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

double message(Transport& transport) {
  const int n = transport.size(), next = (transport.rank() + 1) % n, last = (transport.rank() + n - 1) % n;
  const std::array<std::byte, 64> out{};
  std::array<std::byte, 64> in{};
  return fastest(transport, k_short_repeats, [&] {
    const auto receive = transport.post_receive(last, k_tag, {in.data(), in.size()});
    const auto send = transport.post_send(next, k_tag, {out.data(), out.size()});
    transport.wait(receive);
    transport.wait(send);
  });
}

}  // namespace

TransportSpeed measure_speed(Transport& transport) {
  if (transport.size() == 1) return {};
  std::array<double, 3> seconds{all_reduce(transport, 1, k_short_repeats),
                                all_reduce(transport, k_long, k_long_repeats), message(transport)};
  transport.all_reduce_max({seconds.data(), seconds.size()});
  const double bytes = 8.0 * static_cast<double>(k_long - 1);
  return {seconds[0], std::max(0.0, seconds[1] - seconds[0]) / bytes, seconds[2]};
}

}  // namespace nanoday
