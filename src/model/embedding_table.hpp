// Fifth-order tables of functions of s̃: built from exact values and derivatives, or taken from a compressed
// model. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/inference_plan.hpp"

#include <array>
#include <vector>

namespace nanoday {

/// Value, first and second derivative of all outputs of an embedding net at one s̃.
struct EmbeddingValue {
  std::vector<double> value, slope, curvature;  ///< (M1)
};

/// Exact evaluation by forward differentiation (spec 2.4).
EmbeddingValue evaluate_net(const EmbeddingNet& net, double s);

/// A compressed model's table evaluated as spec 3 says, linear continuation included.
EmbeddingValue evaluate_table(const CompressedTable& table, double s);

/// Largest s̃ of neighbor distances ≥ r_min, and s̃ of padding (the smallest): what a table must cover.
/// r_min is the model's min_nbor_dist, or 0.5 Å where it has none.
/// \param neighbor type of the neighbor; \param centre its centre, or −1 for all centres not excluded with it
std::array<double, 2> table_range(const Model& model, int centre, int neighbor);

/// Piece width of low-rank tables in s̃: keeps their hot part in the first-level cache and adds no measurable
/// force error (low-rank.md); compressed models keep their own pieces.
inline constexpr double k_lowrank_interval = 0.05;

/// Table of G·project (or of G itself when project is empty) on [range[0], range[1]] with pieces of
/// `interval`. Pieces match value, first and second derivative at both ends (spec 3). \param project (M1,
/// rank) row-major
PieceTable make_table(const EmbeddingNet& net, std::array<double, 2> range, double interval,
                      const std::vector<double>& project, int rank);

/// A compressed model's own table in the common layout, unchanged, or projected.
PieceTable convert_table(const CompressedTable& table, const std::vector<double>& project, int rank);

}  // namespace nanoday
