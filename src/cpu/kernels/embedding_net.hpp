// The embedding net itself for neighbors that no table covers, lanes over neighbors.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/simd.hpp"
#include "cpu/kernels/tanh.hpp"
#include "cpu/kernels/workspace.hpp"
#include "math/activation.hpp"

namespace nanoday::cpu {
/// activate() for one lane, out of line so that kernels need no math library inlined.
void activate_lane(Activation kind, double x, double& value, double& slope);
}  // namespace nanoday::cpu

namespace nanoday::cpu::NANODAY_ISA {

/// φ and φ' of every lane.
template <class Real>
NANODAY_INLINE void activate_lanes(Activation kind, Vec<Real> x, Vec<Real>& value, Vec<Real>& slope) {
  if (kind == Activation::tanh) {
    value = tanh_lanes<Real>(x);
    slope = Real(1) - value * value;
    return;
  }
  for (int l = 0; l < k_lanes<Real>; ++l) {
    double v, s;
    activate_lane(kind, x[l], v, s);
    value[l] = static_cast<Real>(v);
    slope[l] = static_cast<Real>(s);
  }
}

/// G(s̃) and G'(s̃) of k_lanes neighbors by forward differentiation (spec 2.4).
/// \param x,d  scratch and result: values and slopes, (width) vectors
inline void embedding_lanes(const EmbeddingNet& net, Vec<double> s, Vec<double>* x, Vec<double>* d,
                            Vec<double>* y, Vec<double>* e) {
  x[0] = s;
  d[0] = broadcast(1.0);
  for (const DenseLayer& layer : net.layers) {
    const int m = layer.n_in, n = layer.n_out;
    const bool shortcut = n == m || n == 2 * m;
    const double* w = layer.weight.data();
    for (int o = 0; o < n; ++o) {
      Vec<double> z = broadcast(layer.bias[o]), z1{};
      for (int i = 0; i < m; ++i) {
        z += x[i] * w[static_cast<long>(i) * n + o];
        z1 += d[i] * w[static_cast<long>(i) * n + o];
      }
      Vec<double> value, slope;
      activate_lanes<double>(net.activation, z, value, slope);
      const double dt = shortcut && !layer.idt.empty() ? layer.idt[o] : 1.0;
      y[o] = value * dt;
      e[o] = slope * z1 * dt;
      if (!shortcut) continue;
      y[o] += x[o % m];
      e[o] += d[o % m];
    }
    std::memcpy(x, y, sizeof(Vec<double>) * n);
    std::memcpy(d, e, sizeof(Vec<double>) * n);
  }
}

/// A piece whose value is b and whose slope is b' at t = 0. Tables read six rows, nets two.
template <class Real>
NANODAY_INLINE Real* linear_piece(SpecialPieces<Real>& special, int columns, int rows) {
  Real* p = special.allocate(static_cast<std::size_t>(rows) * columns);
  std::memset(p, 0, sizeof(Real) * rows * columns);
  return p;
}

/// Linear continuation of a compressed model's table beyond its ends (spec 3).
template <class Real>
void continue_linearly(const PackedTable<Real>& table, double s, std::int64_t k, NeighborBlock<Real>& n,
                       SpecialPieces<Real>& special) {
  const bool below = s < table.lower;
  const int last_coarse = table.n_pieces - table.n_first - 1;
  double u = 0, delta = s - table.lower;
  std::int64_t row = 0;
  if (!below) {
    const double inside = __builtin_nextafter(table.max, table.lower);
    const bool coarse = last_coarse >= 0 && inside >= table.upper;
    const int limit = coarse ? last_coarse : table.n_first - 1;
    const double lower = coarse ? table.upper : table.lower, stride = coarse ? table.stride1 : table.stride0;
    int i = static_cast<int>((inside - lower) / stride);
    i = i < limit ? i : limit;
    row = coarse ? table.n_first + i : i;
    u = table.max - (i * stride + lower);
    delta = s - table.max;
  }
  const Real* a = table.coefficients.data() + row * 6 * table.columns;
  Real* p = linear_piece(special, table.columns, 6);
  for (int m = 0; m < table.columns; ++m) {
    double c[6];
    for (int j = 0; j < 6; ++j) c[j] = a[in_piece<Real>(6, j, m)];
    const double value = c[0] + u * (c[1] + u * (c[2] + u * (c[3] + u * (c[4] + u * c[5]))));
    const double slope = c[1] + u * (2 * c[2] + u * (3 * c[3] + u * (4 * c[4] + u * 5 * c[5])));
    p[in_piece<Real>(6, 0, m)] = static_cast<Real>(value + slope * delta);
    p[in_piece<Real>(6, 1, m)] = static_cast<Real>(slope);
  }
  n.piece[k] = p;
  n.t[k] = 0;
}

/// Gives neighbors outside the table (or all, where there is none) a piece of their own.
template <class Real>
void continue_table(const PackedTable<Real>& table, NeighborBlock<Real>& n, std::int64_t first, int count,
                    SpecialPieces<Real>& special) {
  constexpr int lanes = k_lanes<double>;
  const bool tabulated = !table.coefficients.empty();
  const int rows = tabulated ? 6 : 2;
  Vec<double> x[k_max_embedding_width], d[k_max_embedding_width], y[k_max_embedding_width],
      e[k_max_embedding_width];
  for (std::int64_t k = first; k < first + count; k += lanes) {
    bool evaluated = false;
    for (int l = 0; l < lanes && k + l < first + count; ++l) {
      const double s = n.s[k - first + l];
      if (tabulated && s >= table.lower && s < table.max) continue;
      if (table.net == nullptr) {
        continue_linearly(table, s, k + l, n, special);
        continue;
      }
      if (!evaluated) embedding_lanes(*table.net, load(&n.s[k - first]), x, d, y, e);
      evaluated = true;
      Real* p = linear_piece(special, table.columns, rows);
      for (int m = 0; m < table.net_columns; ++m) {
        p[in_piece<Real>(rows, 0, m)] = static_cast<Real>(x[m][l]);
        p[in_piece<Real>(rows, 1, m)] = static_cast<Real>(d[m][l]);
      }
      n.piece[k + l] = p;
      n.t[k + l] = 0;
    }
  }
}

}  // namespace nanoday::cpu::NANODAY_ISA
