// From ∂E/∂a to forces and virials of every neighbor pair.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/descriptor.hpp"
#include "cpu/kernels/kernel_set.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// ∂E/∂R of every neighbor of a segment from NV column vectors of ∂E/∂a (4, ld); added to d_row unless First.
/// ∂E/∂R_0 includes the slope of the table: s̃ is R_0.
template <class Real, int NV, int Rows, bool First>
void row_gradient_columns(NeighborBlock<Real>& n, std::int64_t first, int count, int column, const Real* da,
                          int ld) {
  Vec<Real> g[4][NV];
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c)
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) g[c][v] = load(da + c * ld + v * k_lanes<Real>);
  const Real* const* piece = n.piece.data();
  const long start = in_piece<Real>(Rows, 0, column);
  const Real *t = n.t.data(), *r0 = n.row[0].data(), *r1 = n.row[1].data(), *r2 = n.row[2].data(),
             *r3 = n.row[3].data();
  Real* out = n.d_row.data() - 4 * first;
  for (std::int64_t k = first; k < first + count; ++k) {
    const Vec<Real> u = broadcast_from(t + k), x0 = broadcast_from(r0 + k), x1 = broadcast_from(r1 + k),
                    x2 = broadcast_from(r2 + k), x3 = broadcast_from(r3 + k);
    Vec<Real> s0{}, s1{}, s2{}, s3{}, slope{};
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      Vec<Real> b, d;
      table_value_and_slope<Real, Rows>(piece[k] + start + next_columns<Real, Rows>(v), u, b, d);
      const Vec<Real> db = g[0][v] * x0 + g[1][v] * x1 + g[2][v] * x2 + g[3][v] * x3;
      slope += db * d;
      s0 += g[0][v] * b;
      s1 += g[1][v] * b;
      s2 += g[2][v] * b;
      s3 += g[3][v] * b;
    }
    s0 += slope;
    if constexpr (First) {
      sum_lanes4<Real>(s0, s1, s2, s3, out + 4 * k);
    } else {
      Real sum[4];
      sum_lanes4<Real>(s0, s1, s2, s3, sum);
      for (int c = 0; c < 4; ++c) out[4 * k + c] += sum[c];
    }
  }
}

template <class Real, int NV, int Rows>
NANODAY_INLINE void row_gradient_block(NeighborBlock<Real>& n, std::int64_t first, int count, int column,
                                       const Real* da, int ld) {
  if (column == 0)
    row_gradient_columns<Real, NV, Rows, true>(n, first, count, column, da, ld);
  else
    row_gradient_columns<Real, NV, Rows, false>(n, first, count, column, da + column, ld);
}

template <class Real, int Rows>
void row_gradient(NeighborBlock<Real>& n, std::int64_t first, int count, int columns, const Real* da,
                  int ld) {
  constexpr int lanes = k_lanes<Real>;
  const int nv = columns / lanes;
  int v = 0;
  for (; v + k_column_block <= nv; v += k_column_block)
    row_gradient_block<Real, k_column_block, Rows>(n, first, count, v * lanes, da, ld);
  if constexpr (k_column_block == 4) {
    if (nv - v == 3) row_gradient_block<Real, 3, Rows>(n, first, count, v * lanes, da, ld);
    if (nv - v == 2) row_gradient_block<Real, 2, Rows>(n, first, count, v * lanes, da, ld);
  }
  if (nv - v == 1) row_gradient_block<Real, 1, Rows>(n, first, count, v * lanes, da, ld);
}

/// g = ∂E_i/∂r_ij of every neighbor of a segment (spec 2.3, 2.7).
template <class Real>
void pair_gradient(const PackedCentre<Real>& centre, NeighborBlock<Real>& n, std::int64_t first, int count) {
  using V = Vec<double>;
  for (std::int64_t k = first; k < first + count; k += k_lanes<double>) {
    const V x = load(&n.dx[k]), y = load(&n.dy[k]), z = load(&n.dz[k]);
    const Real* rows = &n.d_row[4 * (k - first)];
    V q[4];
    load_rows4(rows, q);
    const V q0 = q[0] * centre.inverse_std[0], q1 = q[1] * centre.inverse_std[1];
    const V q2 = q[2] * centre.inverse_std[2], q3 = q[3] * centre.inverse_std[3];
    const V along = q0 * load(&n.radial[k]) + load(&n.angular[k]) * (q1 * x + q2 * y + q3 * z);
    const V iso = load(&n.isotropic[k]);
    const V g[4] = {along * x + iso * q1, along * y + iso * q2, along * z + iso * q3, V{}};
    store_rows4(&n.g[4 * (k - first)], g);
  }
}

/// F_i += Σ g, F_j −= g in double.
template <class Real>
void scatter_force(const NeighborBlock<Real>& n, std::int64_t first, int count, std::int32_t atom,
                   Vec4* force) {
  Row4 own{};
  const double* rows = n.g.data() - 4 * first;
  for (std::int64_t k = first; k < first + count; ++k) {
    const Row4 g = load_row4(rows + 4 * k);
    double* f = &force[n.index[k]].x;
    Row4 at = load_row4(f);
    at -= g;
    store_row4(f, at);
    own += g;
  }
  double* f = &force[atom].x;
  own += load_row4(f);
  store_row4(f, own);
}

/// As scatter_force in 64-bit fixed point: the order of the additions does not matter. Returns false when a
/// contribution is too large to be represented safely.
template <class Real>
bool scatter_fixed(const NeighborBlock<Real>& n, std::int64_t first, int count, std::int32_t atom,
                   std::array<std::int64_t, 4>* fixed) {
  constexpr double k_limit = 4096.0;  // eV/Å per pair; 128 such pairs still fit 2^63
  std::int64_t own[3] = {0, 0, 0};
  bool fits = true;
  for (std::int64_t k = first; k < first + count; ++k) {
    const double* g = &n.g[4 * (k - first)];
    auto& row = fixed[n.index[k]];
    for (int c = 0; c < 3; ++c) {
      fits &= g[c] < k_limit && g[c] > -k_limit;
      const std::int64_t q = fits ? __builtin_llrint(g[c] * k_fixed_point_scale) : 0;
      row[c] -= q;
      own[c] += q;
    }
  }
  for (int c = 0; c < 3; ++c) fixed[atom][c] += own[c];
  return fits;
}

/// W −= g ⊗ r (spec 2.7), by centre and, when asked, on the neighbor.
template <class Real>
void add_virial(const NeighborBlock<Real>& n, std::int64_t first, int count, std::array<double, 9>& centre,
                std::array<double, 9>* on_neighbor) {
  for (std::int64_t k = first; k < first + count; ++k) {
    const double *g = &n.g[4 * (k - first)], r[3] = {n.dx[k], n.dy[k], n.dz[k]};
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) {
        const double w = g[a] * r[b];
        centre[3 * a + b] -= w;
        if (on_neighbor != nullptr) on_neighbor[n.index[k]][3 * a + b] -= w;
      }
  }
}

/// Forces and virials of one atom's neighbors from its ∂E/∂a rows (4, n_columns), already divided by N.
template <class Real>
void atom_gradient(const PackedModel<Real>& model, const BatchArgs& args, int slot, const Real* da,
                   Workspace<Real>& ws, BatchCounts& counts) {
  const PackedCentre<Real>& centre = model.centres[args.centre_type];
  NeighborBlock<Real>& n = ws.neighbors;
  const std::int32_t atom = ws.atoms[slot];
  for (int type = 0; type < model.n_types; ++type) {
    const int k = slot * model.n_types + type;
    if (centre.table[type] < 0 || n.count[k] == 0) continue;
    const PackedTable<Real>& table = model.tables[centre.table[type]];
    const Real* g = da + centre.first_column[type];
    if (table.coefficients.empty())
      row_gradient<Real, 2>(n, n.first[k], n.count[k], table.columns, g, centre.n_columns);
    else
      row_gradient<Real, 6>(n, n.first[k], n.count[k], table.columns, g, centre.n_columns);
    pair_gradient(centre, n, n.first[k], n.count[k]);
    if (args.force != nullptr)
      scatter_force(n, n.first[k], n.count[k], atom, args.force);
    else if (!scatter_fixed(n, n.first[k], n.count[k], atom, args.fixed))
      counts.fixed_overflow = true;
    if (args.centre_virial != nullptr)
      add_virial(n, n.first[k], n.count[k], args.centre_virial[atom], args.atom_virial);
  }
}

/// Gradients of every atom of the batch from ws.a, which holds ∂E/∂a with lanes over atoms.
template <class Real>
void batch_gradient(const PackedModel<Real>& model, const BatchArgs& args, Workspace<Real>& ws,
                    BatchCounts& counts) {
  constexpr int lanes = k_lanes<Real>;
  const PackedCentre<Real>& centre = model.centres[args.centre_type];
  const int n_atoms = static_cast<int>(ws.atoms.size()), size = 4 * centre.n_columns;
  const Real scale = static_cast<Real>(model.inverse_normaliser);
  for (int first = 0; first < n_atoms; first += lanes) {
    lanes_to_rows(ws.a.data() + first, size, ws.staging.data());
    const int last = n_atoms - first < lanes ? n_atoms - first : lanes;
    for (int m = 0; m < last * size; m += lanes)
      store(ws.staging.data() + m, load(ws.staging.data() + m) * scale);
    for (int l = 0; l < last; ++l)
      atom_gradient(model, args, first + l, ws.staging.data() + static_cast<long>(l) * size, ws, counts);
  }
}

}  // namespace nanoday::cpu::NANODAY_ISA
