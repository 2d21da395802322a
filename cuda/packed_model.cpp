// Packs InferencePlans for the device and uploads it.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/packed_model.hpp"

#include "core/error.hpp"
#include "model/embedding_table.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace nanoday::NANODAY_GPU {
namespace {

/// Rows of features and of hidden layers begin at multiples of 16 bytes, which the copies to shared memory
/// want; four elements are that in either precision.
constexpr int k_row_step = 4;
int round_up(int n) { return (n + k_row_step - 1) / k_row_step * k_row_step; }

template <class Real>
std::vector<Real> converted(const std::vector<double>& values) {
  std::vector<Real> out(values.size());
  std::transform(values.begin(), values.end(), out.begin(), [](double x) { return static_cast<Real>(x); });
  return out;
}

void check_layers(const Model& model, const std::vector<DenseLayer>& layers, const char* net) {
  require(layers.size() <= k_max_layers,
          "{}: {} net has {} layers (the GPU code holds {}); use --device cpu or a model with fewer",
          model.source, net, layers.size(), k_max_layers);
  for (const DenseLayer& layer : layers)
    require(
        layer.n_out <= k_max_layer_width,
        "{}: {} net has a layer of {} outputs (the GPU code holds {}); use --device cpu or a narrower model",
        model.source, net, layer.n_out, k_max_layer_width);
}

void check_model(const Model& model) {
  require(model.n_types() <= k_max_types,
          "{}: the model has {} types (the GPU code holds {}); use --device cpu or a model with fewer types",
          model.source, model.n_types(), k_max_types);
  for (const EmbeddingNet& net : model.embedding) check_layers(model, net.layers, "an embedding");
  for (const FittingNet& net : model.fitting) check_layers(model, net.layers, "a fitting");
}

/// The kernels have one form for all plans.
void check_alike(const Plans& plans) {
  const InferencePlan& first = *plans.at(0);
  for (const auto& plan : plans)
    require(
        plan->table == first.table && plan->precision == first.precision &&
            (plan->exact == nullptr) == (first.exact == nullptr),
        "{} and {} are evaluated in different ways (low-rank tables met the bound for one of them only); use "
        "--table quintic, or a larger --force-error",
        first.model->source, plan->model->source);
}

/// b at s̃ of padding for one neighbor type: the net's own where there is one, for exactness.
std::vector<double> padding_value(const InferencePlan& plan, int k, double s) {
  const Model& model = *plan.model;
  const EmbeddingValue g =
      model.compressed ? evaluate_table(model.tables[k], s) : evaluate_net(model.embedding[k], s);
  if (plan.table != TableKind::lowrank) return g.value;
  const LowRankChoice::Basis& basis = plan.choice.basis[k];
  std::vector<double> out(basis.rank, 0.0);
  for (int m = 0; m < model.m1; ++m)
    for (int p = 0; p < basis.rank; ++p)
      out[p] += g.value[m] * basis.project[static_cast<std::size_t>(m) * basis.rank + p];
  return out;
}

/// Pairs and the rows of the first layer that belong to them, in the order the kernels want.
struct Features {
  std::vector<std::int32_t> p, q;
  std::vector<double> weight;  ///< (F, n_1)
  int n_real = 0;              ///< those behind are copies without weight
};

Features ordered_features(const CentrePlan& from, int n_out) {
  const int n = static_cast<int>(from.pair_p.size()), padded = round_up(n);
  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return std::pair(from.pair_p[a], from.pair_q[a]) < std::pair(from.pair_p[b], from.pair_q[b]);
  });
  Features out;
  out.n_real = n;
  out.weight.assign(static_cast<std::size_t>(padded) * n_out, 0.0);
  for (int f = 0; f < padded; ++f) {
    const int source = order[std::min(f, n - 1)];
    out.p.push_back(from.pair_p[source]);
    out.q.push_back(from.pair_q[source]);
    if (f < n)
      std::copy_n(from.weight.begin() + static_cast<std::ptrdiff_t>(source) * n_out, n_out,
                  out.weight.begin() + static_cast<std::ptrdiff_t>(f) * n_out);
  }
  return out;
}

/// The products of every column, chunk by chunk (GroupView::column_first, column_pair).
struct ColumnLists {
  std::vector<std::int32_t> first;
  std::vector<ColumnPair> pair;
};

ColumnLists column_lists(const Features& features, int n_columns) {
  ColumnLists out;
  std::vector<std::vector<ColumnPair>> of_column(n_columns);
  for (int begin = 0; begin < static_cast<int>(features.p.size()); begin += k_feature_chunk) {
    for (auto& list : of_column) list.clear();
    for (int f = begin; f < std::min(begin + k_feature_chunk, features.n_real); ++f) {
      const auto p = static_cast<std::uint16_t>(features.p[f]), q = static_cast<std::uint16_t>(features.q[f]);
      const auto local = static_cast<std::uint16_t>(f - begin);
      of_column[p].push_back({local, q});
      of_column[q].push_back({local, p});
    }
    for (const auto& list : of_column) {
      out.first.push_back(static_cast<std::int32_t>(out.pair.size()));
      out.pair.insert(out.pair.end(), list.begin(), list.end());
    }
    out.first.push_back(static_cast<std::int32_t>(out.pair.size()));
  }
  return out;
}

}  // namespace

/// Fills a PackedModel, plan by plan.
struct ModelPacker {
  template <class Real>
  static void table(PackedModel<Real>& to, Stream& stream, const InferencePlan& plan, int k) {
    const Model& model = *plan.model;
    TableView<Real> t;
    if (plan.table != TableKind::lowrank && !model.compressed) net(to, stream, model.embedding[k], t);
    if (!plan.tables.empty() && !plan.tables[k].empty()) pieces(to, stream, plan.tables[k], t);
    to.tables_.push_back(t);
  }

  template <class Real>
  static void net(PackedModel<Real>& to, Stream& stream, const EmbeddingNet& from, TableView<Real>& t) {
    t.activation = from.activation;
    for (const DenseLayer& layer : from.layers) {
      const bool shortcut = layer.n_out == layer.n_in || layer.n_out == 2 * layer.n_in;
      EmbeddingLayerView& out = t.layer[t.n_layers++];
      out.n_in = layer.n_in;
      out.n_out = layer.n_out;
      out.weight = to.keep(stream, layer.weight);
      out.bias = to.keep(stream, layer.bias);
      if (shortcut && !layer.idt.empty()) out.idt = to.keep(stream, layer.idt);
      t.columns = layer.n_out;
    }
  }

  template <class Real>
  static void pieces(PackedModel<Real>& to, Stream& stream, const PieceTable& from, TableView<Real>& t) {
    t.lower = from.lower;
    t.upper = from.upper;
    t.max = from.max;
    t.stride0 = from.stride0;
    t.stride1 = from.stride1;
    t.inverse0 = 1.0 / from.stride0;
    t.inverse1 = 1.0 / from.stride1;
    t.n_first = from.n_first;
    t.n_pieces = from.n_pieces;
    t.columns = from.columns;
    std::vector<Real> c(from.coefficients.size());
    for (std::size_t piece = 0; piece < static_cast<std::size_t>(from.n_pieces); ++piece)
      for (std::size_t power = 0; power < 6; ++power)
        for (std::size_t m = 0; m < static_cast<std::size_t>(from.columns); ++m)
          c[(piece * from.columns + m) * 6 + power] =
              static_cast<Real>(from.coefficients[(piece * 6 + power) * from.columns + m]);
    t.coefficients = to.keep(stream, c);
  }

  template <class Real>
  static void environment(PackedModel<Real>& to, Stream& stream, const InferencePlan& plan, int t,
                          int first_table, GroupView<Real>& g) {
    const Model& model = *plan.model;
    const int nt = model.n_types();
    for (int k = 0; k < 4; ++k) {
      g.avg[k] = model.avg[t][k];
      g.inverse_std[k] = 1.0 / model.std[t][k];
      g.pad_row[k] = -model.avg[t][k] / model.std[t][k];
    }
    const CentrePlan& centre = plan.centres[t];
    g.n_columns = centre.n_columns;
    std::vector<std::int32_t> tables, first(centre.first_column.begin(), centre.first_column.end());
    std::vector<Real> pad(static_cast<std::size_t>(nt) * g.n_columns, Real(0));
    for (int n = 0; n < nt; ++n) {
      const int k = model.pair_index(t, n);
      tables.push_back(model.is_excluded(t, n) ? -1 : first_table + k);
      if (model.is_excluded(t, n)) continue;
      const std::vector<Real> b = converted<Real>(padding_value(plan, k, g.pad_row[0]));
      std::copy(b.begin(), b.end(), pad.begin() + static_cast<std::ptrdiff_t>(n) * g.n_columns + first[n]);
    }
    g.table = to.keep(stream, tables);
    g.first_column = to.keep(stream, first);
    g.sel = to.keep(stream, std::vector<std::int32_t>(model.sel.begin(), model.sel.end()));
    g.pad_value = to.keep(stream, pad);
  }

  /// \param bias, idt may be empty
  template <class Real>
  static DenseView<Real> dense(PackedModel<Real>& to, Stream& stream, const std::vector<double>& weight,
                               int n_out, const std::vector<double>& bias, const std::vector<double>& idt) {
    DenseView<Real> d;
    d.n_in = static_cast<int>(weight.size()) / n_out;
    d.n_out = n_out;
    d.weight = to.keep(stream, converted<Real>(weight));
    d.bias = to.keep(stream, bias.empty() ? std::vector<Real>(n_out, Real(0)) : converted<Real>(bias));
    d.idt = to.keep(stream, idt.empty() ? std::vector<Real>(n_out, Real(1)) : converted<Real>(idt));
    return d;
  }

  template <class Real>
  static void features(PackedModel<Real>& to, Stream& stream, const CentrePlan& from, const DenseLayer& first,
                       GroupView<Real>& g) {
    g.n_rotated = from.n_rotated > 0 ? from.n_rotated : from.n_columns;
    if (from.n_rotated > 0) g.rotation = to.keep(stream, converted<Real>(from.rotation));
    const Features f = ordered_features(from, first.n_out);
    const ColumnLists lists = column_lists(f, g.n_rotated);
    g.n_features = static_cast<int>(f.p.size());
    g.pair_p = to.keep(stream, f.p);
    g.pair_q = to.keep(stream, f.q);
    g.column_first = to.keep(stream, lists.first);
    g.column_pair = to.keep(stream, lists.pair);
    g.layer[0] = dense(to, stream, f.weight, first.n_out, from.bias, first.idt);
  }

  template <class Real>
  static void fitting_net(PackedModel<Real>& to, Stream& stream, const InferencePlan& plan, int t,
                          GroupView<Real>& g) {
    const Model& model = *plan.model;
    const FittingNet& net = model.fitting[t];
    const CentrePlan& from = plan.centres[t];
    features(to, stream, from, net.layers[0], g);
    g.activation = net.activation;
    g.n_layers = static_cast<int>(net.layers.size());
    for (int l = 1; l < g.n_layers; ++l) {
      const DenseLayer& layer = net.layers[l];
      g.layer[l] = dense(to, stream, layer.weight, layer.n_out, layer.bias, layer.idt);
      g.layer[l].residual = layer.n_in == layer.n_out;
    }
    if (model.kind == ModelKind::dipole) {
      g.output = dense(to, stream, from.output, from.n_columns, from.output_bias, {});
      return;
    }
    g.output = dense(to, stream, net.output.weight, 1, {}, {});
    g.output_bias = net.output.bias[0] + model.bias_atom_e[t];
    g.energy_scale = model.out_std[t];
    g.energy_shift = model.out_bias[t];
  }

  template <class Real>
  static void plan(PackedModel<Real>& to, Stream& stream, const InferencePlan& plan) {
    const Model& model = *plan.model;
    const int first_table = static_cast<int>(to.tables_.size());
    for (int k = 0; k < model.pair_count(); ++k) table(to, stream, plan, k);
    for (int t = 0; t < model.n_types(); ++t) {
      GroupView<Real> g;
      g.active = !model.fitting[t].empty() && !plan.centres[t].weight.empty();
      environment(to, stream, plan, t, first_table, g);
      if (g.active) fitting_net(to, stream, plan, t, g);
      to.groups_.push_back(g);
    }
  }
};

template <class Real>
template <class T>
const T* PackedModel<Real>::keep(Stream& stream, const std::vector<T>& values) {
  if (values.empty()) return nullptr;
  DeviceArray<std::byte>& bytes = memory_.emplace_back(values.size() * sizeof(T));
  copy_to_device(stream, bytes.data(), values.data(), bytes.size());
  stream.synchronize();  // `values` may go away now
  return reinterpret_cast<const T*>(bytes.data());
}

template <class Real>
PackedModel<Real>::PackedModel(Stream& stream, Plans plans) : plans_(std::move(plans)) {
  check_alike(plans_);
  const Model& model = *plan().model;
  check_model(model);
  for (const auto& each : plans_) ModelPacker::plan(*this, stream, *each);
  if (has_exact())
    for (const auto& each : plans_) ModelPacker::plan(*this, stream, *each->exact);
  view_.n_types = model.n_types();
  view_.n_centres = model.n_types() * static_cast<int>(plans_.size());
  view_.n_groups = static_cast<int>(groups_.size());
  view_.dipole = model.kind == ModelKind::dipole;
  view_.compressed = model.compressed;
  view_.rcut = model.rcut;
  view_.rcut2 = model.rcut * model.rcut;
  view_.rcut_smth = model.rcut_smth;
  view_.inverse_width = 1.0 / model.switch_width;
  view_.inverse_normaliser = 1.0 / model.normaliser;
  view_.tables = keep(stream, tables_);
  view_.groups = keep(stream, groups_);
  const int widest = std::max({max_columns(false), max_columns(true), max_rotated(false), max_rotated(true)});
  require(
      static_cast<std::size_t>(widest) <= k_max_columns<Real>,
      "{}: {} columns per atom (the GPU code has shared memory for {} at this precision); use --device cpu",
      model.source, widest, k_max_columns<Real>);
}

namespace {

/// Largest get(group) over the groups of the plans, or of the exact plans.
template <class Real, class Get>
int largest(const std::vector<GroupView<Real>>& groups, int n_centres, bool exact, const Get& get) {
  const std::size_t begin = exact ? n_centres : 0, end = std::min(groups.size(), begin + n_centres);
  int most = 0;
  for (std::size_t g = begin; g < end; ++g) most = std::max(most, get(groups[g]));
  return most;
}

}  // namespace

template <class Real>
int PackedModel<Real>::max_columns(bool exact) const {
  return largest(groups_, view_.n_centres, exact, [](const auto& g) { return g.n_columns; });
}
template <class Real>
int PackedModel<Real>::max_rotated(bool exact) const {
  return largest(groups_, view_.n_centres, exact, [](const auto& g) { return g.n_rotated; });
}
template <class Real>
int PackedModel<Real>::max_features(bool exact) const {
  return largest(groups_, view_.n_centres, exact, [](const auto& g) { return g.n_features; });
}
template <class Real>
int PackedModel<Real>::max_layers() const {
  return largest(groups_, view_.n_centres, false, [](const auto& g) { return g.n_layers; });
}
template <class Real>
int PackedModel<Real>::max_width() const {
  return round_up(largest(groups_, view_.n_centres, false, [](const auto& g) {
    int most = 0;
    for (int l = 0; l < g.n_layers; ++l) most = std::max(most, g.layer[l].n_out);
    return most;
  }));
}

template class PackedModel<double>;
template class PackedModel<float>;

}  // namespace nanoday::NANODAY_GPU
