// Numbers along a space-filling curve: cells near in space are mostly near in number.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"

#include <cstdint>

namespace nanoday {

/// Largest cell index along one direction that a code has room for: 21 bits.
inline constexpr double k_last_cell = 2097151;

/// The low 21 bits of v, moved to every third bit.
NANODAY_HD inline std::uint64_t spread_bits(std::uint64_t v) {
  v &= 0x1fffff;
  v = (v | v << 32) & 0x1f00000000ffffull;
  v = (v | v << 16) & 0x1f0000ff0000ffull;
  v = (v | v << 8) & 0x100f00f00f00f00full;
  v = (v | v << 4) & 0x10c30c30c30c30c3ull;
  return (v | v << 2) & 0x1249249249249249ull;
}

/// Bits of three cell indices by turns. Morton, IBM technical report (1966).
NANODAY_HD inline std::uint64_t morton_code(std::uint64_t x, std::uint64_t y, std::uint64_t z) {
  return spread_bits(x) | spread_bits(y) << 1 | spread_bits(z) << 2;
}

}  // namespace nanoday
