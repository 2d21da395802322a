// Candidates of a neighbor list that lie within the cutoff.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/kernel_set.hpp"
#include "cpu/kernels/simd.hpp"

#if !defined(NANODAY_OWN_LANES)
namespace nanoday::cpu::NANODAY_ISA {

#if defined(__AVX512F__)
/// x, y, z of eight atoms: eight 32-byte rows loaded and transposed (gathers take twice as long).
NANODAY_INLINE void load_positions(const Vec4* position, const std::int32_t* index, __m512d& x, __m512d& y,
                                   __m512d& z) {
  const auto two = [&](int i) {
    const __m512d low = _mm512_castpd256_pd512(_mm256_load_pd(&position[index[i]].x));
    return _mm512_insertf64x4(low, _mm256_load_pd(&position[index[i + 4]].x), 1);
  };
  const __m512d a = two(0), b = two(1), c = two(2), d = two(3);
  const __m512d xz01 = _mm512_unpacklo_pd(a, b), xz23 = _mm512_unpacklo_pd(c, d);  // x0 x1 z0 z1 x4 x5 z4 z5
  const __m512d y01 = _mm512_unpackhi_pd(a, b), y23 = _mm512_unpackhi_pd(c, d);
  const __m512i low = _mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0),
                high = _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2);
  x = _mm512_permutex2var_pd(xz01, low, xz23);
  z = _mm512_permutex2var_pd(xz01, high, xz23);
  y = _mm512_permutex2var_pd(y01, low, y23);
}

/// Keeps candidates with |r|² < r_c², order preserved. Returns how many. Reads up to seven list entries
/// beyond `end` (NeighborList keeps spare ones) and writes up to eight entries beyond the last kept.
template <class Real>
int filter(const BatchArgs& args, Vec4 centre, std::int64_t begin, std::int64_t end, double rcut2,
           NeighborBlock<Real>& n, std::int64_t first) {
  const __m512d cx = _mm512_set1_pd(centre.x), cy = _mm512_set1_pd(centre.y), cz = _mm512_set1_pd(centre.z);
  const __m512d limit = _mm512_set1_pd(rcut2);
  double *dx = n.dx.data() + first, *dy = n.dy.data() + first, *dz = n.dz.data() + first, *r2 = n.r2.data();
  std::int32_t* index = n.index.data() + first;
  int kept = 0;
  for (std::int64_t c = begin; c < end; c += 8) {
    __m512d x, y, z;
    load_positions(args.position, args.index + c, x, y, z);
    x = _mm512_sub_pd(x, cx);
    y = _mm512_sub_pd(y, cy);
    z = _mm512_sub_pd(z, cz);
    const __m512d d2 = _mm512_fmadd_pd(z, z, _mm512_fmadd_pd(y, y, _mm512_mul_pd(x, x)));
    __mmask8 keep = _mm512_cmp_pd_mask(d2, limit, _CMP_LT_OQ);
    if (end - c < 8) keep = static_cast<__mmask8>(keep & ((1 << (end - c)) - 1));
    _mm512_storeu_pd(dx + kept, _mm512_maskz_compress_pd(keep, x));
    _mm512_storeu_pd(dy + kept, _mm512_maskz_compress_pd(keep, y));
    _mm512_storeu_pd(dz + kept, _mm512_maskz_compress_pd(keep, z));
    _mm512_storeu_pd(r2 + kept, _mm512_maskz_compress_pd(keep, d2));
    const __m256i j = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(args.index + c));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(index + kept), _mm256_maskz_compress_epi32(keep, j));
    kept += __builtin_popcount(keep);
  }
  return kept;
}
#else
/// Keeps candidates with |r|² < r_c²; branch-free, order preserved. Returns how many.
template <class Real>
int filter(const BatchArgs& args, Vec4 centre, std::int64_t begin, std::int64_t end, double rcut2,
           NeighborBlock<Real>& n, std::int64_t first) {
  double* __restrict dx = n.dx.data() + first, * __restrict dy = n.dy.data() + first;
  double* __restrict dz = n.dz.data() + first, * __restrict r2 = n.r2.data();
  std::int32_t* __restrict index = n.index.data() + first;
  const Vec4* __restrict position = args.position;
  int kept = 0;
  for (std::int64_t c = begin; c < end; ++c) {
    const std::int32_t j = args.index[c];
    const double x = position[j].x - centre.x, y = position[j].y - centre.y, z = position[j].z - centre.z;
    const double d2 = x * x + y * y + z * z;
    index[kept] = j;
    dx[kept] = x;
    dy[kept] = y;
    dz[kept] = z;
    r2[kept] = d2;
    kept += d2 < rcut2;
  }
  return kept;
}
#endif

}  // namespace nanoday::cpu::NANODAY_ISA
#endif
