// Plans for tests: any model, any table kind, without a search for ranks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/plan_builder.hpp"

#include <memory>
#include <string>

namespace nanoday::reference {

inline std::string table_name(TableKind kind) {
  return kind == TableKind::net ? "net" : kind == TableKind::quintic ? "quintic" : "lowrank";
}

/// The model itself: its net, or for a compressed one the table in its file.
inline std::shared_ptr<const InferencePlan> exact_plan(std::shared_ptr<const Model> model,
                                                       Precision precision = Precision::fp64) {
  PlanOptions options;
  options.precision = precision;
  options.table = model->compressed ? TableKind::quintic : TableKind::net;
  return make_direct_plan(std::move(model), options);
}

/// The first `rank` columns of G and every pair of them, as they are: a plan for tests of layouts, not a good
/// one unless the rank is full.
inline LowRankChoice first_columns(const Model& model, int rank) {
  LowRankChoice choice;
  LowRankChoice::Basis identity{rank, {}, {}};
  identity.project.assign(static_cast<std::size_t>(model.m1) * rank, 0.0);
  identity.expand = identity.project;
  for (int m = 0; m < rank; ++m) {
    identity.project[static_cast<std::size_t>(m) * rank + m] = 1;
    identity.expand[static_cast<std::size_t>(m) * model.m1 + m] = 1;
  }
  choice.basis.assign(static_cast<std::size_t>(model.pair_count()), identity);
  for (int t = 0; t < model.n_types(); ++t) {
    int columns = 0;
    for (int n = 0; n < model.n_types(); ++n) columns += model.is_excluded(t, n) ? 0 : rank;
    LowRankChoice::Centre centre;
    for (int p = 0; p < columns; ++p)
      for (int q = p; q < columns; ++q) {
        centre.pair_p.push_back(p);
        centre.pair_q.push_back(q);
      }
    centre.n_precise = centre.n_single = static_cast<std::int32_t>(centre.pair_p.size());
    choice.centres.push_back(centre);
  }
  return choice;
}

/// Every rank and every pair kept, columns as they are: only interpolation separates the plan from the net.
inline LowRankChoice full_rank(const Model& model) { return first_columns(model, model.m1); }

/// A plan of any table kind, low-rank ones at full rank.
inline std::shared_ptr<const InferencePlan> plan_of(std::shared_ptr<const Model> model, TableKind table,
                                                    Precision precision = Precision::fp64) {
  PlanOptions options;
  options.precision = precision;
  options.table = table;
  if (table != TableKind::lowrank) return make_direct_plan(std::move(model), options);
  LowRankChoice choice = full_rank(*model);
  return make_lowrank_plan(std::move(model), options, std::move(choice));
}

}  // namespace nanoday::reference
