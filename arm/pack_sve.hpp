// The vector operations of arm/ by SVE instructions, for vectors whose length the compiler knows.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/address.hpp"
#include "arm/isa.hpp"
#include "cpu/kernels/vectors.hpp"

#if defined(NANODAY_OWN_VECTORS)
#include "core/vec3.hpp"

#include <arm_sve.h>

namespace nanoday::cpu::NANODAY_ISA {

/// SVE's own types of the same length; they convert to and from Vec by a cast.
template <class T>
struct SveOf;
#define NANODAY_SVE_TYPE(scalar, name)                                              \
  template <>                                                                       \
  struct SveOf<scalar> {                                                            \
    typedef name type __attribute__((arm_sve_vector_bits(__ARM_FEATURE_SVE_BITS))); \
  }
NANODAY_SVE_TYPE(double, svfloat64_t);
NANODAY_SVE_TYPE(float, svfloat32_t);
NANODAY_SVE_TYPE(std::int64_t, svint64_t);
NANODAY_SVE_TYPE(std::int32_t, svint32_t);
#undef NANODAY_SVE_TYPE
template <class T>
using Sve = typename SveOf<T>::type;

template <class Real>
NANODAY_INLINE svbool_t every_lane() {
  return sizeof(Real) == 8 ? svptrue_b64() : svptrue_b32();
}

/// 1/x to a rounding or two, from the 8-bit estimate by Newton steps, each of which doubles the digits: a
/// division of 512 bits stops A64FX for 98 (float) or 154 cycles.
template <class Real>
NANODAY_INLINE Vec<Real> reciprocal(Vec<Real> x) {
  const Sve<Real> v = (Sve<Real>)x;
  Sve<Real> y = svrecpe(v);
  y = svmul_x(every_lane<Real>(), y, svrecps(v, y));
  if constexpr (sizeof(Real) == 8) y = svmul_x(every_lane<Real>(), y, svrecps(v, y));
  const Vec<Real> last = (Vec<Real>)y;
  return last + last * (Real(1) - x * last);
}

/// 1/√x in double to a few roundings; as reciprocal().
NANODAY_INLINE Vec<double> inverse_square_root(Vec<double> x) {
  const svbool_t all = svptrue_b64();
  const Sve<double> v = (Sve<double>)x;
  Sve<double> y = svrsqrte(v);
  y = svmul_x(all, y, svrsqrts(v, svmul_x(all, y, y)));
  y = svmul_x(all, y, svrsqrts(v, svmul_x(all, y, y)));
  const Vec<double> last = (Vec<double>)y;
  return last + last * (0.5 - (x * last) * (0.5 * last));
}

/// Sums of four vectors over their lanes: (Σa, Σb, Σc, Σd). Neighboring lanes are added until each sum is in
/// one lane: 3 + log₂ of the lanes additions, where faddv takes 4 · log₂ one after another.
template <class Real>
NANODAY_INLINE void sum_lanes4(Vec<Real> a, Vec<Real> b, Vec<Real> c, Vec<Real> d, Real* out) {
  const svbool_t all = every_lane<Real>();
  const auto pairs = [&](Sve<Real> x, Sve<Real> y) -> Sve<Real> {
    return svadd_x(all, svuzp1(x, y), svuzp2(x, y));
  };
  const Sve<Real> ab = pairs((Sve<Real>)a, (Sve<Real>)b), cd = pairs((Sve<Real>)c, (Sve<Real>)d);
  if constexpr (k_lanes<Real> == 2) {
    svst1(all, out, ab);
    svst1(all, out + 2, cd);
  } else {
    Sve<Real> s = pairs(ab, cd);
    for (int n = k_lanes<Real>; n > 4; n /= 2) s = pairs(s, s);
    svst1(sizeof(Real) == 8 ? svptrue_pat_b64(SV_VL4) : svptrue_pat_b32(SV_VL4), out, s);
  }
}

/// Stores lanes of double as Real.
template <class Real>
NANODAY_INLINE void store_as(Real* p, Vec<double> v) {
  const svbool_t all = svptrue_b64();
  if constexpr (sizeof(Real) == 8)
    svst1(all, p, (Sve<double>)v);
  else
    svst1w(all, reinterpret_cast<std::int32_t*>(p),
           svreinterpret_s64(svcvt_f32_x(all, (Sve<double>)v)));  // the float is the lower half of its lane
}

/// Lanes of float as double.
NANODAY_INLINE Vec<double> load_single(const float* p) {
  const svbool_t all = svptrue_b64();
  const auto in = svreinterpret_f32(svld1uw_u64(all, reinterpret_cast<const std::uint32_t*>(p)));
  return (Vec<double>)(Sve<double>)svcvt_f64_x(all, in);
}

/// Square transpose: vector i gets lane i of every vector. Interleaving the halves of the vectors log₂(n)
/// times turns the index (vector, lane) round bit by bit.
template <class Real>
NANODAY_INLINE void transpose(Vec<Real>* v) {
  constexpr int n = k_lanes<Real>;
#pragma GCC unroll 4
  for (int stage = 1; stage < n; stage *= 2) {
    Vec<Real> w[n];
#pragma GCC unroll 16
    for (int i = 0; i < n / 2; ++i) {
      w[2 * i] = (Vec<Real>)(Sve<Real>)svzip1((Sve<Real>)v[i], (Sve<Real>)v[i + n / 2]);
      w[2 * i + 1] = (Vec<Real>)(Sve<Real>)svzip2((Sve<Real>)v[i], (Sve<Real>)v[i + n / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < n; ++i) v[i] = w[i];
  }
}

/// Component c of k_lanes<double> rows of four, in double.
template <class Real>
NANODAY_INLINE void load_rows4(const Real* rows, Vec<double>* out) {
  const svbool_t all = svptrue_b64();
  if constexpr (sizeof(Real) == 8) {
    const svfloat64x4_t in = svld4(all, rows);
    out[0] = (Vec<double>)(Sve<double>)svget4(in, 0);
    out[1] = (Vec<double>)(Sve<double>)svget4(in, 1);
    out[2] = (Vec<double>)(Sve<double>)svget4(in, 2);
    out[3] = (Vec<double>)(Sve<double>)svget4(in, 3);
  } else {
    // As rows of two doubles, which hold two floats each.
    const auto half = [&](svfloat64_t pairs, bool high) {
      const auto bits = high ? svlsr_x(all, svreinterpret_u64(pairs), 32) : svreinterpret_u64(pairs);
      return (Vec<double>)(Sve<double>)svcvt_f64_x(all, svreinterpret_f32(bits));
    };
    const svfloat64x2_t in = svld2(all, reinterpret_cast<const double*>(rows));
    out[0] = half(svget2(in, 0), false);
    out[1] = half(svget2(in, 0), true);
    out[2] = half(svget2(in, 1), false);
    out[3] = half(svget2(in, 1), true);
  }
}

/// k_lanes<double> rows of four from their components.
NANODAY_INLINE void store_rows4(double* rows, const Vec<double>* v) {
  svst4(svptrue_b64(), rows,
        svcreate4((Sve<double>)v[0], (Sve<double>)v[1], (Sve<double>)v[2], (Sve<double>)v[3]));
}

/// As many of the eight outputs of a panel of weights as one vector holds; half of it is idle where it could
/// hold two panels: to join these takes as many loads again.
template <class Real>
inline constexpr int k_part = k_lanes<Real> < 8 ? k_lanes<Real> : 8;
template <class Real>
using Part = Vec<Real>;
template <class Real>
NANODAY_INLINE svbool_t part_lanes() {
  return k_lanes<Real> > 8 ? svptrue_pat_b32(SV_VL8) : every_lane<Real>();
}
template <class Real>
NANODAY_INLINE Part<Real> load_part(const Real* p) {
  return (Vec<Real>)(Sve<Real>)svld1(part_lanes<Real>(), p);
}
template <class Real>
NANODAY_INLINE void store_part(Real* p, Part<Real> v) {
  svst1(part_lanes<Real>(), p, (Sve<Real>)v);
}
template <class Real>
NANODAY_INLINE Part<Real> broadcast_part(const Real* p) {
  return broadcast_from(p);
}

/// One row of four: an atom's force or position.
#if NANODAY_VECTOR_BYTES >= 32
using Row4 = Vec<double>;  // the first four lanes
NANODAY_INLINE Row4 load_row4(const double* p) {
  return (Row4)(Sve<double>)svld1(svptrue_pat_b64(SV_VL4), p);
}
NANODAY_INLINE void store_row4(double* p, Row4 v) { svst1(svptrue_pat_b64(SV_VL4), p, (Sve<double>)v); }
#else
struct Row4 {
  Vec<double> low, high;
  NANODAY_INLINE void operator+=(const Row4& other) { low += other.low, high += other.high; }
  NANODAY_INLINE void operator-=(const Row4& other) { low -= other.low, high -= other.high; }
};
NANODAY_INLINE Row4 load_row4(const double* p) { return {load(p), load(p + 2)}; }
NANODAY_INLINE void store_row4(double* p, Row4 v) {
  store(p, v.low);
  store(p + 2, v.high);
}
#endif

/// A choice among the lanes of Vec<double>.
typedef svbool_t Lanes __attribute__((arm_sve_vector_bits(__ARM_FEATURE_SVE_BITS)));

/// Lanes of the first `n` where x < limit.
NANODAY_INLINE Lanes lanes_below(Vec<double> x, double limit, std::int64_t n) {
  return svcmplt(svwhilelt_b64(std::int64_t{0}, n), (Sve<double>)x, limit);
}
NANODAY_INLINE int count_lanes(Lanes chosen) { return static_cast<int>(svcntp_b64(svptrue_b64(), chosen)); }
/// Stores the chosen lanes side by side; writes whole vectors.
NANODAY_INLINE void keep_lanes(Lanes chosen, Vec<double> v, double* p) {
  svst1(svptrue_b64(), p, svcompact(chosen, (Sve<double>)v));
}
/// The same of numbers in memory.
NANODAY_INLINE void keep_lanes(Lanes chosen, const std::int32_t* from, std::int32_t* to) {
  svst1w(svptrue_b64(), to, svcompact(chosen, svld1sw_s64(chosen, from)));
}

/// |x|, the smaller and the larger of x and a limit; NaN stays NaN.
template <class Real>
NANODAY_INLINE Vec<Real> absolute(Vec<Real> x) {
  return (Vec<Real>)(Sve<Real>)svabs_x(every_lane<Real>(), (Sve<Real>)x);
}
template <class Real>
NANODAY_INLINE Vec<Real> at_most(Vec<Real> x, Real limit) {
  return (Vec<Real>)(Sve<Real>)svmin_x(every_lane<Real>(), (Sve<Real>)x, (Sve<Real>)broadcast(limit));
}
template <class Real>
NANODAY_INLINE Vec<Real> at_least(Vec<Real> x, Real limit) {
  return (Vec<Real>)(Sve<Real>)svmax_x(every_lane<Real>(), (Sve<Real>)x, (Sve<Real>)broadcast(limit));
}

/// table[index] of every lane.
NANODAY_INLINE Vec<float> look_up(const float* table, IntVec<float> index) {
  return (Vec<float>)(Sve<float>)svld1_gather_index(svptrue_b32(), table, (Sve<std::int32_t>)index);
}

/// 2^(n/64 − 1023), n being the low 17 bits of a lane.
NANODAY_INLINE Vec<double> exp2_64ths(IntVec<double> n) {
  return (Vec<double>)(Sve<double>)svexpa(svreinterpret_u64((Sve<std::int64_t>)n));
}

/// Pairs of numbers in half precision.
typedef svfloat16_t Halves __attribute__((arm_sve_vector_bits(__ARM_FEATURE_SVE_BITS)));

NANODAY_INLINE Halves zero_halves() { return svdup_f16(0); }
NANODAY_INLINE Halves load_halves(const std::uint32_t* p) {
  return svreinterpret_f16(svld1(svptrue_b32(), p));
}
/// The pair at `p` for all lanes.
NANODAY_INLINE Halves broadcast_halves(const std::uint32_t* p) { return svreinterpret_f16(svdup_u32(*p)); }
/// Stores lanes of `even` in the lower halves, of `odd` in the upper halves.
NANODAY_INLINE void store_halves(std::uint32_t* p, Vec<float> even, Vec<float> odd) {
  const svbool_t all = svptrue_b32();
  const auto low = svreinterpret_u32(svcvt_f16_x(all, (Sve<float>)even)),
             high = svreinterpret_u32(svcvt_f16_x(all, (Sve<float>)odd));
  svst1(all, p, svorr_x(all, low, svlsl_x(all, high, 16)));
}
NANODAY_INLINE Halves multiply_add(Halves sum, Halves a, Halves b) {
  return svmla_x(svptrue_b16(), sum, a, b);
}
/// even + odd of every pair, added in single precision.
NANODAY_INLINE Vec<float> add_halves(Halves v) {
  const svbool_t all = svptrue_b32();
  const auto odd = svreinterpret_f16(svlsr_x(all, svreinterpret_u32(v), 16));
  return (Vec<float>)(Sve<float>)svadd_x(all, svcvt_f32_x(all, v), svcvt_f32_x(all, odd));
}

}  // namespace nanoday::cpu::NANODAY_ISA
#endif
