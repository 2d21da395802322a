// Sorting and running sums of device arrays: CUB on a GPU, the standard library on the CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/runtime.hpp"

#include <cstdint>

namespace nanoday::NANODAY_GPU {

/// Scratch memory the library asks for; one per stream, grows as needed.
struct Scratch {
  DeviceArray<std::byte> bytes;
};

/// out[i] = Σ_{k<i} in[k] for i = 0 … n (n + 1 results; in[n] is not read). `in` and `out` may be the same
/// array of n + 1 elements.
void exclusive_sum(Stream& stream, Scratch& scratch, const std::int64_t* in, std::int64_t* out,
                   std::int64_t n);

/// Sorts n keys ascending and carries values along; stable. Only the low `bits` bits of keys count.
/// in and out are different arrays.
void sort_pairs(Stream& stream, Scratch& scratch, const std::uint64_t* key_in, std::uint64_t* key_out,
                const std::int32_t* value_in, std::int32_t* value_out, std::int64_t n, int bits = 64);

}  // namespace nanoday::NANODAY_GPU
