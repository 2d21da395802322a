// The influence function of a mesh plan, mode by mode.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"
#include "math/influence_function.hpp"
#include "model/long_range_plan.hpp"

#include <array>
#include <cstddef>
#include <vector>

namespace nanoday {

/// The influence function of a plan with its tables. Frequencies are wrapped integers as mesh_frequency()
/// gives them.
class InfluenceFunction {
 public:
  using Mode = InfluenceModes::Mode;  ///< frequencies along a, b, c

  explicit InfluenceFunction(const LongRangePlan& plan);
  InfluenceFunction(const InfluenceFunction&) = delete;  // modes_ points into the tables
  InfluenceFunction& operator=(const InfluenceFunction&) = delete;

  double value(const Mode& mode) const { return modes_.value(mode); }
  double significance(const Mode& mode) const { return modes_.significance(mode); }
  Vec3 wave_vector(const Mode& mode) const { return modes_.wave_vector(mode); }
  Mode mirrored(const Mode& mode) const { return modes_.mirrored(mode); }
  bool on_edge(const Mode& mode) const { return modes_.on_edge(mode); }
  /// Refers to the tables: valid as long as this lives.
  const InfluenceModes& modes() const { return modes_; }
  /// Those along d, as modes() has them: (n, 2·reach + 1) and (n).
  View<const double> u_squared(int d) const { return {u_squared_[d].data(), u_squared_[d].size()}; }
  View<const double> alias_sum(int d) const { return {alias_sum_[d].data(), alias_sum_[d].size()}; }

 private:
  InfluenceModes modes_;
  std::array<std::vector<double>, 3> u_squared_, alias_sum_;
};

/// Amplitudes [eV/(e²·Å)] of sin(2πp) and sin(4πp), p = x_d·N_d/L_d, in the force of a charge's own mesh
/// image, times 2: spec dplr.md 3.3. \pre orthorhombic box
std::array<std::array<double, 2>, 3> self_force_amplitudes(const LongRangePlan& plan,
                                                           const InfluenceFunction& influence);

}  // namespace nanoday
