// Products of packed weights with one to three atoms: lanes run over outputs, inputs are broadcast.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/simd.hpp"
#include "cpu/packed_model.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// Up to so many atoms lanes run over the outputs. With one atom per core, where strong scaling ends, lanes
/// over atoms would multiply nothing by the weights seven times of eight.
inline constexpr int k_few_atoms = 3;

/// Parts of a panel's eight outputs that are one vector each.
template <class Real>
inline constexpr int k_parts = k_panel / k_part<Real>;

/// Panels multiplied together: enough sums to fill two pipes that need nine cycles for each addition, where
/// there are registers for them.
template <class Real>
constexpr int few_panels(int n_atoms) {
  const int fit = (NANODAY_VECTOR_REGISTERS == 32 ? 20 : 10) / (n_atoms * k_parts<Real>);
  return fit > 15 ? 15 : fit < 1 ? 1 : fit;
}

/// sum (panels, atoms, 8) += panelsᵀ · x (n_in, LD), every sum over k ascending: the additions of gemm_tile
/// in the same order, so that an atom's results do not depend on how many are with it.
template <class Real, int Atoms, int Panels, int LD>
void few_tile(const Real* __restrict w, int n_in, const Real* __restrict x, Real* __restrict sum) {
  constexpr int parts = k_parts<Real>, lanes = k_part<Real>;
  const long panel = static_cast<long>(n_in) * k_panel;
  Part<Real> acc[Panels][Atoms][parts];
#pragma GCC unroll 16
  for (int p = 0; p < Panels; ++p)
#pragma GCC unroll 4
    for (int a = 0; a < Atoms; ++a)
#pragma GCC unroll 4
      for (int h = 0; h < parts; ++h) acc[p][a][h] = load_part(sum + (p * Atoms + a) * k_panel + h * lanes);
  for (int k = 0; k < n_in; ++k) {
    Part<Real> in[Atoms];
#pragma GCC unroll 4
    for (int a = 0; a < Atoms; ++a) in[a] = broadcast_part(x + static_cast<long>(k) * LD + a);
#pragma GCC unroll 16
    for (int p = 0; p < Panels; ++p)
#pragma GCC unroll 4
      for (int h = 0; h < parts; ++h) {
        const Part<Real> weight = load_part(w + p * panel + k * k_panel + h * lanes);
#pragma GCC unroll 4
        for (int a = 0; a < Atoms; ++a) acc[p][a][h] += weight * in[a];
      }
  }
#pragma GCC unroll 16
  for (int p = 0; p < Panels; ++p)
#pragma GCC unroll 4
    for (int a = 0; a < Atoms; ++a)
#pragma GCC unroll 4
      for (int h = 0; h < parts; ++h) store_part(sum + (p * Atoms + a) * k_panel + h * lanes, acc[p][a][h]);
}

/// z (8·n_panels, LD) = start + panelsᵀ · x for `Atoms` atoms; start(o, a) is the sum's first term.
template <class Real, int Atoms, int LD, int Panels = few_panels<Real>(Atoms), class Start>
NANODAY_INLINE void gemm_few(const Real* panels, int n_panels, int n_in, const Real* x, Real* z,
                             const Start& start) {
  alignas(64) Real sum[Panels * Atoms * k_panel];
  int p = 0;
  for (; p + Panels <= n_panels; p += Panels) {
    for (int o = 0; o < Panels * k_panel; ++o)
      for (int a = 0; a < Atoms; ++a)
        sum[(o / k_panel * Atoms + a) * k_panel + o % k_panel] = start(p * k_panel + o, a);
    few_tile<Real, Atoms, Panels, LD>(panels + static_cast<long>(p) * n_in * k_panel, n_in, x, sum);
    for (int o = 0; o < Panels * k_panel; ++o)
      for (int a = 0; a < Atoms; ++a)
        z[static_cast<long>(p * k_panel + o) * LD + a] =
            sum[(o / k_panel * Atoms + a) * k_panel + o % k_panel];
  }
  if constexpr (Panels > 1) {
    if (p == n_panels) return;
    const auto rest = [&](int o, int a) { return start(p * k_panel + o, a); };
    gemm_few<Real, Atoms, LD, Panels / 2>(panels + static_cast<long>(p) * n_in * k_panel, n_panels - p, n_in,
                                          x, z + static_cast<long>(p) * k_panel * LD, rest);
  }
}

}  // namespace nanoday::cpu::NANODAY_ISA
