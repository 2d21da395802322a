// SIMD vectors of the instruction set this file is compiled for (GCC/Clang vector extensions).
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <cstring>

// Every instruction set gets its own namespace, so that no inline function compiled with wide
// instructions can be picked by the linker for a machine without them. A machine outside src/ names its own
// first.
#if defined(NANODAY_ISA)
#elif defined(__AVX512F__) && defined(__AVX512DQ__)
#define NANODAY_ISA avx512
#define NANODAY_VECTOR_BYTES 64
#define NANODAY_VECTOR_REGISTERS 32
#elif defined(__AVX2__) && defined(__FMA__)
#define NANODAY_ISA avx2
#define NANODAY_VECTOR_BYTES 32
#define NANODAY_VECTOR_REGISTERS 16
#else
#define NANODAY_ISA baseline
#define NANODAY_VECTOR_BYTES 16
#define NANODAY_VECTOR_REGISTERS 16
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

/// Square root of every lane; compiles to one instruction.
template <class Real>
NANODAY_INLINE Vec<Real> square_root(Vec<Real> v) {
  for (int i = 0; i < k_lanes<Real>; ++i) v[i] = __builtin_sqrt(v[i]);
  return v;
}

}  // namespace nanoday::cpu::NANODAY_ISA
