// The se_e2_a descriptor of one atom and its gradient, straight from the equations.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/neighbor_list.hpp"
#include "backend/backend.hpp"
#include "oracle/nets.hpp"

#include <array>
#include <vector>

namespace nanoday::oracle {

using Row = std::array<double, 4>;

/// Switch w(r) and dw/dr (spec 2.2).
struct Switch {
  double w = 0, dw = 0;
};
Switch switch_at(const Model& model, double r);

/// One occupied slot: a neighbor inside the cutoff.
struct Slot {
  std::int32_t index = 0;  ///< in the (nall) arrays
  std::int32_t type = 0;
  Vec3 d;                            ///< r_j − r_i [Å]
  Row row{};                         ///< normalised environment matrix row R
  std::array<Vec3, 4> row_gradient;  ///< ∂R_c/∂r_ij
  ValueAndSlope g;                   ///< embedding at R_0
};

/// Everything kept about one atom between the way in and the way back.
struct Descriptor {
  std::vector<Slot> slots;               ///< excluded types left out
  std::array<std::vector<double>, 4> t;  ///< T[c][m]
  std::vector<double> d;                 ///< D[m·M2 + k]
};

/// Descriptor of local atom i. Adds what it meets to `counts`.
Descriptor describe(const Model& model, const EvaluationArgs& args, std::int64_t i, EvaluationCounts& counts);

/// g_ij = ∂E/∂r_ij of every slot, given A = ∂E/∂D (M1·M2) and B = ∂E/∂Q (M1 rows of 3, empty: none),
/// Q[m, α] = T[1 + α, m].
std::vector<Vec3> descriptor_gradient(const Model& model, const Descriptor& descriptor,
                                      const std::vector<double>& a, const std::vector<Vec3>& b);

}  // namespace nanoday::oracle
