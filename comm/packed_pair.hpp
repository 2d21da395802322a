// Two 32-bit sums in one 64-bit word that is summed modulo 2^64.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nanoday {

struct IntegerPair {
  std::int64_t high, low;
};

/// high·2^32 + low, low with its sign.
inline std::uint64_t pack_pair(IntegerPair pair) {
  return (static_cast<std::uint64_t>(pair.high) << 32) + static_cast<std::uint64_t>(pair.low);
}

/// What sums of packed words hold: exact for every sign while each of the two totals fits 32 bits.
inline IntegerPair unpack_pair(std::uint64_t word) {
  const auto low = static_cast<std::int32_t>(static_cast<std::uint32_t>(word));
  const std::uint64_t rest = word - static_cast<std::uint64_t>(static_cast<std::int64_t>(low));
  return {static_cast<std::int32_t>(static_cast<std::uint32_t>(rest >> 32)), low};
}

}  // namespace nanoday
