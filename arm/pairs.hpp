// Products of pairs of half-precision numbers, for what carries little: two to a lane of float.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/pack.hpp"
#include "cpu/kernels/gemm.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// What inputs are multiplied by before they are rounded: numbers from 2.4e-7 on are then normal in half
/// precision, and those below 16 cannot make a block's sum overflow (weights are below 1, see
/// PairedDense::unit). Where larger ones do, the result is NaN, which stops a run.
inline constexpr float k_half_scale = 256.0f;
/// Pairs added in half precision before a sum goes on in single precision. Rounding is by u = 2^-11: twice
/// for the inputs of a product, and of the sum so far with every addition, hence at most (2 + 17) u Σ|xw|.
/// Half as many would halve what additions add to the error, and half precision would gain little over
/// single. Measured: forces of water change by 1.1e-4 of the largest when half of all products are rounded
/// so, by 1.5e-4 with bfloat16.
inline constexpr int k_half_block = 16;

/// Stores two vectors rounded to half precision, `even` in the lower halves.
NANODAY_INLINE void store_pairs(std::uint32_t* p, Vec<float> even, Vec<float> odd) {
  store_halves(p, even * k_half_scale, odd * k_half_scale);
}

/// Eight outputs for NV vectors of atoms, as gemm_tile. \param unit what 1 stands for in a product
template <int NV, GemmStart Start>
NANODAY_INLINE void pairs_tile(const std::uint32_t* __restrict w, int n_pairs,
                               const std::uint32_t* __restrict x, float* __restrict z, float unit) {
  constexpr long ld = k_batch<float>, lanes = k_lanes<float>;
  for (int first = 0; first < n_pairs; first += k_half_block) {
    const int last = first + k_half_block < n_pairs ? first + k_half_block : n_pairs;
    asm("" ::: "memory");  // or the compiler keeps all of z on the stack
    Halves acc[k_panel][NV];
#pragma GCC unroll 8
    for (int o = 0; o < k_panel; ++o)
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc[o][v] = zero_halves();
    for (int k = first; k < last; ++k) {
      Halves in[NV];
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) in[v] = load_halves(x + k * ld + v * lanes);
#pragma GCC unroll 8
      for (int o = 0; o < k_panel; ++o) {
        const Halves weight = broadcast_halves(w + k * k_panel + o);
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) acc[o][v] = multiply_add(acc[o][v], weight, in[v]);
      }
    }
#pragma GCC unroll 8
    for (int o = 0; o < k_panel; ++o)
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) {
        float* const out = z + o * ld + v * lanes;
        const Vec<float> before = Start == GemmStart::zero && first == 0 ? Vec<float>{} : load(out);
        const Vec<float> sum = add_halves(acc[o][v]);
        // + 0, or NaN for an infinite sum, whose tanh would pass for a good one with no slope.
        store(out, before + (sum + (sum - sum)) * unit);
      }
  }
}

/// z (n_rows, batch) = start + panelsᵀ · pairs; as gemm. \param unit of the weights
template <GemmStart Start>
void gemm_pairs(const Array<std::uint32_t>& panels, float unit, int n_rows, const std::uint32_t* x, float* z,
                int n_vectors) {
  constexpr long ld = k_batch<float>, lanes = k_lanes<float>;
  const int n_panels = n_rows / k_panel, n_pairs = static_cast<int>(panels.size()) / n_rows;
  const float both = unit / k_half_scale;
  for (int p = 0; p < n_panels; ++p) {
    const std::uint32_t* w = panels.data() + static_cast<long>(p) * n_pairs * k_panel;
    float* out = z + p * k_panel * ld;
    int v = 0;
    for (; v + 3 <= n_vectors; v += 3) pairs_tile<3, Start>(w, n_pairs, x + v * lanes, out + v * lanes, both);
    if (n_vectors - v == 2) pairs_tile<2, Start>(w, n_pairs, x + v * lanes, out + v * lanes, both);
    if (n_vectors - v == 1) pairs_tile<1, Start>(w, n_pairs, x + v * lanes, out + v * lanes, both);
  }
}

}  // namespace nanoday::cpu::NANODAY_ISA
