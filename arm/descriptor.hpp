// Table polynomials of one column vector, arranged for a processor with long latencies and a short window.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/address.hpp"
#include "arm/pack.hpp"
//
#include "cpu/packed_model.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// b of one column vector at one neighbor; Rows = 2 for pieces without a coordinate.
///
/// In pairs of powers: as many multiply-adds as Horner's rule, but three after another instead of five. A64FX
/// needs nine cycles for each and looks ahead over fewer than two neighbors (llvm-mca: 34 cycles for 32
/// columns by Horner's rule).
template <class Real, int Rows>
NANODAY_INLINE Vec<Real> table_value(const Real* p, Vec<Real> t) {
  constexpr int line = k_column_pad<Real>;
  keep_address(p);
  if constexpr (Rows == 2) return load(p);
  const Vec<Real> t2 = t * t;
  const Vec<Real> low = load(p + line) * t + load(p), middle = load(p + 3 * line) * t + load(p + 2 * line),
                  high = load(p + 5 * line) * t + load(p + 4 * line);
  return (high * t2 + middle) * t2 + low;
}

/// As table_value, with the slope too: with the pairs p_k = c_2k + c_2k+1 t,
/// b = p_0 + t² q and b' = c_1 + t² (c_3 + t² c_5) + 2t (q + t² p_2), q = p_1 + t² p_2.
template <class Real, int Rows>
NANODAY_INLINE void table_value_and_slope(const Real* p, Vec<Real> t, Vec<Real>& b, Vec<Real>& d) {
  constexpr int line = k_column_pad<Real>;
  keep_address(p);
  if constexpr (Rows == 2) {
    b = load(p);
    d = load(p + line);
  } else {
    const Vec<Real> t2 = t * t, twice = t + t;
    const Vec<Real> c1 = load(p + line), c3 = load(p + 3 * line), c5 = load(p + 5 * line);
    const Vec<Real> high = c5 * t + load(p + 4 * line), odd = c5 * t2 + c3;
    const Vec<Real> q = high * t2 + (c3 * t + load(p + 2 * line)), r = high * t2 + q;
    b = q * t2 + (c1 * t + load(p));
    d = r * twice + (odd * t2 + c1);
  }
}

}  // namespace nanoday::cpu::NANODAY_ISA
