// Products of pairs of bfloat16, summed in single precision, for what carries little; twice as fast.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/gemm.hpp"

#if !defined(NANODAY_OWN_LANES)
namespace nanoday::cpu::NANODAY_ISA {

/// Stores two vectors rounded to bfloat16, `even` in the lower halves.
NANODAY_INLINE void store_pairs(std::uint32_t* p, Vec<float> even, Vec<float> odd) {
  using I = IntVec<float>;
  const I half = I{} + 0x8000;
  const I low = ((bits<I>(even) + half) >> 16) & 0xffff, high = (bits<I>(odd) + half) & ~0xffff;
  const I both = low | high;
  std::memcpy(p, &both, sizeof both);
}

#if defined(__AVX512F__)
#define NANODAY_PAIRS __attribute__((target("avx512bf16")))

/// Eight outputs for NV vectors of atoms, as gemm_tile.
template <int NV, GemmStart Start>
NANODAY_PAIRS NANODAY_INLINE void pairs_tile(const std::uint32_t* __restrict w, int n_pairs,
                                             const std::uint32_t* __restrict x, float* __restrict z) {
  constexpr long ld = k_batch<float>, lanes = k_lanes<float>;
  __m512 acc[k_panel][NV];
#pragma GCC unroll 8
  for (int o = 0; o < k_panel; ++o)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v)
      acc[o][v] = Start == GemmStart::zero ? _mm512_setzero_ps() : _mm512_loadu_ps(z + o * ld + v * lanes);
  for (int k = 0; k < n_pairs; ++k) {
    __m512i in[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) in[v] = _mm512_loadu_si512(x + k * ld + v * lanes);
#pragma GCC unroll 8
    for (int o = 0; o < k_panel; ++o) {
      const __m512i weight = _mm512_set1_epi32(static_cast<int>(w[k * k_panel + o]));
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v)
        acc[o][v] = _mm512_dpbf16_ps(acc[o][v], reinterpret_cast<__m512bh>(weight),
                                     reinterpret_cast<__m512bh>(in[v]));
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < k_panel; ++o)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) _mm512_storeu_ps(z + o * ld + v * lanes, acc[o][v]);
}

/// z (n_rows, batch) = start + panelsᵀ · pairs; as gemm. The unit of bfloat16 is always 1.
template <GemmStart Start>
NANODAY_PAIRS void gemm_pairs(const Array<std::uint32_t>& panels, float, int n_rows, const std::uint32_t* x,
                              float* z, int n_vectors) {
  constexpr long ld = k_batch<float>, lanes = k_lanes<float>;
  const int n_panels = n_rows / k_panel, n_pairs = static_cast<int>(panels.size()) / n_rows;
  for (int p = 0; p < n_panels; ++p) {
    const std::uint32_t* w = panels.data() + static_cast<long>(p) * n_pairs * k_panel;
    float* out = z + p * k_panel * ld;
    int v = 0;
    for (; v + 3 <= n_vectors; v += 3) pairs_tile<3, Start>(w, n_pairs, x + v * lanes, out + v * lanes);
    if (n_vectors - v == 2) pairs_tile<2, Start>(w, n_pairs, x + v * lanes, out + v * lanes);
    if (n_vectors - v == 1) pairs_tile<1, Start>(w, n_pairs, x + v * lanes, out + v * lanes);
  }
}
#else
/// Machines without such products get no pairs (pack_model).
template <GemmStart Start>
void gemm_pairs(const Array<std::uint32_t>&, float, int, const std::uint32_t*, float*, int) {}
#endif

}  // namespace nanoday::cpu::NANODAY_ISA
#endif
