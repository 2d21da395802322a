// What a model does with the user's atoms: descriptors and gradients of a sample, from which low-rank forms
// are chosen. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "forces/sample_system.hpp"

#include <vector>

namespace nanoday {

/// Everything is computed centre by centre in double with a fine table, so it does not depend on threads.
struct DescriptorStatistics {
  struct Neighbor {
    std::int32_t type;
    double s;                   ///< s̃
    std::array<double, 4> row;  ///< normalised environment row
    /// Σ_x of products of derivatives of the four rows: α = Σ_c Σ_x (∂R_c)², β = Σ_c R_c Σ_x ∂R_c ∂R_0,
    /// γ = Σ_c R_c² Σ_x (∂R_0)² [1/Å²]
    double alpha, beta, gamma;
  };
  struct Centre {
    std::int32_t type;
    std::vector<double> t;   ///< (nt, 4, M1) share of each neighbor type in T
    std::vector<double> dz;  ///< (n_1) ∂E/∂z of the first fitting layer
    std::vector<Neighbor> neighbors;
  };
  std::vector<Centre> centres;
};

/// Appends the centres of a sample whose type has a fitting net and whose neighbors all lie inside the
/// tables' range (the others are the exact plan's business).
void measure_descriptors(const Model& model, const SampleSystem& sample, DescriptorStatistics& statistics);

}  // namespace nanoday
