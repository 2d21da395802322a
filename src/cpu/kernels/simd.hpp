// What instruction sets do in ways of their own: estimates, conversions, and moves between lanes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/vectors.hpp"

#include <utility>

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

// A machine outside src/ brings these functions itself, before it includes any kernel.
#if !defined(NANODAY_OWN_LANES)
namespace nanoday::cpu::NANODAY_ISA {

/// Every lane the number at `p`.
template <class Real>
NANODAY_INLINE Vec<Real> broadcast_from(const Real* p) {
  return broadcast(*p);
}

}  // namespace nanoday::cpu::NANODAY_ISA
#endif

// And these, where it has instructions for them.
#if !defined(NANODAY_OWN_VECTORS)
namespace nanoday::cpu::NANODAY_ISA {

/// 1/x to a rounding or two. With 512-bit vectors from the 14-bit estimate and Newton steps, each of which
/// doubles the digits: a division there takes as long as a dozen multiply-adds.
template <class Real>
NANODAY_INLINE Vec<Real> reciprocal(Vec<Real> x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Real) == 4) {
    const Vec<Real> y = reinterpret_cast<Vec<Real>>(_mm512_rcp14_ps(reinterpret_cast<__m512>(x)));
    return y + y * (Real(1) - x * y);
  } else {
    Vec<Real> y = reinterpret_cast<Vec<Real>>(_mm512_rcp14_pd(reinterpret_cast<__m512d>(x)));
    y += y * (Real(1) - x * y);
    return y + y * (Real(1) - x * y);
  }
#else
  return Real(1) / x;
#endif
}

/// 1/√x in double to a few roundings; as reciprocal().
NANODAY_INLINE Vec<double> inverse_square_root(Vec<double> x) {
#if defined(__AVX512F__)
  Vec<double> y = reinterpret_cast<Vec<double>>(_mm512_rsqrt14_pd(reinterpret_cast<__m512d>(x)));
  const Vec<double> half = x * 0.5;
  y += y * (0.5 - half * y * y);
  return y + y * (0.5 - half * y * y);
#else
  return 1.0 / square_root<double>(x);
#endif
}

/// Sums of four vectors over their lanes: (Σa, Σb, Σc, Σd).
template <class Real>
NANODAY_INLINE void sum_lanes4(Vec<Real> a, Vec<Real> b, Vec<Real> c, Vec<Real> d, Real* out) {
  constexpr int n = k_lanes<Real>;
  Real s[4] = {0, 0, 0, 0};
  if constexpr (n == 8) {
    const Vec<Real> ab = __builtin_shufflevector(a, b, 0, 8, 2, 10, 4, 12, 6, 14) +
                         __builtin_shufflevector(a, b, 1, 9, 3, 11, 5, 13, 7, 15);
    const Vec<Real> cd = __builtin_shufflevector(c, d, 0, 8, 2, 10, 4, 12, 6, 14) +
                         __builtin_shufflevector(c, d, 1, 9, 3, 11, 5, 13, 7, 15);
    const Vec<Real> t = __builtin_shufflevector(ab, cd, 0, 1, 8, 9, 4, 5, 12, 13) +
                        __builtin_shufflevector(ab, cd, 2, 3, 10, 11, 6, 7, 14, 15);
    typedef Real Half __attribute__((vector_size(sizeof(Real) * 4)));
    const Half low = __builtin_shufflevector(t, t, 0, 1, 2, 3),
               high = __builtin_shufflevector(t, t, 4, 5, 6, 7);
    const Half sum = low + high;
    std::memcpy(out, &sum, sizeof sum);
  } else if constexpr (n == 16) {
    // Shuffles inside 128-bit lanes only: they are the cheap ones.
#define NANODAY_LOW 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29
#define NANODAY_HIGH 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31
    const Vec<Real> ab =
        __builtin_shufflevector(a, b, NANODAY_LOW) + __builtin_shufflevector(a, b, NANODAY_HIGH);
    const Vec<Real> cd =
        __builtin_shufflevector(c, d, NANODAY_LOW) + __builtin_shufflevector(c, d, NANODAY_HIGH);
#undef NANODAY_LOW
#undef NANODAY_HIGH
    const Vec<Real> t =
        __builtin_shufflevector(ab, cd, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
        __builtin_shufflevector(ab, cd, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
    typedef Real Half __attribute__((vector_size(sizeof(Real) * 8)));
    typedef Real Quarter __attribute__((vector_size(sizeof(Real) * 4)));
    const Half h = __builtin_shufflevector(t, t, 0, 1, 2, 3, 4, 5, 6, 7) +
                   __builtin_shufflevector(t, t, 8, 9, 10, 11, 12, 13, 14, 15);
    const Quarter sum = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
    std::memcpy(out, &sum, sizeof sum);
  } else {
    for (int i = 0; i < n; ++i) {
      s[0] += a[i];
      s[1] += b[i];
      s[2] += c[i];
      s[3] += d[i];
    }
    std::memcpy(out, s, sizeof s);
  }
}

/// Stores lanes of double as Real.
template <class Real>
NANODAY_INLINE void store_as(Real* p, Vec<double> v) {
  typedef Real Narrow __attribute__((vector_size(k_lanes<double> * sizeof(Real))));
  const Narrow out = __builtin_convertvector(v, Narrow);
  std::memcpy(p, &out, sizeof out);
}

/// Lanes of float as double.
NANODAY_INLINE Vec<double> load_single(const float* p) {
  typedef float Narrow __attribute__((vector_size(NANODAY_VECTOR_BYTES / 2)));
  Narrow in;
  std::memcpy(&in, p, sizeof in);
  return __builtin_convertvector(in, Vec<double>);
}

/// One butterfly of a square transpose: swaps the off-diagonal blocks of size S of two rows.
template <class Real, int S, int... J>
NANODAY_INLINE void swap_blocks(Vec<Real>& a, Vec<Real>& b, std::integer_sequence<int, J...>) {
  constexpr int n = k_lanes<Real>;
  const Vec<Real> low = __builtin_shufflevector(a, b, ((J & S) == 0 ? J : n + J - S)...);
  b = __builtin_shufflevector(a, b, ((J & S) == 0 ? J + S : n + J)...);
  a = low;
}
template <class Real, int S>
NANODAY_INLINE void transpose_stage(Vec<Real>* v) {
#pragma GCC unroll 16
  for (int i = 0; i < k_lanes<Real>; ++i)
    if ((i & S) == 0) swap_blocks<Real, S>(v[i], v[i + S], std::make_integer_sequence<int, k_lanes<Real>>{});
  if constexpr (2 * S < k_lanes<Real>) transpose_stage<Real, 2 * S>(v);
}

/// Square transpose: vector i gets lane i of every vector.
template <class Real>
NANODAY_INLINE void transpose(Vec<Real>* v) {
  transpose_stage<Real, 1>(v);
}

/// As many of the eight outputs of a panel of weights as one vector holds.
template <class Real>
inline constexpr int k_part = k_lanes<Real> < 8 ? k_lanes<Real> : 8;
template <class Real>
struct PartOf {
  typedef Real type __attribute__((vector_size(k_part<Real> * sizeof(Real))));
};
template <class Real>
using Part = typename PartOf<Real>::type;
template <class Real>
NANODAY_INLINE Part<Real> load_part(const Real* p) {
  Part<Real> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class Real>
NANODAY_INLINE void store_part(Real* p, Part<Real> v) {
  std::memcpy(p, &v, sizeof v);
}
template <class Real>
NANODAY_INLINE Part<Real> broadcast_part(const Real* p) {
  return *p - Part<Real>{};
}

/// One row of four: an atom's force or position.
typedef double Row4 __attribute__((vector_size(32)));
NANODAY_INLINE Row4 load_row4(const double* p) {
  Row4 v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
NANODAY_INLINE void store_row4(double* p, Row4 v) { std::memcpy(p, &v, sizeof v); }

/// k_lanes<double> numbers as doubles.
template <class Real>
NANODAY_INLINE Vec<double> load_as_double(const Real* p) {
  if constexpr (sizeof(Real) == 8)
    return load(p);
  else
    return load_single(p);
}

/// Every second lane of a and b, from lane First.
template <int First, int... J>
NANODAY_INLINE Vec<double> every_second(Vec<double> a, Vec<double> b, std::integer_sequence<int, J...>) {
  return __builtin_shufflevector(a, b, (2 * J + First)...);
}

/// Component c of k_lanes<double> rows of four, in double.
template <class Real>
NANODAY_INLINE void load_rows4(const Real* rows, Vec<double>* out) {
  constexpr int n = k_lanes<double>;
  constexpr std::make_integer_sequence<int, n> each;
  const Vec<double> a = load_as_double(rows), b = load_as_double(rows + n), c = load_as_double(rows + 2 * n),
                    d = load_as_double(rows + 3 * n);
  const Vec<double> even[2] = {every_second<0>(a, b, each), every_second<0>(c, d, each)};
  const Vec<double> odd[2] = {every_second<1>(a, b, each), every_second<1>(c, d, each)};
  out[0] = every_second<0>(even[0], even[1], each);
  out[1] = every_second<0>(odd[0], odd[1], each);
  out[2] = every_second<1>(even[0], even[1], each);
  out[3] = every_second<1>(odd[0], odd[1], each);
}

/// Lanes of a and b in turn, from the first half of both or from the second.
template <int First, int... J>
NANODAY_INLINE Vec<double> interleave(Vec<double> a, Vec<double> b, std::integer_sequence<int, J...>) {
  return __builtin_shufflevector(a, b, (First + J / 2 + J % 2 * k_lanes<double>)...);
}

/// k_lanes<double> rows of four from their components.
NANODAY_INLINE void store_rows4(double* rows, const Vec<double>* v) {
  constexpr int n = k_lanes<double>;
  constexpr std::make_integer_sequence<int, n> each;
  const Vec<double> even[2] = {interleave<0>(v[0], v[2], each), interleave<n / 2>(v[0], v[2], each)};
  const Vec<double> odd[2] = {interleave<0>(v[1], v[3], each), interleave<n / 2>(v[1], v[3], each)};
  for (int h = 0; h < 2; ++h) {
    store(rows + 2 * h * n, interleave<0>(even[h], odd[h], each));
    store(rows + (2 * h + 1) * n, interleave<n / 2>(even[h], odd[h], each));
  }
}

}  // namespace nanoday::cpu::NANODAY_ISA

#endif
