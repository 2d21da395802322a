// Neighbors to a = (1/N) Σ R ⊗ b(s̃), then to the products that feed the fitting net; and the way back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/gemm.hpp"
#include "cpu/kernels/pairs.hpp"
#include "cpu/kernels/workspace.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// Column vectors handled together: 4 rows of a times this many must fit the registers.
#if NANODAY_VECTOR_REGISTERS == 32
inline constexpr int k_column_block = 4;
#else
inline constexpr int k_column_block = 2;
#endif

/// From the first column vector of a pass over a piece to its v-th; passes fill whole blocks or lie within
/// one.
template <class Real, int Rows>
constexpr long next_columns(int v) {
  constexpr int pass = k_column_block * k_lanes<Real>, line = k_column_pad<Real>;
  static_assert(pass % line == 0 || line % pass == 0);
  return in_piece<Real>(Rows, 0, v * k_lanes<Real>);
}

#if !defined(NANODAY_OWN_LANES)
/// b of one column vector at one neighbor, by Horner; Rows = 2 for pieces without a coordinate.
template <class Real, int Rows>
NANODAY_INLINE Vec<Real> table_value(const Real* p, Vec<Real> t) {
  constexpr int line = k_column_pad<Real>;
  if constexpr (Rows == 2) return load(p);
  Vec<Real> x = load(p + 5 * line);
  x = x * t + load(p + 4 * line);
  x = x * t + load(p + 3 * line);
  x = x * t + load(p + 2 * line);
  x = x * t + load(p + line);
  return x * t + load(p);
}

/// As table_value, with the slope too.
template <class Real, int Rows>
NANODAY_INLINE void table_value_and_slope(const Real* p, Vec<Real> t, Vec<Real>& b, Vec<Real>& d) {
  constexpr int line = k_column_pad<Real>;
  if constexpr (Rows == 2) {
    b = load(p);
    d = load(p + line);
  } else {
    Vec<Real> y = load(p + 5 * line);
    Vec<Real> x = y * t + load(p + 4 * line);
    y = y * t + x;
    x = x * t + load(p + 3 * line);
    y = y * t + x;
    x = x * t + load(p + 2 * line);
    y = y * t + x;
    x = x * t + load(p + line);
    d = y * t + x;
    b = x * t + load(p);
  }
}
#endif

/// out[c][col] += scale · Σ_k R_k[c] b_col(k) for NV column vectors of one segment.
template <class Real, int NV, int Rows>
void accumulate_columns(const NeighborBlock<Real>& n, std::int64_t first, int count, int column, Real scale,
                        Real* out, int ld) {
  Vec<Real> acc[4][NV];
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) acc[c][v] = Vec<Real>{};
  const Real* const* piece = n.piece.data();
  const long start = in_piece<Real>(Rows, 0, column);
  const Real *t = n.t.data(), *r0 = n.row[0].data(), *r1 = n.row[1].data(), *r2 = n.row[2].data(),
             *r3 = n.row[3].data();
  for (std::int64_t k = first; k < first + count; ++k) {
    const Vec<Real> u = broadcast_from(t + k), x0 = broadcast_from(r0 + k), x1 = broadcast_from(r1 + k),
                    x2 = broadcast_from(r2 + k), x3 = broadcast_from(r3 + k);
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      const Vec<Real> b = table_value<Real, Rows>(piece[k] + start + next_columns<Real, Rows>(v), u);
      acc[0][v] += x0 * b;
      acc[1][v] += x1 * b;
      acc[2][v] += x2 * b;
      acc[3][v] += x3 * b;
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
    accumulate_columns<Real, k_column_block, Rows>(n, first, count, v * lanes, scale, out + v * lanes, ld);
  if constexpr (k_column_block == 4) {
    if (nv - v == 3)
      accumulate_columns<Real, 3, Rows>(n, first, count, v * lanes, scale, out + v * lanes, ld);
    if (nv - v == 2)
      accumulate_columns<Real, 2, Rows>(n, first, count, v * lanes, scale, out + v * lanes, ld);
  }
  if (nv - v == 1) accumulate_columns<Real, 1, Rows>(n, first, count, v * lanes, scale, out + v * lanes, ld);
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

/// (k_lanes, k_lanes) block from rows `from_stride` apart to rows `to_stride` apart, transposed.
template <class Real>
NANODAY_INLINE void transpose_block(const Real* from, long from_stride, Real* to, long to_stride) {
  Vec<Real> v[k_lanes<Real>];
#pragma GCC unroll 16
  for (int i = 0; i < k_lanes<Real>; ++i) v[i] = load(from + i * from_stride);
  transpose<Real>(v);
#pragma GCC unroll 16
  for (int i = 0; i < k_lanes<Real>; ++i) store(to + i * to_stride, v[i]);
}

/// Rows of k_lanes atoms (lanes, size) to lanes over atoms (size, batch), and back. size is a multiple of
/// k_lanes.
template <class Real>
void rows_to_lanes(const Real* rows, int size, Real* lanes) {
  for (int x = 0; x < size; x += k_lanes<Real>)
    transpose_block(rows + x, size, lanes + static_cast<long>(x) * k_batch<Real>, k_batch<Real>);
}
template <class Real>
void lanes_to_rows(const Real* lanes, int size, Real* rows) {
  for (int x = 0; x < size; x += k_lanes<Real>)
    transpose_block(lanes + static_cast<long>(x) * k_batch<Real>, k_batch<Real>, rows + x, size);
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

/// a' = a·rotation for each of the four rows.
template <class Real>
const Real* rotate(const PackedCentre<Real>& centre, Workspace<Real>& ws) {
  if (centre.rotation.n_in == 0) return ws.a.data();
  constexpr int b = k_batch<Real>;
  for (int c = 0; c < 4; ++c)
    gemm<Real, GemmStart::zero>(centre.rotation.forward, centre.rotation.n_in,
                                ws.a.data() + static_cast<long>(c) * centre.n_columns * b,
                                ws.rotated.data() + static_cast<long>(c) * centre.rotation.out_padded * b,
                                centre.rotation.bias.data(), ws.count());
  return ws.rotated.data();
}

/// Features first…last of S[f] = Σ_c a'[c, p_f] a'[c, q_f], handed to put(f, value). Pairs with equal p
/// follow each other.
template <class Real, class Put>
NANODAY_INLINE void pair_products(const PackedCentre<Real>& centre, const Real* x, long stride, int first,
                                  int last, const Put& put) {
  constexpr long b = k_batch<Real>;
  for (int f = first; f < last;) {
    const int p = centre.pair_p[f];
    const Vec<Real> p0 = load(x + p * b), p1 = load(x + stride + p * b);
    const Vec<Real> p2 = load(x + 2 * stride + p * b), p3 = load(x + 3 * stride + p * b);
    for (; f < last && centre.pair_p[f] == p; ++f) {
      const Real* q = x + centre.pair_q[f] * b;
      put(f, p0 * load(q) + p1 * load(q + stride) + p2 * load(q + 2 * stride) + p3 * load(q + 3 * stride));
    }
  }
}

/// S into ws.features, those of faint products into ws.pairs, those of weak products into ws.weak and, for
/// energies, ws.weak_exact.
template <class Real>
void pair_features(const PackedCentre<Real>& centre, const Real* a, int rows, bool want_exact,
                   Workspace<Real>& ws, int n_vectors) {
  constexpr long b = k_batch<Real>;
  const int n = static_cast<int>(centre.pair_p.size()), n_precise = centre.n_precise;
  for (int v = 0; v < n_vectors; ++v) {
    const long lane = v * k_lanes<Real>;
    Real* out = ws.features.data() + lane;
    const int n_stored = n_precise < centre.n_single ? n_precise : centre.n_single;
    pair_products(centre, a + lane, rows * b, 0, n_stored,
                  [&](int f, Vec<Real> s) { store(out + f * b, s); });
    if constexpr (std::is_same_v<Real, float>) {
      Vec<float> even{};
      std::uint32_t* const pairs = ws.pairs.data() + lane;
      pair_products(centre, a + lane, rows * b, n_stored, n, [&](int f, Vec<float> s) {
        const int k = f - n_stored;
        if (k % 2 == 0) even = s;
        if (k % 2 == 1 || f + 1 == n) store_pairs(pairs + k / 2 * b, even, k % 2 == 1 ? s : Vec<float>{});
      });
    }
    if constexpr (std::is_same_v<Real, double>) {
      float* weak = ws.weak.data() + lane;
      double* exact = ws.weak_exact.data() + lane;
      pair_products(centre, a + lane, rows * b, n_precise, n, [&](int f, Vec<Real> s) {
        store_as<float>(weak + (f - n_precise) * b, s);
        if (want_exact) store(exact + (f - n_precise) * b, s);
      });
    }
  }
}

/// ∂E/∂a'[c, p] += ∂E/∂S[f] a'[c, q], and p ↔ q, for features first…last with ∂E/∂S[f] = get(f).
template <class Real, class Get>
NANODAY_INLINE void pair_products_gradient(const PackedCentre<Real>& centre, const Real* x, Real* y,
                                           long stride, int first, int last, const Get& get) {
  constexpr long b = k_batch<Real>;
  for (int f = first; f < last;) {
    const int p = centre.pair_p[f];
    Vec<Real> p_in[4], p_out[4];
#pragma GCC unroll 4
    for (int c = 0; c < 4; ++c) {
      p_in[c] = load(x + c * stride + p * b);
      p_out[c] = Vec<Real>{};
    }
    for (; f < last && centre.pair_p[f] == p; ++f) {
      const Vec<Real> s = get(f);
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

/// ∂E/∂S in ws.features and ws.weak back to ∂E/∂a', added to `d`.
template <class Real>
void pair_features_gradient(const PackedCentre<Real>& centre, const Real* a, int rows,
                            const Workspace<Real>& ws, Real* d, int n_vectors) {
  constexpr long b = k_batch<Real>;
  const int n = static_cast<int>(centre.pair_p.size()), n_precise = centre.n_precise;
  for (int v = 0; v < n_vectors; ++v) {
    const long lane = v * k_lanes<Real>;
    const Real* g = ws.features.data() + lane;
    pair_products_gradient(centre, a + lane, d + lane, rows * b, 0, n_precise,
                           [&](int f) { return load(g + f * b); });
    if constexpr (std::is_same_v<Real, double>) {
      const float* weak = ws.weak.data() + lane;
      pair_products_gradient(centre, a + lane, d + lane, rows * b, n_precise, n,
                             [&](int f) { return load_single(weak + (f - n_precise) * b); });
    }
  }
}

}  // namespace nanoday::cpu::NANODAY_ISA
