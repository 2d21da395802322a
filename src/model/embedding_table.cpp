// Fifth-order tables: construction.
// SPDX-License-Identifier: Apache-2.0
#include "model/embedding_table.hpp"

#include "core/error.hpp"
#include "math/activation.hpp"
#include "math/switch_function.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

/// One layer by forward differentiation, shortcut and idt rules of spec 2.4.
void apply_layer(const DenseLayer& layer, Activation activation, EmbeddingValue& x) {
  const int n = layer.n_out, m = layer.n_in;
  EmbeddingValue y{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
  const bool shortcut = n == m || n == 2 * m;
  for (int o = 0; o < n; ++o) {
    double z = layer.bias[o], z1 = 0, z2 = 0;
    for (int i = 0; i < m; ++i) {
      const double w = layer.weight[static_cast<std::size_t>(i) * n + o];
      z += x.value[i] * w;
      z1 += x.slope[i] * w;
      z2 += x.curvature[i] * w;
    }
    const ActivationValue f = activate(activation, z);
    const double dt = shortcut && !layer.idt.empty() ? layer.idt[o] : 1.0;
    y.value[o] = dt * f.value;
    y.slope[o] = dt * f.slope * z1;
    y.curvature[o] = dt * (f.curvature * z1 * z1 + f.slope * z2);
    if (!shortcut) continue;
    y.value[o] += x.value[o % m];
    y.slope[o] += x.slope[o % m];
    y.curvature[o] += x.curvature[o % m];
  }
  x = std::move(y);
}

std::vector<double> times(const std::vector<double>& row, const std::vector<double>& project, int rank) {
  if (project.empty()) return row;
  std::vector<double> out(rank, 0.0);
  for (std::size_t m = 0; m < row.size(); ++m)
    for (int p = 0; p < rank; ++p) out[p] += row[m] * project[m * rank + p];
  return out;
}

/// Coefficients of one piece from both ends (spec 3), written power by power.
void write_piece(const EmbeddingValue& a, const EmbeddingValue& b, double t, double* out) {
  const std::size_t n = a.value.size();
  for (std::size_t m = 0; m < n; ++m) {
    const double h = b.value[m] - a.value[m], d0 = a.slope[m], d1 = b.slope[m];
    const double c0 = a.curvature[m], c1 = b.curvature[m];
    out[m] = a.value[m];
    out[n + m] = d0;
    out[2 * n + m] = 0.5 * c0;
    out[3 * n + m] = (20 * h - (8 * d1 + 12 * d0) * t - (3 * c0 - c1) * t * t) / (2 * t * t * t);
    out[4 * n + m] = (-30 * h + (14 * d1 + 16 * d0) * t + (3 * c0 - 2 * c1) * t * t) / (2 * t * t * t * t);
    out[5 * n + m] = (12 * h - 6 * (d1 + d0) * t + (c1 - c0) * t * t) / (2 * t * t * t * t * t);
  }
}

}  // namespace

EmbeddingValue evaluate_net(const EmbeddingNet& net, double s) {
  EmbeddingValue x{{s}, {1.0}, {0.0}};
  for (const DenseLayer& layer : net.layers) apply_layer(layer, net.activation, x);
  return x;
}

EmbeddingValue evaluate_table(const CompressedTable& table, double s) {
  const PieceTable t = convert_table(table, {}, 0);
  double delta = 0, x = s;
  if (s < t.lower) delta = s - t.lower, x = t.lower;
  if (s >= t.max) delta = s - t.max, x = t.max;
  int row = 0;
  double start = t.lower;
  if (x < t.upper) {
    row = std::min(static_cast<int>((x - t.lower) / t.stride0), t.n_first - 1);
    start = t.lower + row * t.stride0;
  } else {
    const double inside = s >= t.max ? std::nextafter(t.max, t.lower) : x;
    const int i = std::min(static_cast<int>((inside - t.upper) / t.stride1), t.n_pieces - t.n_first - 1);
    row = t.n_first + i;
    start = t.upper + i * t.stride1;
  }
  const double u = x - start;
  const double* a = t.coefficients.data() + static_cast<std::size_t>(row) * 6 * t.columns;
  EmbeddingValue out;
  for (int m = 0; m < t.columns; ++m) {
    const auto c = [&](int k) { return a[k * t.columns + m]; };
    const double p = c(0) + u * (c(1) + u * (c(2) + u * (c(3) + u * (c(4) + u * c(5)))));
    const double d = c(1) + u * (2 * c(2) + u * (3 * c(3) + u * (4 * c(4) + u * 5 * c(5))));
    out.value.push_back(p + d * delta);
    out.slope.push_back(d);
    out.curvature.push_back(2 * c(2) + u * (6 * c(3) + u * (12 * c(4) + u * 20 * c(5))));
  }
  return out;
}

std::array<double, 2> table_range(const Model& model, int centre, int neighbor) {
  const double r = model.min_nbor_dist > 0 ? model.min_nbor_dist : 0.5;
  const double w = switch_function(r, model.rcut, model.rcut_smth, model.switch_width).value;
  std::array<double, 2> range{1e300, -1e300};
  for (int c = 0; c < model.n_types(); ++c) {
    if (centre >= 0 ? c != centre : model.is_excluded(c, neighbor)) continue;
    range[0] = std::min(range[0], -model.avg[c][0] / model.std[c][0]);
    range[1] = std::max(range[1], (w / r - model.avg[c][0]) / model.std[c][0]);
  }
  if (range[0] > range[1]) range = {0, 0};  // no centre sees this type: nothing reads the table
  range[0] -= 1e-6;  // a neighbor at the cutoff must not fall out by rounding
  return range;
}

PieceTable make_table(const EmbeddingNet& net, std::array<double, 2> range, double interval,
                      const std::vector<double>& project, int rank) {
  PieceTable t;
  t.lower = range[0];
  t.n_first = t.n_pieces = std::max(1, static_cast<int>(std::ceil((range[1] - range[0]) / interval)));
  require(t.n_pieces <= 1000000,
          "the table would have {} pieces of {} (too many to build); choose a larger interval", t.n_pieces,
          interval);
  t.stride0 = interval;
  t.stride1 = interval;
  t.upper = t.max = t.lower + t.n_pieces * interval;
  t.columns = project.empty() ? net.layers.back().n_out : rank;
  t.coefficients.resize(static_cast<std::size_t>(t.n_pieces) * 6 * t.columns);
  const auto node = [&](int i) {
    EmbeddingValue v = evaluate_net(net, t.lower + i * interval);
    return EmbeddingValue{times(v.value, project, rank), times(v.slope, project, rank),
                          times(v.curvature, project, rank)};
  };
  EmbeddingValue left = node(0);
  for (int i = 0; i < t.n_pieces; ++i) {
    EmbeddingValue right = node(i + 1);
    write_piece(left, right, interval, t.coefficients.data() + static_cast<std::size_t>(i) * 6 * t.columns);
    left = std::move(right);
  }
  return t;
}

PieceTable convert_table(const CompressedTable& table, const std::vector<double>& project, int rank) {
  PieceTable t;
  t.lower = table.lower;
  t.upper = table.upper;
  t.max = table.max;
  t.stride0 = table.stride0;
  t.stride1 = table.stride1;
  t.n_pieces = table.n_rows;
  t.n_first = std::min(table.n_rows, static_cast<int>((table.upper - table.lower) / table.stride0));
  t.columns = project.empty() ? table.n_outputs : rank;
  t.coefficients.resize(static_cast<std::size_t>(t.n_pieces) * 6 * t.columns);
  std::vector<double> row(table.n_outputs);
  for (int i = 0; i < t.n_pieces; ++i)
    for (int k = 0; k < 6; ++k) {
      for (int m = 0; m < table.n_outputs; ++m)
        row[m] = table.coefficients[(static_cast<std::size_t>(i) * table.n_outputs + m) * 6 + k];
      const std::vector<double> out = times(row, project, rank);
      std::copy(out.begin(), out.end(),
                t.coefficients.begin() + (static_cast<std::size_t>(i) * 6 + k) * t.columns);
    }
  return t;
}

}  // namespace nanoday
