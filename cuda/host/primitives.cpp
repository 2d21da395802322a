// Sorting and running sums on the CPU, as the standard library does them.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/primitives.hpp"

#include "cuda/host/host_launch.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

namespace nanoday::cuda_host {

void exclusive_sum(Stream& stream, Scratch&, const std::int64_t* in, std::int64_t* out, std::int64_t n) {
  submit_call(stream, [=] {
    std::int64_t sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t value = in[i];  // read first: in and out may be the same
      out[i] = sum;
      sum += value;
    }
    out[n] = sum;
  });
}

void sort_pairs(Stream& stream, Scratch&, const std::uint64_t* key_in, std::uint64_t* key_out,
                const std::int32_t* value_in, std::int32_t* value_out, std::int64_t n, int bits) {
  const std::uint64_t mask = bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
  submit_call(stream, [=] {
    std::vector<std::int64_t> order(n);
    std::iota(order.begin(), order.end(), std::int64_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::int64_t a, std::int64_t b) { return (key_in[a] & mask) < (key_in[b] & mask); });
    for (std::int64_t k = 0; k < n; ++k) {
      key_out[k] = key_in[order[k]];
      value_out[k] = value_in[order[k]];
    }
  });
}

}  // namespace nanoday::cuda_host
