// Products of packed weights with batches of atoms: lanes run over atoms, weights are broadcast.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/gemm_few.hpp"
#include "cpu/kernels/simd.hpp"
#include "cpu/packed_model.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// Where the sum starts: zero, a value per output row, or what is in the output already.
enum class GemmStart { zero, row, output };

/// Outputs computed together; with 3 vectors of atoms this fills the accumulator registers.
#if NANODAY_VECTOR_REGISTERS == 32
inline constexpr int k_gemm_rows = 8;
#else
inline constexpr int k_gemm_rows = 4;
#endif

/// k_gemm_rows outputs for NV vectors of atoms: z[o] = start + Σ_k w[k][o] x[k], k ascending, so that a
/// result does not depend on where an atom sits in its batch.
template <class Real, int NV, GemmStart Start, int LD>
NANODAY_INLINE void gemm_tile(const Real* __restrict w, int n_in, const Real* __restrict x,
                              Real* __restrict z, const Real* __restrict row) {
  constexpr int ld = LD, lanes = k_lanes<Real>;
  Vec<Real> acc[k_gemm_rows][NV];
#pragma GCC unroll 8
  for (int o = 0; o < k_gemm_rows; ++o)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      if constexpr (Start == GemmStart::zero) acc[o][v] = Vec<Real>{};
      if constexpr (Start == GemmStart::row) acc[o][v] = broadcast(row[o]);
      if constexpr (Start == GemmStart::output) acc[o][v] = load(z + o * ld + v * lanes);
    }
  for (int k = 0; k < n_in; ++k) {
    Vec<Real> in[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) in[v] = load(x + static_cast<long>(k) * ld + v * lanes);
#pragma GCC unroll 8
    for (int o = 0; o < k_gemm_rows; ++o) {
      const Vec<Real> weight = broadcast(w[k * k_panel + o]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc[o][v] += weight * in[v];
    }
  }
#pragma GCC unroll 8
  for (int o = 0; o < k_gemm_rows; ++o)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) store(z + o * ld + v * lanes, acc[o][v]);
}

/// One panel of eight outputs for NV vectors of atoms.
template <class Real, int NV, GemmStart Start, int LD>
NANODAY_INLINE void gemm_panel(const Real* w, int n_in, const Real* x, Real* z, const Real* row) {
  for (int o = 0; o < k_panel; o += k_gemm_rows)
    gemm_tile<Real, NV, Start, LD>(w + o, n_in, x, z + static_cast<long>(o) * LD, row + o);
}

/// gemm_few with the first terms that `Start` says.
template <class Real, int Atoms, GemmStart Start, int LD>
void gemm_few_from(const Real* panels, int n_panels, int n_in, const Real* x, Real* z, const Real* row) {
  gemm_few<Real, Atoms, LD>(panels, n_panels, n_in, x, z, [&](int o, int a) {
    if constexpr (Start == GemmStart::row) return row[o];
    if constexpr (Start == GemmStart::output) return z[static_cast<long>(o) * LD + a];
    return Real(0);
  });
}

/// z (8·n_panels, LD) = start + panelsᵀ · x (n_in, LD), for whole vectors of atoms, or only for these when
/// they are few. Panels outside: a panel is fetched once and stays in the first-level cache for all atoms of
/// the batch.
template <class Real, GemmStart Start, int LD = k_batch<Real>>
void gemm(const Real* panels, int n_panels, int n_in, const Real* x, Real* z, const Real* row, int n_atoms) {
  constexpr int lanes = k_lanes<Real>;
  if (n_atoms == 1) return gemm_few_from<Real, 1, Start, LD>(panels, n_panels, n_in, x, z, row);
  if (n_atoms == 2) return gemm_few_from<Real, 2, Start, LD>(panels, n_panels, n_in, x, z, row);
  if (n_atoms == 3) return gemm_few_from<Real, 3, Start, LD>(panels, n_panels, n_in, x, z, row);
  static_assert(k_few_atoms == 3);
  const int n_vectors = (n_atoms + lanes - 1) / lanes;
  for (int p = 0; p < n_panels; ++p) {
    const Real* w = panels + static_cast<long>(p) * n_in * k_panel;
    Real* out = z + static_cast<long>(p) * k_panel * LD;
    const Real* start = row + p * k_panel;
    int v = 0;
    for (; v + 3 <= n_vectors; v += 3)
      gemm_panel<Real, 3, Start, LD>(w, n_in, x + v * lanes, out + v * lanes, start);
    if (n_vectors - v == 2) gemm_panel<Real, 2, Start, LD>(w, n_in, x + v * lanes, out + v * lanes, start);
    if (n_vectors - v == 1) gemm_panel<Real, 1, Start, LD>(w, n_in, x + v * lanes, out + v * lanes, start);
  }
}

template <class Real, GemmStart Start, int LD = k_batch<Real>>
void gemm(const Array<Real>& panels, int n_in, const Real* x, Real* z, const Real* row, int n_atoms) {
  gemm<Real, Start, LD>(panels.data(),
                        static_cast<int>(panels.size() / (static_cast<std::size_t>(n_in) * k_panel)), n_in, x,
                        z, row, n_atoms);
}

}  // namespace nanoday::cpu::NANODAY_ISA
