// Numbers of 16 bits, as the lower half of a word.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace nanoday::cpu {

/// Nearest bfloat16.
inline std::uint32_t to_bfloat16(double x) {
  const std::uint32_t bits = std::bit_cast<std::uint32_t>(static_cast<float>(x));
  return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

/// Nearest number of half precision (ties to even); infinite from 65520 on.
inline std::uint32_t to_half(double x) {
  const std::uint32_t sign = std::signbit(x) ? 0x8000 : 0;
  const double size = std::fabs(x);
  if (!(size < 65520)) return sign | 0x7c00;
  if (size < 0x1p-14) return sign | static_cast<std::uint32_t>(std::nearbyint(size * 0x1p24));  // subnormal
  int exponent;
  const double mantissa = std::frexp(size, &exponent);  // size = mantissa 2^exponent, 1/2 <= mantissa < 1
  const auto digits = static_cast<std::uint32_t>(std::nearbyint(mantissa * 0x1p11));  // 1024 … 2048
  return sign | ((static_cast<std::uint32_t>(exponent + 13) << 10) + digits);
}

}  // namespace nanoday::cpu
