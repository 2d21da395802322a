// Builds inference plans from a model.
// SPDX-License-Identifier: Apache-2.0
#include "model/plan_builder.hpp"

#include "core/error.hpp"
#include "model/embedding_table.hpp"
#include "model/linear_algebra.hpp"

#include <algorithm>

namespace nanoday {
namespace {

/// Visits every table of the model: calls build(pair index, centre or −1, neighbor).
template <class Build>
void for_each_table(const Model& model, const Build& build) {
  for (int c = 0; c < (model.one_sided ? 1 : model.n_types()); ++c)
    for (int n = 0; n < model.n_types(); ++n) {
      const int k = model.pair_index(c, n);
      const bool present = model.compressed ? !model.tables[k].empty() : !model.embedding[k].empty();
      if (present) build(k, model.one_sided ? -1 : c, n);
    }
}

/// Columns are G's own; features are D[m, k] = Σ_c T[c, m] T[c, k] in the order of spec 2.4.
CentrePlan direct_centre(const Model& model, int t) {
  CentrePlan centre;
  const FittingNet& net = model.fitting[t];
  centre.n_columns = model.m1;
  centre.first_column.assign(model.n_types(), 0);
  if (net.empty()) return centre;
  for (int m = 0; m < model.m1; ++m)
    for (int k = 0; k < model.m2; ++k) {
      centre.pair_p.push_back(m);
      centre.pair_q.push_back(k);
    }
  centre.n_precise = centre.n_single = static_cast<int>(centre.pair_p.size());
  centre.weight = net.layers[0].weight;
  centre.bias = net.layers[0].bias;
  if (model.kind == ModelKind::dipole) {
    centre.output = net.output.weight;
    centre.output_bias = net.output.bias;
  }
  return centre;
}

/// Row p of the expansion of a's columns of one centre in G: V, stacked over neighbor types.
std::vector<double> stacked_expansion(const Model& model, const LowRankChoice& choice, int t,
                                      CentrePlan& centre) {
  std::vector<double> v;
  for (int n = 0; n < model.n_types(); ++n) {
    centre.first_column.push_back(centre.n_columns);
    if (model.is_excluded(t, n)) continue;
    const auto& basis = choice.basis[model.pair_index(t, n)];
    v.insert(v.end(), basis.expand.begin(), basis.expand.end());
    centre.n_columns += basis.rank;
  }
  return v;
}

/// First layer folded onto S[p, q], low-rank.md 3: W'[u, p≤q] = Σ V[p,m] W[u,m,k] V[q,k] + (p↔q if p≠q).
std::vector<double> fold_first_layer(const Model& model, const DenseLayer& first,
                                     const std::vector<double>& v, const CentrePlan& centre) {
  const int n1 = first.n_out, m1 = model.m1, m2 = model.m2;
  const int rows = static_cast<int>(v.size()) / m1;
  const std::vector<double> half = matrix_product(v, first.weight, rows, m1, m2 * n1);  // (rows, M2, n1)
  std::vector<double> out(centre.pair_p.size() * n1, 0.0);
  for (std::size_t f = 0; f < centre.pair_p.size(); ++f) {
    const int p = centre.pair_p[f], q = centre.pair_q[f];
    for (int k = 0; k < m2; ++k) {
      const double vq = v[static_cast<std::size_t>(q) * m1 + k], vp = v[static_cast<std::size_t>(p) * m1 + k];
      const double* hp = half.data() + (static_cast<std::size_t>(p) * m2 + k) * n1;
      const double* hq = half.data() + (static_cast<std::size_t>(q) * m2 + k) * n1;
      for (int u = 0; u < n1; ++u) out[f * n1 + u] += hp[u] * vq + (p != q ? hq[u] * vp : 0.0);
    }
  }
  return out;
}

/// A choice may come from a checkpoint: everything later code indexes with is checked against the model here.
void check_choice(const Model& model, const LowRankChoice& choice) {
  const auto fits = [&](bool ok, const char* what) {
    require(ok, "{}: the low-rank choice does not belong to this model ({}); start a new run", model.source,
            what);
  };
  const std::size_t m1 = static_cast<std::size_t>(model.m1), nt = static_cast<std::size_t>(model.n_types());
  fits(choice.basis.size() == static_cast<std::size_t>(model.pair_count()) && choice.centres.size() == nt,
       "number of tables or types");
  for (int t = 0; t < model.n_types(); ++t) {
    std::size_t columns = 0;
    for (int n = 0; n < model.n_types(); ++n) {
      if (model.is_excluded(t, n)) continue;
      const auto& b = choice.basis[model.pair_index(t, n)];
      fits(b.rank > 0 && b.rank <= model.m1, "rank");
      const std::size_t size = m1 * static_cast<std::size_t>(b.rank);
      fits(b.project.size() == size && b.expand.size() == size, "basis");
      columns += static_cast<std::size_t>(b.rank);
    }
    if (model.fitting[t].empty()) continue;
    require(columns > 0,
            "{}: type {} is excluded from all pairs, which no low-rank form describes; use --table quintic "
            "or net",
            model.source, model.type_map[t]);
    const auto& c = choice.centres[t];
    const std::size_t rotated = static_cast<std::size_t>(std::max(c.n_rotated, 0)), pairs = c.pair_p.size();
    const std::size_t n1 = static_cast<std::size_t>(model.fitting[t].layers[0].n_out);
    fits(c.n_rotated >= 0 && rotated <= columns, "rotated columns");
    fits(c.rotation.size() == columns * rotated && c.inverse.size() == columns * rotated, "rotation");
    fits(pairs > 0 && c.pair_q.size() == pairs, "pairs");
    fits(c.n_precise > 0 && static_cast<std::size_t>(c.n_precise) <= pairs, "strong pairs");
    fits(c.n_single >= c.n_precise && static_cast<std::size_t>(c.n_single) <= pairs, "faint pairs");
    fits(c.bias_shift.empty() || c.bias_shift.size() == n1, "bias");
    fits(c.typical_z.empty() || c.typical_z.size() == n1, "typical z");
    const auto limit = static_cast<std::int32_t>(rotated > 0 ? rotated : columns);
    for (std::size_t f = 0; f < pairs; ++f)
      fits(c.pair_p[f] >= 0 && c.pair_p[f] < limit && c.pair_q[f] >= 0 && c.pair_q[f] < limit, "pair index");
  }
}

/// The first fitting layer; models without one are refused.
void check_hidden_layers(const Model& model) {
  for (int t = 0; t < model.n_types(); ++t)
    require(model.fitting[t].empty() || !model.fitting[t].layers.empty(),
            "{}: the fitting net of type {} has no hidden layer (not supported); use a model with one",
            model.source, t);
}

CentrePlan folded_centre(const Model& model, const LowRankChoice& choice, int t) {
  CentrePlan centre;
  const FittingNet& net = model.fitting[t];
  const std::vector<double> v = stacked_expansion(model, choice, t, centre);
  if (net.empty()) return centre;
  const auto& chosen = choice.centres[t];
  centre.n_rotated = chosen.n_rotated;
  centre.rotation = chosen.rotation;
  centre.pair_p = chosen.pair_p;
  centre.pair_q = chosen.pair_q;
  centre.n_precise = chosen.n_precise;
  centre.n_single = chosen.n_single;
  centre.typical_z = chosen.typical_z;
  const DenseLayer& first = net.layers[0];
  const std::vector<double> rotated =
      chosen.n_rotated > 0 ? matrix_product(chosen.inverse, v, chosen.n_rotated, centre.n_columns, model.m1)
                           : v;
  centre.weight = fold_first_layer(model, first, rotated, centre);
  centre.bias = first.bias;
  for (std::size_t u = 0; u < chosen.bias_shift.size(); ++u) centre.bias[u] += chosen.bias_shift[u];
  if (model.kind != ModelKind::dipole) return centre;
  // μ_α = Σ_m y_m T[1+α, m] with T ≈ a V: the output layer acts on a's columns through Vᵀ.
  const int n_last = net.output.n_in, columns = centre.n_columns;
  centre.output.assign(static_cast<std::size_t>(n_last) * columns, 0.0);
  centre.output_bias.assign(columns, 0.0);
  for (int p = 0; p < columns; ++p)
    for (int m = 0; m < model.m1; ++m) {
      const double vp = v[static_cast<std::size_t>(p) * model.m1 + m];
      centre.output_bias[p] += net.output.bias[m] * vp;
      for (int i = 0; i < n_last; ++i)
        centre.output[static_cast<std::size_t>(i) * columns + p] +=
            net.output.weight[static_cast<std::size_t>(i) * model.m1 + m] * vp;
    }
  return centre;
}

}  // namespace

std::shared_ptr<const InferencePlan> make_direct_plan(std::shared_ptr<const Model> model,
                                                      const PlanOptions& options) {
  check_hidden_layers(*model);
  auto plan = std::make_shared<InferencePlan>();
  plan->model = model;
  plan->table = options.table;
  plan->precision = options.precision;
  for (int t = 0; t < model->n_types(); ++t) plan->centres.push_back(direct_centre(*model, t));
  if (options.table == TableKind::net && !model->compressed) return plan;
  plan->table = TableKind::quintic;
  require(options.interval > 1e-5 && options.interval <= 1.0,
          "table interval {} is out of range (1e-5 … 1 in normalised s); choose e.g. 0.01", options.interval);
  plan->tables.resize(model->pair_count());
  for_each_table(*model, [&](int k, int centre, int neighbor) {
    plan->tables[k] =
        model->compressed
            ? convert_table(model->tables[k], {}, 0)
            : make_table(model->embedding[k], table_range(*model, centre, neighbor), options.interval, {}, 0);
  });
  return plan;
}

std::shared_ptr<const InferencePlan> make_exact_plan(std::shared_ptr<const Model> model) {
  PlanOptions options;
  options.table = TableKind::net;
  return make_direct_plan(std::move(model), options);
}

std::shared_ptr<const InferencePlan> make_lowrank_plan(std::shared_ptr<const Model> model,
                                                       const PlanOptions& options, LowRankChoice choice) {
  check_hidden_layers(*model);
  check_choice(*model, choice);
  auto plan = std::make_shared<InferencePlan>();
  plan->model = model;
  plan->table = TableKind::lowrank;
  plan->precision = options.precision;
  plan->tables.resize(model->pair_count());
  for_each_table(*model, [&](int k, int centre, int neighbor) {
    const auto& basis = choice.basis[k];
    plan->tables[k] = model->compressed
                          ? convert_table(model->tables[k], basis.project, basis.rank)
                          : make_table(model->embedding[k], table_range(*model, centre, neighbor),
                                       k_lowrank_interval, basis.project, basis.rank);
  });
  for (int t = 0; t < model->n_types(); ++t) plan->centres.push_back(folded_centre(*model, choice, t));
  plan->choice = std::move(choice);
  PlanOptions exact = options;
  exact.table = model->compressed ? TableKind::quintic : TableKind::net;
  plan->exact = make_direct_plan(model, exact);
  return plan;
}

}  // namespace nanoday
