// A model made ready for evaluation: tables built, ranks chosen, first layer folded; still
// machine-independent. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/long_range_plan.hpp"
#include "model/model.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nanoday {

enum class TableKind { net, quintic, lowrank };
/// Of nets and tables: double; single; or single with products rounded to TF32, for GPUs.
enum class Precision { fp64, mixed, fast };
/// As users write it.
inline const char* precision_name(Precision precision) {
  return precision == Precision::fp64 ? "double" : precision == Precision::mixed ? "mixed" : "fast";
}

/// Fifth-order pieces of `columns` functions of s̃ (spec 3): [lower, upper) in steps of stride0, then
/// [upper, max) in steps of stride1; linear continuation beyond, when there is no net to ask.
struct PieceTable {
  double lower = 0, upper = 0, max = 0, stride0 = 0, stride1 = 0;
  int n_first = 0;  ///< pieces in the first segment
  int n_pieces = 0;
  int columns = 0;
  std::vector<double> coefficients;  ///< (n_pieces, 6, columns), power by power
  bool empty() const { return coefficients.empty(); }
};

/// How one centre type reads its neighbors' columns: which products feed the first fitting layer, and that
/// layer's weights on them. With a[c, p] = (1/N) Σ_n R_n[c] b_p(s̃_n) and a' = a·rotation, the features are
/// S[f] = Σ_c a'[c, pair_p[f]] a'[c, pair_q[f]].
/// Without a low-rank form b is G itself, there is no rotation, and the pairs are all (m, k), k <
/// axis_neuron.
struct CentrePlan {
  int n_columns = 0;                         ///< R, columns of a
  std::vector<int> first_column;             ///< (nt) where a neighbor type's columns begin in a
  int n_rotated = 0;                         ///< R', columns of a'; 0: a' = a
  std::vector<double> rotation;              ///< (R, R')
  std::vector<std::int32_t> pair_p, pair_q;  ///< (n_features)
  int n_precise = 0;           ///< features before this need the plan's precision; the rest may be single
  int n_single = 0;            ///< in mixed plans, features from here on may be rounded to bfloat16
  std::vector<double> weight;  ///< (n_features, n_1) first fitting layer on the features
  std::vector<double> bias;    ///< (n_1) its bias, with the mean of what was pruned
  /// (n_1) typical z of the first layer. Not empty: the following layers may multiply what deviates from the
  /// typical in single precision.
  std::vector<double> typical_z;
  std::vector<double> output;       ///< dipole models: (n_last, R) output layer acting on columns of a
  std::vector<double> output_bias;  ///< dipole models: (R)
};

/// The choices behind a low-rank plan: everything beside the model that determines it, kept in checkpoints.
struct LowRankChoice {
  struct Basis {  ///< of one (centre, neighbor) table: G(s̃) ≈ b(s̃)·expand, b = G·project
    int rank = 0;
    std::vector<double> project;  ///< (M1, rank)
    std::vector<double> expand;   ///< (rank, M1)
  };
  struct Centre {
    int n_rotated = 0;
    std::vector<double> rotation;              ///< (R, R')
    std::vector<double> inverse;               ///< (R', R)
    std::vector<std::int32_t> pair_p, pair_q;  ///< strong products first, each group by p then q
    std::int32_t n_precise = 0;      ///< how many are strong; rounding the others to single is harmless
    std::int32_t n_single = 0;       ///< in mixed plans, rounding those from here on to bfloat16 is harmless
    std::vector<double> bias_shift;  ///< (n_1)
    /// (n_1) mean z of the first layer; empty: the following layers need the plan's precision
    std::vector<double> typical_z;
  };
  std::vector<Basis> basis;     ///< by Model::pair_index
  std::vector<Centre> centres;  ///< (nt)
};

/// Everything a machine needs to evaluate a model.
struct InferencePlan {
  std::shared_ptr<const Model> model;
  TableKind table = TableKind::lowrank;
  Precision precision = Precision::fp64;
  std::vector<PieceTable> tables;   ///< by Model::pair_index; none for TableKind::net
  std::vector<CentrePlan> centres;  ///< (nt); empty weight: the type has no fitting net
  LowRankChoice choice;             ///< TableKind::lowrank only
  /// The untabulated plan that takes over atoms with neighbors outside the table; TableKind::lowrank only.
  std::shared_ptr<const InferencePlan> exact;
  std::shared_ptr<const DplrPlan> dplr;  ///< DPLR models only
};

}  // namespace nanoday
