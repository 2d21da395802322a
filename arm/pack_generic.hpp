// The vector operations of arm/ for any compiler: what pack_sve.hpp does, so that tests run its loops
// anywhere. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/isa.hpp"
#include "cpu/kernels/simd.hpp"

#include <array>
#include <limits>

namespace nanoday::cpu::NANODAY_ISA {

/// A choice among the lanes of Vec<double>.
using Lanes = std::array<bool, k_lanes<double>>;

/// Lanes of the first `n` where x < limit.
NANODAY_INLINE Lanes lanes_below(Vec<double> x, double limit, std::int64_t n) {
  Lanes chosen;
  for (int l = 0; l < k_lanes<double>; ++l) chosen[l] = l < n && x[l] < limit;
  return chosen;
}
NANODAY_INLINE int count_lanes(Lanes chosen) {
  int n = 0;
  for (int l = 0; l < k_lanes<double>; ++l) n += chosen[l];
  return n;
}
/// Stores the chosen lanes side by side; writes whole vectors.
NANODAY_INLINE void keep_lanes(Lanes chosen, Vec<double> v, double* p) {
  Vec<double> kept{};
  for (int l = 0, n = 0; l < k_lanes<double>; ++l)
    if (chosen[l]) kept[n++] = v[l];
  store(p, kept);
}
/// The same of numbers in memory.
NANODAY_INLINE void keep_lanes(Lanes chosen, const std::int32_t* from, std::int32_t* to) {
  std::int32_t kept[k_lanes<double>] = {};
  for (int l = 0, n = 0; l < k_lanes<double>; ++l)
    if (chosen[l]) kept[n++] = from[l];
  std::memcpy(to, kept, sizeof kept);
}

/// |x|, the smaller and the larger of x and a limit; NaN stays NaN.
template <class Real>
NANODAY_INLINE Vec<Real> absolute(Vec<Real> x) {
  return bits<Vec<Real>>(bits<IntVec<Real>>(x) &
                         std::numeric_limits<typename IntegerOf<Real>::scalar>::max());
}
template <class Real>
NANODAY_INLINE Vec<Real> at_most(Vec<Real> x, Real limit) {
  return x > limit ? broadcast(limit) : x;
}
template <class Real>
NANODAY_INLINE Vec<Real> at_least(Vec<Real> x, Real limit) {
  return x < limit ? broadcast(limit) : x;
}

/// table[index] of every lane.
NANODAY_INLINE Vec<float> look_up(const float* table, IntVec<float> index) {
  Vec<float> v;
  for (int l = 0; l < k_lanes<float>; ++l) v[l] = table[index[l]];
  return v;
}

/// 2^(i/64) for i = 0 … 63.
constexpr std::array<double, 64> make_powers_of_two() {
  double root = 2;  // 2^(1/2), then of that, six times: Newton's iteration until it stands
  for (int n = 0; n < 6; ++n) {
    const double square = root;
    for (int k = 0; k < 8; ++k) root = 0.5 * (root + square / root);
  }
  std::array<double, 64> power{};
  power[0] = 1;
  for (std::size_t i = 1; i < 64; ++i) power[i] = power[i - 1] * root;
  return power;
}
inline constexpr std::array<double, 64> k_powers_of_two = make_powers_of_two();

/// 2^(n/64 − 1023), n being the low 17 bits of a lane.
NANODAY_INLINE Vec<double> exp2_64ths(IntVec<double> n) {
  Vec<double> v;
  for (int l = 0; l < k_lanes<double>; ++l) {
    const std::int64_t exponent = (n[l] >> 6 & 0x7ff) << 52;
    std::int64_t digits;
    std::memcpy(&digits, &k_powers_of_two[n[l] & 63], sizeof digits);
    v[l] = bits<double>((digits & 0xfffffffffffff) | exponent);
  }
  return v;
}

/// Pairs of numbers in half precision.
using Halves = std::array<_Float16, 2 * k_lanes<float>>;

NANODAY_INLINE Halves zero_halves() { return {}; }
NANODAY_INLINE Halves load_halves(const std::uint32_t* p) {
  Halves v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
/// The pair at `p` for all lanes.
NANODAY_INLINE Halves broadcast_halves(const std::uint32_t* p) {
  Halves v;
  for (std::size_t l = 0; l < v.size(); l += 2) std::memcpy(&v[l], p, sizeof *p);
  return v;
}
/// Stores lanes of `even` in the lower halves, of `odd` in the upper halves.
NANODAY_INLINE void store_halves(std::uint32_t* p, Vec<float> even, Vec<float> odd) {
  Halves v;
  for (int l = 0; l < k_lanes<float>; ++l) {
    v[static_cast<std::size_t>(2 * l)] = static_cast<_Float16>(even[l]);
    v[static_cast<std::size_t>(2 * l + 1)] = static_cast<_Float16>(odd[l]);
  }
  std::memcpy(p, &v, sizeof v);
}
/// Exact in double but for one rounding, as fused instructions are (22 digits of a product and a sum fit).
NANODAY_INLINE Halves multiply_add(Halves sum, const Halves& a, const Halves& b) {
  for (std::size_t l = 0; l < sum.size(); ++l)
    sum[l] = static_cast<_Float16>(static_cast<double>(a[l]) * static_cast<double>(b[l]) +
                                   static_cast<double>(sum[l]));
  return sum;
}
/// even + odd of every pair, added in single precision.
NANODAY_INLINE Vec<float> add_halves(const Halves& v) {
  Vec<float> out;
  for (int l = 0; l < k_lanes<float>; ++l) {
    const auto at = static_cast<std::size_t>(2 * l);
    out[l] = static_cast<float>(v[at]) + static_cast<float>(v[at + 1]);
  }
  return out;
}

}  // namespace nanoday::cpu::NANODAY_ISA
