// Hyperbolic tangent of SVE lanes: from a table in single precision, by exponentials in double.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/pack.hpp"

#include <array>

namespace nanoday::cpu::NANODAY_ISA {

/// tanh at i/128 from 0 to beyond 8.5, where 1 is right to 8.3e-8. Twice as long as needed, so that eleven
/// bits of any number, NaN as well, are an index; what is not needed is never in the cache.
struct TanhTable {
  static constexpr int per_unit = 128, entries = 2048;
  static constexpr float limit = 8.5f;
  alignas(64) std::array<float, entries> value;
};

constexpr TanhTable make_tanh_table() {
  constexpr double h = 1.0 / TanhTable::per_unit, h2 = h * h;
  constexpr double step = h * (1 - h2 * (1.0 / 3 - h2 * (2.0 / 15 - h2 * 17.0 / 315)));  // tanh h
  TanhTable table{};
  double y = 0;
  for (int i = 0; i < TanhTable::entries; ++i) {
    table.value[static_cast<std::size_t>(i)] =
        i < TanhTable::limit * TanhTable::per_unit ? static_cast<float>(y) : 1.0f;
    y = (y + step) / (1 + y * step);  // tanh(x + h)
  }
  return table;
}
inline constexpr TanhTable k_tanh_table = make_tanh_table();

/// Second-order pieces around the table's points: y + (1 − y²) u − y (1 − y²) u². The slopes follow from y,
/// so one look-up serves; the paper's pieces have three coefficients each. Error ≤ 1e-7 (measured 8.4e-8,
/// at 8.5), exactly odd, NaN stays NaN.
NANODAY_INLINE Vec<float> tanh_from_table(Vec<float> x) {
  using V = Vec<float>;
  using I = IntVec<float>;
  constexpr float shifter = 0x1.8p23f;  // the low bits of a sum with it are an integer
  const V size = absolute<float>(x), a = at_most<float>(size, TanhTable::limit);
  const I sign = bits<I>(x) ^ bits<I>(size);
  const V shifted = a * static_cast<float>(TanhTable::per_unit) + shifter;
  const V u = a - (shifted - shifter) * (1.0f / TanhTable::per_unit);
  const V y = look_up(k_tanh_table.value.data(), bits<I>(shifted) & (TanhTable::entries - 1));
  const V w = (1.0f - y * y) * u;
  return bits<V>(bits<I>(y + w * (1.0f - y * u)) | sign);
}

/// tanh x = (e^{2x} − 1)/(e^{2x} + 1), e^{2x} = 2^{n/64} e^r with |r| ≤ ln2/128: five terms are enough.
/// Absolute error ≤ 4e-16 (measured 3.4e-16); odd to rounding only.
NANODAY_INLINE Vec<double> tanh_by_exponential(Vec<double> x) {
  using V = Vec<double>;
  constexpr double shifter = 0x1.8p52 + 64 * 1023;  // with the exponent's bias, as exp2_64ths takes it
  // ln2/64: products of the first part with n have no rounding.
  constexpr double ln2_high = 0x1.62e42fefap-7, ln2_low = 0x1.cf79abc9e3b3ap-46;
  x = at_least<double>(at_most<double>(x, 20.0), -20.0);  // tanh 20 = 1 − 8e-18
  const V shifted = x * (128 * 1.4426950408889634074) + shifter;
  const V n = shifted - shifter;
  const V r = (x + x - n * ln2_high) - n * ln2_low;
  const V p = r + r * r * (0.5 + r * (1.0 / 6 + r * (1.0 / 24 + r * (1.0 / 120))));
  const V s = exp2_64ths(bits<IntVec<double>>(shifted));
  return ((s - 1.0) + s * p) * reciprocal<double>((s + 1.0) + s * p);
}

template <class Real>
NANODAY_INLINE Vec<Real> tanh_lanes(Vec<Real> x) {
  if constexpr (sizeof(Real) == 4)
    return tanh_from_table(x);
  else
    return tanh_by_exponential(x);
}

}  // namespace nanoday::cpu::NANODAY_ISA
