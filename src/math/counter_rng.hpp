// Random numbers from a counter: the same (seed, step, id) gives the same numbers on any thread or rank.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"
#include "core/vec3.hpp"

#include <cstdint>

namespace nanoday {

/// Four 32-bit words of Philox4x32-10 (Salmon et al., SC'11) for a 128-bit counter and a 64-bit key.
struct PhiloxBlock {
  std::uint32_t word[4];
};

NANODAY_HD inline PhiloxBlock philox(std::uint64_t key, std::uint64_t hi, std::uint64_t lo) {
  std::uint32_t c0 = static_cast<std::uint32_t>(lo), c1 = static_cast<std::uint32_t>(lo >> 32);
  std::uint32_t c2 = static_cast<std::uint32_t>(hi), c3 = static_cast<std::uint32_t>(hi >> 32);
  std::uint32_t k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = 0xD2511F53ull * c0, p1 = 0xCD9E8D57ull * c2;
    const std::uint32_t n0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    const std::uint32_t n2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c1 = static_cast<std::uint32_t>(p1);
    c3 = static_cast<std::uint32_t>(p0);
    c0 = n0;
    c2 = n2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// 53-bit uniform deviate in (0, 1) from two words.
NANODAY_HD inline double to_unit(std::uint32_t a, std::uint32_t b) {
  const std::uint64_t bits = (static_cast<std::uint64_t>(a) << 21) ^ (b >> 11);
  return (static_cast<double>(bits & 0x1FFFFFFFFFFFFFull) + 0.5) * 0x1p-53;
}

/// Uniform deviate in (0, 1).
NANODAY_HD inline double uniform(std::uint64_t seed, std::uint64_t step, std::uint64_t id) {
  const PhiloxBlock b = philox(seed, step, id);
  return to_unit(b.word[0], b.word[1]);
}

/// Three independent standard normal deviates (Box–Muller on two counter blocks).
NANODAY_HD inline Vec3 normal3(std::uint64_t seed, std::uint64_t step, std::uint64_t id) {
  constexpr double k_two_pi = 6.283185307179586476925;
  const PhiloxBlock a = philox(seed, step, 2 * id), b = philox(seed, step, 2 * id + 1);
  const double r0 = std::sqrt(-2.0 * std::log(to_unit(a.word[0], a.word[1])));
  const double r1 = std::sqrt(-2.0 * std::log(to_unit(b.word[0], b.word[1])));
  const double p0 = k_two_pi * to_unit(a.word[2], a.word[3]), p1 = k_two_pi * to_unit(b.word[2], b.word[3]);
  return {r0 * std::cos(p0), r0 * std::sin(p0), r1 * std::cos(p1)};
}

}  // namespace nanoday
