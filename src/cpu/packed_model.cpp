// Packs an InferencePlan for the CPU kernels.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/packed_model.hpp"

#include "core/error.hpp"
#include "cpu/sixteen_bits.hpp"
#include "math/activation.hpp"
#include "model/embedding_table.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday::cpu {
namespace {

int round_up(int n, int step) { return (n + step - 1) / step * step; }

/// \param weight (n_in, n_out) row-major; bias and idt may be empty
template <class Real>
PackedDense<Real> pack_dense(const std::vector<double>& weight, int n_in, int n_out,
                             const std::vector<double>& bias, const std::vector<double>& idt) {
  PackedDense<Real> d;
  d.n_in = n_in;
  d.n_out = n_out;
  d.in_padded = round_up(n_in, k_panel);
  d.out_padded = round_up(n_out, k_panel);
  d.forward.assign(static_cast<std::size_t>(d.out_padded) * n_in, Real(0));
  d.backward.assign(static_cast<std::size_t>(d.in_padded) * n_out, Real(0));
  d.bias.assign(d.out_padded, Real(0));
  d.idt.assign(d.out_padded, Real(1));
  for (int i = 0; i < n_in; ++i)
    for (int o = 0; o < n_out; ++o) {
      const Real w = static_cast<Real>(weight[static_cast<std::size_t>(i) * n_out + o]);
      d.forward[(static_cast<std::size_t>(o / k_panel) * n_in + i) * k_panel + o % k_panel] = w;
      d.backward[(static_cast<std::size_t>(i / k_panel) * n_out + o) * k_panel + i % k_panel] = w;
    }
  std::transform(bias.begin(), bias.end(), d.bias.begin(), [](double x) { return static_cast<Real>(x); });
  std::transform(idt.begin(), idt.end(), d.idt.begin(), [](double x) { return static_cast<Real>(x); });
  return d;
}

/// The power of 2 above all weights.
float unit_of(const std::vector<double>& weight) {
  double most = 0;
  for (const double w : weight) most = std::max(most, std::fabs(w));
  int exponent;
  std::frexp(most, &exponent);
  return most > 0 ? static_cast<float>(std::ldexp(1.0, exponent)) : 1.0f;
}

/// \param weight (n_in, n_out) row-major
PairedDense pack_pairs(const std::vector<double>& weight, int n_in, int n_out, PairFormat format) {
  PairedDense d;
  d.n_in = n_in;
  d.n_out = n_out;
  d.in_padded = round_up(n_in, k_panel);
  d.out_padded = round_up(n_out, k_panel);
  const std::size_t in_pairs = static_cast<std::size_t>(n_in + 1) / 2,
                    out_pairs = static_cast<std::size_t>(n_out + 1) / 2;
  if (format == PairFormat::half) d.unit = unit_of(weight);
  d.forward.assign(d.out_padded * in_pairs, 0);
  d.backward.assign(d.in_padded * out_pairs, 0);
  for (int i = 0; i < n_in; ++i)
    for (int o = 0; o < n_out; ++o) {
      const double x = weight[static_cast<std::size_t>(i) * n_out + o];
      const std::uint32_t w = format == PairFormat::half ? to_half(x / d.unit) : to_bfloat16(x);
      d.forward[(o / k_panel * in_pairs + i / 2) * k_panel + o % k_panel] |= w << 16 * (i % 2);
      d.backward[(i / k_panel * out_pairs + o / 2) * k_panel + i % k_panel] |= w << 16 * (o % 2);
    }
  return d;
}

template <class Real>
PackedTable<Real> pack_table(const InferencePlan& plan, int k) {
  const Model& model = *plan.model;
  PackedTable<Real> t;
  if (!model.compressed)
    for (const DenseLayer& layer : model.embedding[k].layers)
      require(layer.n_out <= k_max_embedding_width,
              "{}: an embedding layer has {} outputs (more than {}); "
              "use a narrower model",
              model.source, layer.n_out, k_max_embedding_width);
  const bool lowrank = plan.table == TableKind::lowrank;
  if (!lowrank && !model.compressed && !model.embedding[k].empty()) {
    t.net = &model.embedding[k];
    t.net_columns = model.m1;
  }
  int columns = t.net_columns;
  if (!plan.tables.empty() && !plan.tables[k].empty()) {
    const PieceTable& from = plan.tables[k];
    t.lower = from.lower;
    t.upper = from.upper;
    t.max = from.max;
    t.stride0 = from.stride0;
    t.stride1 = from.stride1;
    t.inverse0 = 1.0 / from.stride0;
    t.inverse1 = 1.0 / from.stride1;
    t.n_first = from.n_first;
    t.n_pieces = from.n_pieces;
    columns = from.columns;
    t.columns = round_up(columns, k_column_pad<Real>);
    t.coefficients.assign(static_cast<std::size_t>(t.n_pieces) * 6 * t.columns, Real(0));
    for (int row = 0; row < t.n_pieces * 6; ++row) {
      Real* piece = t.coefficients.data() + static_cast<std::size_t>(row / 6) * 6 * t.columns;
      for (int m = 0; m < columns; ++m)
        piece[in_piece<Real>(6, row % 6, m)] =
            static_cast<Real>(from.coefficients[static_cast<std::size_t>(row) * columns + m]);
    }
  }
  t.columns = round_up(columns, k_column_pad<Real>);
  return t;
}

/// Value of a table's columns at s̃ of padding: the net's own where there is one, for exactness.
template <class Real>
Array<Real> padding_value(const InferencePlan& plan, int k, double s, int columns) {
  const Model& model = *plan.model;
  const EmbeddingValue g =
      model.compressed ? evaluate_table(model.tables[k], s) : evaluate_net(model.embedding[k], s);
  Array<Real> out(columns, Real(0));
  if (plan.table != TableKind::lowrank) {
    for (int m = 0; m < model.m1; ++m) out[m] = static_cast<Real>(g.value[m]);
    return out;
  }
  const auto& basis = plan.choice.basis[k];
  for (int p = 0; p < basis.rank; ++p) {
    double sum = 0;
    for (int m = 0; m < model.m1; ++m)
      sum += g.value[m] * basis.project[static_cast<std::size_t>(m) * basis.rank + p];
    out[p] = static_cast<Real>(sum);
  }
  return out;
}

/// Where column c of the plan's a sits in the padded a.
std::vector<int> padded_columns(const InferencePlan& plan, int t, const std::vector<int>& first) {
  const CentrePlan& from = plan.centres[t];
  std::vector<int> where(from.n_columns);
  for (int n = 0; n < plan.model->n_types(); ++n) {
    if (plan.model->is_excluded(t, n)) continue;
    const int columns = plan.table == TableKind::lowrank
                            ? plan.choice.basis[plan.model->pair_index(t, n)].rank
                            : from.n_columns;
    for (int c = 0; c < columns; ++c) where[from.first_column[n] + c] = first[n] + c;
  }
  return where;
}

template <class Real>
void pack_environment(const PackedModel<Real>& packed, const InferencePlan& plan, int t,
                      PackedCentre<Real>& c) {
  const Model& model = *plan.model;
  const bool lowrank = plan.table == TableKind::lowrank;
  for (int k = 0; k < 4; ++k) {
    c.avg[k] = model.avg[t][k];
    c.inverse_std[k] = 1.0 / model.std[t][k];
    c.pad_row[k] = -model.avg[t][k] / model.std[t][k];
  }
  c.sel = model.sel;
  for (int n = 0; n < model.n_types(); ++n) {
    const int k = model.pair_index(t, n);
    const bool excluded = model.is_excluded(t, n);
    c.table.push_back(excluded ? -1 : k);
    c.first_column.push_back(lowrank ? c.n_columns : 0);
    const int columns = excluded ? 0 : packed.tables[k].columns;
    c.pad_value.push_back(excluded ? Array<Real>{} : padding_value<Real>(plan, k, c.pad_row[0], columns));
    c.n_columns = lowrank ? c.n_columns + columns : std::max(c.n_columns, columns);
  }
  c.n_columns = std::max(c.n_columns, k_column_pad<Real>);
}

template <class Real>
void pack_rotation(const CentrePlan& from, const std::vector<int>& where, PackedCentre<Real>& c) {
  c.n_rotated = from.n_rotated > 0 ? from.n_rotated : c.n_columns;
  if (from.n_rotated == 0) {
    for (std::size_t f = 0; f < from.pair_p.size(); ++f) {
      c.pair_p.push_back(where[from.pair_p[f]]);
      c.pair_q.push_back(where[from.pair_q[f]]);
    }
    return;
  }
  c.pair_p = from.pair_p;
  c.pair_q = from.pair_q;
  std::vector<double> u(static_cast<std::size_t>(c.n_columns) * from.n_rotated, 0.0);
  for (int i = 0; i < from.n_columns; ++i)
    for (int j = 0; j < from.n_rotated; ++j)
      u[static_cast<std::size_t>(where[i]) * from.n_rotated + j] =
          from.rotation[static_cast<std::size_t>(i) * from.n_rotated + j];
  c.rotation = pack_dense<Real>(u, c.n_columns, from.n_rotated, {}, {});
}

template <class Real>
void pack_output(const Model& model, int t, const CentrePlan& from, const std::vector<int>& where,
                 PackedCentre<Real>& c) {
  const DenseLayer& last = model.fitting[t].output;
  if (model.kind == ModelKind::energy) {
    c.output.assign(c.layers.back().out_padded, Real(0));
    for (int i = 0; i < last.n_in; ++i) c.output[i] = static_cast<Real>(last.weight[i]);
    c.output_bias = last.bias[0] + model.bias_atom_e[t];
    c.energy_scale = model.out_std[t];
    c.energy_shift = model.out_bias[t];
    return;
  }
  std::vector<double> w(static_cast<std::size_t>(last.n_in) * c.n_columns, 0.0), b(c.n_columns, 0.0);
  for (int p = 0; p < from.n_columns; ++p) {
    b[where[p]] = from.output_bias[p];
    for (int i = 0; i < last.n_in; ++i)
      w[static_cast<std::size_t>(i) * c.n_columns + where[p]] =
          from.output[static_cast<std::size_t>(i) * from.n_columns + p];
  }
  c.vector_output = pack_dense<Real>(w, last.n_in, c.n_columns, b, {});
}

/// In double models the weak products get a layer of their own in single precision, and one in double with
/// which energies are corrected: rounding noise of 1e-9 eV would not hurt a force, but differences of
/// energies.
template <class Real>
void pack_first_layer(const CentrePlan& from, const DenseLayer& layer, PairFormat pairs,
                      PackedCentre<Real>& c) {
  const int n = static_cast<int>(from.pair_p.size()), n1 = layer.n_out;
  c.n_precise = std::is_same_v<Real, double> ? from.n_precise : n;
  c.n_single = pairs != PairFormat::none && std::is_same_v<Real, float> ? from.n_single : n;
  const int n_first = std::min(c.n_precise, c.n_single);
  const auto split = from.weight.begin() + static_cast<std::ptrdiff_t>(n_first) * n1;
  c.layers.push_back(pack_dense<Real>({from.weight.begin(), split}, n_first, n1, from.bias, layer.idt));
  if (c.n_single < n) c.faint = pack_pairs({split, from.weight.end()}, n - n_first, n1, pairs);
  if (c.n_precise == n) return;
  c.single.resize(1);
  c.single[0].dense = pack_dense<float>({split, from.weight.end()}, n - c.n_precise, n1, {}, {});
  c.weak_exact = pack_dense<Real>({split, from.weight.end()}, n - c.n_precise, n1, {}, {});
}

/// Layers after the first in single precision: what deviates from the activations at the typical z is small
/// enough for it (measured by whoever allows it).
void pack_single_layers(const FittingNet& net, const CentrePlan& from, PackedCentre<double>& c) {
  std::vector<double> z = from.typical_z, x;
  c.single.resize(net.layers.size());
  for (std::size_t l = 1; l < net.layers.size(); ++l) {
    const DenseLayer& layer = net.layers[l];
    x.resize(z.size());
    for (std::size_t i = 0; i < z.size(); ++i) {
      const PackedDense<double>& before = c.layers[l - 1];
      x[i] = before.idt[i] * activate(net.activation, z[i]).value + (before.residual ? x[i] : 0.0);
    }
    z.assign(layer.n_out, 0.0);
    std::copy(layer.bias.begin(), layer.bias.end(), z.begin());
    for (std::size_t i = 0; i < x.size(); ++i)
      for (std::size_t o = 0; o < z.size(); ++o) z[o] += x[i] * layer.weight[i * z.size() + o];
    SinglePart& part = c.single[l];
    part.dense = pack_dense<float>(layer.weight, layer.n_in, layer.n_out, {}, {});
    part.typical.assign(x.begin(), x.end());
    part.base.assign(part.dense.out_padded, 0.0);
    std::copy(z.begin(), z.end(), part.base.begin());
  }
}

template <class Real>
PackedCentre<Real> pack_centre(const PackedModel<Real>& packed, const InferencePlan& plan, int t,
                               PairFormat pairs) {
  const Model& model = *plan.model;
  const CentrePlan& from = plan.centres[t];
  PackedCentre<Real> c;
  c.active = !model.fitting[t].empty() && !from.weight.empty();
  pack_environment(packed, plan, t, c);
  if (!c.active) return c;
  const std::vector<int> where = padded_columns(plan, t, c.first_column);
  pack_rotation(from, where, c);
  const auto& layers = model.fitting[t].layers;
  pack_first_layer(from, layers[0], pairs, c);
  for (std::size_t l = 1; l < layers.size(); ++l) {
    c.layers.push_back(
        pack_dense<Real>(layers[l].weight, layers[l].n_in, layers[l].n_out, layers[l].bias, layers[l].idt));
    c.layers.back().residual = layers[l].n_in == layers[l].n_out;
  }
  if constexpr (std::is_same_v<Real, double>)
    if (!from.typical_z.empty()) pack_single_layers(model.fitting[t], from, c);
  pack_output(model, t, from, where, c);
  return c;
}

}  // namespace

template <class Real>
PackedModel<Real> pack_model(std::shared_ptr<const InferencePlan> plan, PairFormat pairs) {
  PackedModel<Real> packed;
  const Model& model = *plan->model;
  packed.plan = plan;
  packed.n_types = model.n_types();
  packed.rcut = model.rcut;
  packed.rcut2 = model.rcut * model.rcut;
  packed.rcut_smth = model.rcut_smth;
  packed.inverse_width = 1.0 / model.switch_width;
  packed.inverse_normaliser = 1.0 / model.normaliser;
  for (int k = 0; k < model.pair_count(); ++k) packed.tables.push_back(pack_table<Real>(*plan, k));
  for (int t = 0; t < model.n_types(); ++t) {
    packed.centres.push_back(pack_centre<Real>(packed, *plan, t, pairs));
    const PackedCentre<Real>& c = packed.centres.back();
    if (!model.fitting[t].empty()) packed.activation = model.fitting[t].activation;
    packed.max_columns = std::max(packed.max_columns, c.n_columns);
    packed.max_rotated = std::max(packed.max_rotated, round_up(std::max(c.n_rotated, 1), k_panel));
    packed.max_layers = std::max(packed.max_layers, static_cast<int>(c.layers.size()));
    for (const auto& layer : c.layers) packed.max_width = std::max(packed.max_width, layer.out_padded);
    if (c.active)
      packed.max_features =
          std::max({packed.max_features, c.layers[0].in_padded, c.n_single + c.faint.in_padded});
    packed.max_faint = std::max(packed.max_faint, c.faint.in_padded);
    packed.any_single = packed.any_single || !c.single.empty();
    if (!c.single.empty()) packed.max_weak = std::max(packed.max_weak, c.single[0].dense.in_padded);
  }
  return packed;
}

template PackedModel<double> pack_model(std::shared_ptr<const InferencePlan>, PairFormat);
template PackedModel<float> pack_model(std::shared_ptr<const InferencePlan>, PairFormat);

}  // namespace nanoday::cpu
