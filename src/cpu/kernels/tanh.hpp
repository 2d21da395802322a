// Hyperbolic tangent of SIMD lanes, accurate to rounding in absolute terms.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/simd.hpp"

#if !defined(NANODAY_OWN_LANES)
namespace nanoday::cpu::NANODAY_ISA {

/// Constants of e^y = 2^n e^r, |r| ≤ ln2/2: Taylor polynomial long enough for the type.
template <class Real>
struct ExpConstants;
template <>
struct ExpConstants<double> {
  static constexpr double shifter = 0x1.8p52, ln2_high = 0x1.62e42fefa39efp-1,
                          ln2_low = 0x1.abc9e3b39803fp-56;
  static constexpr double limit = 20.0;  // tanh(20) = 1 − 8e-18
  static constexpr int mantissa = 52, terms = 13;
};
template <>
struct ExpConstants<float> {
  static constexpr float shifter = 0x1.8p23f, ln2_high = 0x1.62e430p-1f, ln2_low = -0x1.05c610p-29f;
  static constexpr float limit = 9.1f;  // tanh(9.1) = 1 − 2.5e-8
  static constexpr int mantissa = 23, terms = 7;
};

/// Inverse factorials 1/k! for the polynomial.
template <class Real>
constexpr Real inverse_factorial(int k) {
  double f = 1;
  for (int i = 2; i <= k; ++i) f *= i;
  return static_cast<Real>(1.0 / f);
}

/// e^r by Horner from the highest power down.
template <class Real, int K>
NANODAY_INLINE Vec<Real> exp_polynomial(Vec<Real> r, Vec<Real> sum) {
  if constexpr (K < 0) {
    return sum;
  } else {
    return exp_polynomial<Real, K - 1>(r, sum * r + inverse_factorial<Real>(K));
  }
}

/// tanh x = 1 − 2/(e^{2x} + 1). Absolute error ≤ 3e-16 (double), 1.5e-7 (float); odd to rounding only.
template <class Real>
NANODAY_INLINE Vec<Real> tanh_lanes(Vec<Real> x) {
  using C = ExpConstants<Real>;
  using V = Vec<Real>;
  const V hi = broadcast<Real>(C::limit), lo = broadcast<Real>(-C::limit);
  x = x > hi ? hi : x;
  x = x < lo ? lo : x;
  const V y = x + x;
  const V shifted = y * Real(1.4426950408889634074) + C::shifter;
  const V n = shifted - C::shifter;
  const V r = (y - n * C::ln2_high) - n * C::ln2_low;
  const V p = exp_polynomial<Real, C::terms - 2>(r, broadcast<Real>(inverse_factorial<Real>(C::terms - 1)));
  const auto scale = bits<IntVec<Real>>(shifted) << C::mantissa;  // the low bits of `shifted` hold n
  const V e = bits<V>(bits<IntVec<Real>>(p) + scale);
  // min/max above lets a NaN through as is: NaN compares false.
  return Real(1) - Real(2) * reciprocal<Real>(e + Real(1));
}

}  // namespace nanoday::cpu::NANODAY_ISA
#endif
