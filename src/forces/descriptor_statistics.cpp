// Descriptors and gradients of a sample, straight from the equations.
// SPDX-License-Identifier: Apache-2.0
#include "forces/descriptor_statistics.hpp"

#include "math/activation.hpp"
#include "math/counter_rng.hpp"
#include "math/environment_matrix.hpp"
#include "model/embedding_table.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

/// Value of G at s from a fine table; false outside it.
bool add_embedding(const PieceTable& table, double s, const std::array<double, 4>& row, double* t) {
  if (!(s >= table.lower && s < table.max)) return false;
  const bool fine = s < table.upper;
  const double start = fine ? table.lower : table.upper, stride = fine ? table.stride0 : table.stride1;
  const int i = std::min(static_cast<int>((s - start) / stride),
                         fine ? table.n_first - 1 : table.n_pieces - table.n_first - 1);
  const double u = s - (start + i * stride);
  const int m1 = table.columns;
  const double* a =
      table.coefficients.data() + static_cast<std::size_t>(fine ? i : table.n_first + i) * 6 * m1;
  for (int m = 0; m < m1; ++m) {
    const double g =
        a[m] +
        u * (a[m1 + m] + u * (a[2 * m1 + m] + u * (a[3 * m1 + m] + u * (a[4 * m1 + m] + u * a[5 * m1 + m]))));
    for (int c = 0; c < 4; ++c) t[c * m1 + m] += row[c] * g;
  }
  return true;
}

DescriptorStatistics::Neighbor describe(const Model& model, int centre, int type, Vec3 d) {
  const EnvironmentRow raw = environment_row(d, model.rcut, model.rcut_smth, model.switch_width);
  DescriptorStatistics::Neighbor n{};
  n.type = type;
  for (int c = 0; c < 4; ++c) n.row[c] = (raw.value[c] - model.avg[centre][c]) / model.std[centre][c];
  n.s = n.row[0];
  const std::array<double, 3> x{d.x, d.y, d.z};
  double d0[3];
  for (int k = 0; k < 3; ++k) d0[k] = raw.radial * x[k] / model.std[centre][0];
  for (int c = 0; c < 4; ++c) {
    double squares = 0, mixed = 0, first = 0;
    for (int k = 0; k < 3; ++k) {
      double dc = d0[k];
      if (c > 0)
        dc = (raw.angular * x[c - 1] * x[k] + (k == c - 1 ? raw.isotropic : 0.0)) / model.std[centre][c];
      squares += dc * dc;
      mixed += dc * d0[k];
      first += d0[k] * d0[k];
    }
    n.alpha += squares;
    n.beta += n.row[c] * mixed;
    n.gamma += n.row[c] * n.row[c] * first;
  }
  return n;
}

/// y (n_out) = x·W + b.
std::vector<double> affine(const DenseLayer& layer, const std::vector<double>& x) {
  std::vector<double> y = layer.bias;
  for (int i = 0; i < layer.n_in; ++i)
    for (int o = 0; o < layer.n_out; ++o)
      y[o] += x[i] * layer.weight[static_cast<std::size_t>(i) * layer.n_out + o];
  return y;
}

/// ∂E/∂z of the first layer, by running the net forward and back (spec 2.6).
std::vector<double> first_layer_gradient(const FittingNet& net, const std::vector<double>& descriptor,
                                         const std::vector<double>& seed) {
  std::vector<std::vector<double>> slope;
  std::vector<double> h = descriptor;
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    const DenseLayer& layer = net.layers[l];
    std::vector<double> z = affine(layer, h);
    slope.emplace_back(z.size());
    for (std::size_t o = 0; o < z.size(); ++o) {
      const ActivationValue f = activate(net.activation, z[o]);
      const double dt = layer.idt.empty() ? 1.0 : layer.idt[o];
      slope[l][o] = dt * f.slope;
      z[o] = dt * f.value + (l > 0 && layer.n_in == layer.n_out ? h[o] : 0.0);
    }
    h = std::move(z);
  }
  std::vector<double> g = seed;
  for (std::size_t l = net.layers.size() - 1; l > 0; --l) {
    const DenseLayer& layer = net.layers[l];
    std::vector<double> below(layer.n_in, 0.0);
    for (int i = 0; i < layer.n_in; ++i) {
      for (int o = 0; o < layer.n_out; ++o)
        below[i] += layer.weight[static_cast<std::size_t>(i) * layer.n_out + o] * g[o] * slope[l][o];
      if (layer.n_in == layer.n_out) below[i] += g[i];
    }
    g = std::move(below);
  }
  for (std::size_t o = 0; o < g.size(); ++o) g[o] *= slope[0][o];
  return g;
}

/// ∂E/∂h of the last layer: the output weights; for dipoles, of a random projection of μ.
std::vector<double> output_seed(const Model& model, const DescriptorStatistics::Centre& c,
                                const std::vector<double>& t, std::uint64_t id) {
  const DenseLayer& out = model.fitting[c.type].output;
  if (model.kind == ModelKind::energy) return out.weight;
  const Vec3 direction = normal3(97, 0, id);
  std::vector<double> seed(out.n_in, 0.0);
  for (int m = 0; m < model.m1; ++m) {
    const double q =
        direction.x * t[model.m1 + m] + direction.y * t[2 * model.m1 + m] + direction.z * t[3 * model.m1 + m];
    for (int i = 0; i < out.n_in; ++i) seed[i] += out.weight[static_cast<std::size_t>(i) * out.n_out + m] * q;
  }
  return seed;
}

void add_gradient(const Model& model, std::uint64_t id, DescriptorStatistics::Centre& c) {
  const int m1 = model.m1, m2 = model.m2;
  std::vector<double> t(4 * m1, 0.0), d(static_cast<std::size_t>(m1) * m2, 0.0);
  for (int type = 0; type < model.n_types(); ++type)
    for (int k = 0; k < 4 * m1; ++k) t[k] += c.t[static_cast<std::size_t>(type) * 4 * m1 + k];
  for (int m = 0; m < m1; ++m)
    for (int k = 0; k < m2; ++k)
      for (int row = 0; row < 4; ++row)
        d[static_cast<std::size_t>(m) * m2 + k] += t[row * m1 + m] * t[row * m1 + k];
  c.dz = first_layer_gradient(model.fitting[c.type], d, output_seed(model, c, t, id));
}

/// False when a neighbor lies outside the tables.
bool describe_centre(const Model& model, const std::vector<PieceTable>& tables, const SampleSystem& s,
                     std::int64_t i, DescriptorStatistics::Centre& c) {
  const int m1 = model.m1;
  c.type = s.type[i];
  c.t.assign(static_cast<std::size_t>(model.n_types()) * 4 * m1, 0.0);
  for (int type = 0; type < model.n_types(); ++type) {
    if (model.is_excluded(c.type, type)) continue;
    double* t = c.t.data() + static_cast<std::size_t>(type) * 4 * m1;
    const PieceTable& table = tables[model.pair_index(c.type, type)];
    const std::int64_t k0 = i * model.n_types() + type;
    int count = 0;
    for (std::int64_t k = s.list.offset[k0]; k < s.list.offset[k0 + 1]; ++k, ++count) {
      const auto n = describe(model, c.type, type, xyz(s.position[s.list.index[k]]) - xyz(s.position[i]));
      if (!add_embedding(table, n.s, n.row, t)) return false;
      c.neighbors.push_back(n);
    }
    std::array<double, 4> padding;
    for (int r = 0; r < 4; ++r)
      padding[r] = -model.avg[c.type][r] / model.std[c.type][r] * (model.sel[type] - count);
    if (!add_embedding(table, -model.avg[c.type][0] / model.std[c.type][0], padding, t)) return false;
    for (int r = 0; r < 4 * m1; ++r) t[r] /= model.normaliser;
  }
  return true;
}

}  // namespace

void measure_descriptors(const Model& model, const SampleSystem& sample, DescriptorStatistics& statistics) {
  std::vector<PieceTable> tables(model.pair_count());
  for (int c = 0; c < (model.one_sided ? 1 : model.n_types()); ++c)
    for (int n = 0; n < model.n_types(); ++n) {
      const int k = model.pair_index(c, n);
      if (model.compressed && !model.tables[k].empty()) tables[k] = convert_table(model.tables[k], {}, 0);
      if (!model.compressed && !model.embedding[k].empty())
        tables[k] = make_table(model.embedding[k], table_range(model, model.one_sided ? -1 : c, n),
                               k_lowrank_interval, {}, 0);
    }
  std::vector<DescriptorStatistics::Centre> found(static_cast<std::size_t>(sample.n_centres));
  std::vector<char> kept(found.size(), 0);
#pragma omp parallel for schedule(dynamic, 4)
  for (std::int64_t i = 0; i < sample.n_centres; ++i) {
    if (model.fitting[sample.type[i]].empty()) continue;
    if (!describe_centre(model, tables, sample, i, found[i])) continue;
    add_gradient(model, static_cast<std::uint64_t>(sample.id[i]), found[i]);
    kept[i] = 1;
  }
  for (std::size_t i = 0; i < found.size(); ++i)
    if (kept[i]) statistics.centres.push_back(std::move(found[i]));
}

}  // namespace nanoday
