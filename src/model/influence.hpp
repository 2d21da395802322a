// The influence function of a mesh plan, mode by mode.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"
#include "model/long_range_plan.hpp"

#include <array>
#include <cstddef>
#include <vector>

namespace nanoday {

/// Modes whose share in the sum over k is below this are left out: with charges of a few e at the density of
/// water the forces change by less than 1e-13 eV/Å and the energy by less than 1e-13 eV per molecule.
inline constexpr double k_negligible_mode = 1e-15;

/// The influence function mode by mode. Frequencies are wrapped integers as mesh_frequency() gives them.
class InfluenceFunction {
 public:
  using Mode = std::array<int, 3>;  ///< frequencies along a, b, c

  explicit InfluenceFunction(const LongRangePlan& plan);
  /// G(k)·C/V [eV/e²]; 0 for k = 0.
  double value(const Mode& mode) const;
  /// The Gaussian (with its aliases and what the assignment leaves of it) that weighs the mode, ≤ 1.
  double significance(const Mode& mode) const;
  /// 2π Σ n_d b_d [1/Å].
  Vec3 wave_vector(const Mode& mode) const;
  /// What the transform of real data takes −mode to be: −N/2 stays −N/2.
  Mode mirrored(const Mode& mode) const;
  /// Some frequency is −N/2, so that mirrored() is not −mode.
  bool on_edge(const Mode& mode) const;

 private:
  double numerator(const Mode& mode, Vec3 k) const;
  double denominator(const Mode& mode) const;

  LongRangePlan plan_;
  std::array<Vec3, 3> reciprocal_;                ///< 2π b_d
  std::array<int, 3> reach_{};                    ///< alias shifts −reach … reach
  std::array<std::vector<double>, 3> u_squared_;  ///< (frequency index · (2·reach+1))
  std::array<std::vector<double>, 3> alias_sum_;  ///< (frequency index)
};

/// The function on the half spectrum of a real transform, modes (N_a, N_b, N_c/2 + 1), the last index
/// fastest. In a skewed cell −N/2 and +N/2 are different waves: with g = green and h = edge_difference the
/// wave of a mode with edge frequencies −N/2 weighs g + h, its mirror with +N/2 weighs g − h. A derivative
/// along d is i·n_d·h where n_d is on the edge and i·n_d·g elsewhere.
struct HalfSpectrum {
  Array<double> green;            ///< G·C/V, of edge modes the mean of both waves [eV/e²]
  Array<double> edge_difference;  ///< 0 off the edges; empty when it vanishes everywhere
};
HalfSpectrum make_half_spectrum(const LongRangePlan& plan, const InfluenceFunction& influence);

/// Amplitudes [eV/(e²·Å)] of sin(2πp) and sin(4πp), p = x_d·N_d/L_d, in the force of a charge's own mesh
/// image, times 2: spec dplr.md 3.3. \pre orthorhombic box
std::array<std::array<double, 2>, 3> self_force_amplitudes(const LongRangePlan& plan,
                                                           const InfluenceFunction& influence);

}  // namespace nanoday
