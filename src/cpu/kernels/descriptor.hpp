// Neighbors to a = (1/N) Σ R ⊗ b(s̃), then to the products that feed the fitting net; and the way back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/gemm.hpp"
#include "cpu/kernels/workspace.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// Column vectors handled together: 4 rows of a times this many must fit the registers.
#if NANODAY_VECTOR_BYTES == 64
inline constexpr int k_column_block = 4;
#else
inline constexpr int k_column_block = 2;
#endif

/// b of NV column vectors at one neighbor, by Horner; Rows = 2 for pieces without a coordinate.
template <class Real, int NV, int Rows>
NANODAY_INLINE void table_value(const Real* piece, Vec<Real> t, int columns, Vec<Real>* b) {
#pragma GCC unroll 4
  for (int v = 0; v < NV; ++v) {
    const Real* p = piece + v * k_lanes<Real>;
    if constexpr (Rows == 2) {
      b[v] = load(p);
    } else {
      Vec<Real> x = load(p + 5 * columns);
      x = x * t + load(p + 4 * columns);
      x = x * t + load(p + 3 * columns);
      x = x * t + load(p + 2 * columns);
      x = x * t + load(p + columns);
      b[v] = x * t + load(p);
    }
  }
}

/// As table_value, with the slope too.
template <class Real, int NV, int Rows>
NANODAY_INLINE void table_value_and_slope(const Real* piece, Vec<Real> t, int columns, Vec<Real>* b,
                                          Vec<Real>* d) {
#pragma GCC unroll 4
  for (int v = 0; v < NV; ++v) {
    const Real* p = piece + v * k_lanes<Real>;
    if constexpr (Rows == 2) {
      b[v] = load(p);
      d[v] = load(p + columns);
    } else {
      Vec<Real> y = load(p + 5 * columns);
      Vec<Real> x = y * t + load(p + 4 * columns);
      y = y * t + x;
      x = x * t + load(p + 3 * columns);
      y = y * t + x;
      x = x * t + load(p + 2 * columns);
      y = y * t + x;
      x = x * t + load(p + columns);
      d[v] = y * t + x;
      b[v] = x * t + load(p);
    }
  }
}

/// out[c][col] += scale · Σ_k R_k[c] b_col(k) for NV column vectors of one segment.
template <class Real, int NV, int Rows>
void accumulate_columns(const NeighborBlock<Real>& n, std::int64_t first, int count, int columns, int column,
                        Real scale, Real* out, int ld) {
  Vec<Real> acc[4][NV];
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) acc[c][v] = Vec<Real>{};
  for (std::int64_t k = first; k < first + count; ++k) {
    Vec<Real> b[NV];
    table_value<Real, NV, Rows>(n.piece[k] + column, broadcast(n.t[k]), columns, b);
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) {
      const Vec<Real> r = broadcast(n.row[c][k]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc[c][v] += r * b[v];
    }
  }
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      Real* o = out + c * ld + v * k_lanes<Real>;
      store(o, load(o) + acc[c][v] * scale);
    }
}

template <class Real, int Rows>
void accumulate_segment(const NeighborBlock<Real>& n, std::int64_t first, int count, int columns, Real scale,
                        Real* out, int ld) {
  constexpr int lanes = k_lanes<Real>;
  int v = 0;
  const int nv = columns / lanes;
  for (; v + k_column_block <= nv; v += k_column_block)
    accumulate_columns<Real, k_column_block, Rows>(n, first, count, columns, v * lanes, scale,
                                                   out + v * lanes, ld);
  if constexpr (k_column_block == 4) {
    if (nv - v == 3)
      accumulate_columns<Real, 3, Rows>(n, first, count, columns, v * lanes, scale, out + v * lanes, ld);
    if (nv - v == 2)
      accumulate_columns<Real, 2, Rows>(n, first, count, columns, v * lanes, scale, out + v * lanes, ld);
  }
  if (nv - v == 1)
    accumulate_columns<Real, 1, Rows>(n, first, count, columns, v * lanes, scale, out + v * lanes, ld);
}

/// Padding slots all carry the same row and the same b: one product per type (spec 2.3).
template <class Real>
void add_padding(const PackedCentre<Real>& centre, int type, int empty, double inverse_normaliser, Real* out,
                 int ld) {
  const Array<Real>& b = centre.pad_value[type];
  for (int c = 0; c < 4; ++c) {
    const Real r = static_cast<Real>(empty * centre.pad_row[c] * inverse_normaliser);
    if (r == 0) continue;
    for (std::size_t m = 0; m < b.size(); m += k_lanes<Real>)
      store(out + c * ld + m, load(out + c * ld + m) + load(b.data() + m) * r);
  }
}

/// a of one atom, (4, n_columns) row by row.
template <class Real>
void descriptor_row(const PackedModel<Real>& model, const PackedCentre<Real>& centre,
                    const NeighborBlock<Real>& n, int slot, Real* out) {
  const int ld = centre.n_columns;
  std::memset(out, 0, sizeof(Real) * 4 * ld);
  const Real scale = static_cast<Real>(model.inverse_normaliser);
  for (int type = 0; type < model.n_types; ++type) {
    if (centre.table[type] < 0) continue;
    const PackedTable<Real>& table = model.tables[centre.table[type]];
    const int k = slot * model.n_types + type;
    Real* o = out + centre.first_column[type];
    if (table.coefficients.empty())
      accumulate_segment<Real, 2>(n, n.first[k], n.count[k], table.columns, scale, o, ld);
    else
      accumulate_segment<Real, 6>(n, n.first[k], n.count[k], table.columns, scale, o, ld);
    add_padding(centre, type, centre.sel[type] - n.count[k], model.inverse_normaliser, o, ld);
  }
}

/// Rows of k_lanes atoms (lanes, size) to lanes over atoms (size, batch), and back.
template <class Real>
void rows_to_lanes(const Real* rows, int size, Real* lanes) {
  for (int x = 0; x < size; ++x)
    for (int l = 0; l < k_lanes<Real>; ++l)
      lanes[static_cast<long>(x) * k_batch<Real> + l] = rows[static_cast<long>(l) * size + x];
}
template <class Real>
void lanes_to_rows(const Real* lanes, int size, Real* rows) {
  for (int x = 0; x < size; ++x)
    for (int l = 0; l < k_lanes<Real>; ++l)
      rows[static_cast<long>(l) * size + x] = lanes[static_cast<long>(x) * k_batch<Real> + l];
}

/// a of every atom of the batch, lanes over atoms; unused lanes are zero.
template <class Real>
void batch_descriptor(const PackedModel<Real>& model, const PackedCentre<Real>& centre, Workspace<Real>& ws) {
  constexpr int lanes = k_lanes<Real>;
  const int n_atoms = static_cast<int>(ws.atoms.size()), size = 4 * centre.n_columns;
  for (int first = 0; first < n_atoms; first += lanes) {
    for (int l = 0; l < lanes; ++l) {
      Real* row = ws.staging.data() + static_cast<long>(l) * size;
      if (first + l < n_atoms)
        descriptor_row(model, centre, ws.neighbors, first + l, row);
      else
        std::memset(row, 0, sizeof(Real) * size);
    }
    rows_to_lanes(ws.staging.data(), size, ws.a.data() + first);
  }
}

/// a' = a·rotation for each of the four rows; the first n_vectors vectors of atoms.
template <class Real>
const Real* rotate(const PackedCentre<Real>& centre, Workspace<Real>& ws, int n_vectors) {
  if (centre.rotation.n_in == 0) return ws.a.data();
  constexpr int b = k_batch<Real>;
  for (int c = 0; c < 4; ++c)
    gemm<Real, GemmStart::zero>(centre.rotation.forward, centre.rotation.n_in,
                                ws.a.data() + static_cast<long>(c) * centre.n_columns * b,
                                ws.rotated.data() + static_cast<long>(c) * centre.rotation.out_padded * b,
                                centre.rotation.bias.data(), n_vectors);
  return ws.rotated.data();
}

/// S[f] = Σ_c a'[c, p_f] a'[c, q_f]. Pairs with equal p follow each other.
template <class Real>
void pair_features(const PackedCentre<Real>& centre, const Real* a, int rows, Workspace<Real>& ws,
                   int n_vectors) {
  constexpr long b = k_batch<Real>;
  const long stride = rows * b;
  const int n = static_cast<int>(centre.pair_p.size());
  for (int v = 0; v < n_vectors; ++v) {
    const Real* x = a + v * k_lanes<Real>;
    Real* out = ws.features.data() + v * k_lanes<Real>;
    for (int f = 0; f < n;) {
      const int p = centre.pair_p[f];
      const Vec<Real> p0 = load(x + p * b), p1 = load(x + stride + p * b);
      const Vec<Real> p2 = load(x + 2 * stride + p * b), p3 = load(x + 3 * stride + p * b);
      for (; f < n && centre.pair_p[f] == p; ++f) {
        const Real* q = x + centre.pair_q[f] * b;
        store(out + f * b,
              p0 * load(q) + p1 * load(q + stride) + p2 * load(q + 2 * stride) + p3 * load(q + 3 * stride));
      }
    }
  }
}

/// ∂E/∂a'[c, p] += ∂E/∂S[f] a'[c, q], and p ↔ q. `d` must be zero or hold what is to be added to.
template <class Real>
void pair_features_gradient(const PackedCentre<Real>& centre, const Real* a, int rows,
                            const Workspace<Real>& ws, Real* d, int n_vectors) {
  constexpr long b = k_batch<Real>;
  const long stride = rows * b;
  const int n = static_cast<int>(centre.pair_p.size());
  for (int v = 0; v < n_vectors; ++v) {
    const Real* x = a + v * k_lanes<Real>;
    Real* y = d + v * k_lanes<Real>;
    const Real* g = ws.features.data() + v * k_lanes<Real>;
    for (int f = 0; f < n;) {
      const int p = centre.pair_p[f];
      Vec<Real> p_in[4], p_out[4];
#pragma GCC unroll 4
      for (int c = 0; c < 4; ++c) {
        p_in[c] = load(x + c * stride + p * b);
        p_out[c] = Vec<Real>{};
      }
      for (; f < n && centre.pair_p[f] == p; ++f) {
        const Vec<Real> s = load(g + f * b);
        const long q = centre.pair_q[f] * b;
#pragma GCC unroll 4
        for (int c = 0; c < 4; ++c) {
          p_out[c] += s * load(x + c * stride + q);
          store(y + c * stride + q, load(y + c * stride + q) + s * p_in[c]);
        }
      }
#pragma GCC unroll 4
      for (int c = 0; c < 4; ++c) store(y + c * stride + p * b, load(y + c * stride + p * b) + p_out[c]);
    }
  }
}

}  // namespace nanoday::cpu::NANODAY_ISA
