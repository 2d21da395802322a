// SIMD vectors of the instruction set this file is compiled for (GCC/Clang vector extensions).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

// Every instruction set gets its own namespace, so that no inline function compiled with wide
// instructions can be picked by the linker for a machine without them.
#if defined(__AVX512F__) && defined(__AVX512DQ__)
#define NANODAY_ISA avx512
#define NANODAY_VECTOR_BYTES 64
#elif defined(__AVX2__) && defined(__FMA__)
#define NANODAY_ISA avx2
#define NANODAY_VECTOR_BYTES 32
#else
#define NANODAY_ISA baseline
#define NANODAY_VECTOR_BYTES 16
#endif

#if NANODAY_VECTOR_BYTES == 64
#include <immintrin.h>
#endif

#define NANODAY_INLINE inline __attribute__((always_inline))

namespace nanoday::cpu::NANODAY_ISA {

template <class Real>
struct VectorOf {
  typedef Real type __attribute__((vector_size(NANODAY_VECTOR_BYTES)));
};
template <class Real>
using Vec = typename VectorOf<Real>::type;

template <class Real>
inline constexpr int k_lanes = NANODAY_VECTOR_BYTES / static_cast<int>(sizeof(Real));

template <class Real>
NANODAY_INLINE Vec<Real> load(const Real* p) {
  Vec<Real> v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
template <class Real>
NANODAY_INLINE void store(Real* p, Vec<Real> v) {
  std::memcpy(p, &v, sizeof v);
}
template <class Real>
NANODAY_INLINE Vec<Real> broadcast(Real x) {
  return x - Vec<Real>{};
}

/// Integers as wide as Real, for bit work on floating-point lanes.
template <class Real>
struct IntegerOf;
template <>
struct IntegerOf<double> {
  using scalar = std::int64_t;
  typedef std::int64_t type __attribute__((vector_size(NANODAY_VECTOR_BYTES)));
};
template <>
struct IntegerOf<float> {
  using scalar = std::int32_t;
  typedef std::int32_t type __attribute__((vector_size(NANODAY_VECTOR_BYTES)));
};
template <class Real>
using IntVec = typename IntegerOf<Real>::type;

template <class To, class From>
NANODAY_INLINE To bits(From v) {
  To out;
  static_assert(sizeof(To) == sizeof(From));
  std::memcpy(&out, &v, sizeof out);
  return out;
}

/// Stores lanes of double as Real.
template <class Real>
NANODAY_INLINE void store_as(Real* p, Vec<double> v) {
  typedef Real Narrow __attribute__((vector_size(k_lanes<double> * sizeof(Real))));
  const Narrow out = __builtin_convertvector(v, Narrow);
  std::memcpy(p, &out, sizeof out);
}

/// Square root of every lane; compiles to one instruction.
template <class Real>
NANODAY_INLINE Vec<Real> square_root(Vec<Real> v) {
  for (int i = 0; i < k_lanes<Real>; ++i) v[i] = __builtin_sqrt(v[i]);
  return v;
}

/// 1/x to a rounding or two. With 512-bit vectors from the 14-bit estimate and Newton steps, each of which
/// doubles the digits: a division there takes as long as a dozen multiply-adds.
template <class Real>
NANODAY_INLINE Vec<Real> reciprocal(Vec<Real> x) {
#if NANODAY_VECTOR_BYTES == 64
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
#if NANODAY_VECTOR_BYTES == 64
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

}  // namespace nanoday::cpu::NANODAY_ISA
