// The influence function of a plan on the reciprocal mesh points that matter.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/long_range.hpp"

#include <array>
#include <cstddef>
#include <vector>

namespace nanoday::cpu {

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

/// Kept modes as blocks of one frequency index along b, each (N_c, rows): row r is one frequency index along
/// a, all frequencies along c are kept. Only half of the b axis is stored, real data fix the other half.
struct InfluenceTable {
  std::array<int, 3> mesh{};
  int blocks = 0;                       ///< b indices 0 … blocks − 1
  std::vector<int> row_first;           ///< (blocks + 1)
  std::vector<int> row_a;               ///< (rows) frequency index along a, ascending in each block
  std::vector<std::size_t> mode_first;  ///< (blocks + 1) start of each block, multiples of 4
  /// A derivative along a or b is a multiplication by that frequency after the transforms along c; false for
  /// coarse skewed meshes, where `slope` of a and b is needed.
  bool separable = true;
  Array<double> green;                 ///< (modes) G·C/V, averaged over ±k [eV/e²]
  std::array<Array<double>, 3> slope;  ///< (modes) frequency · green; a and b only if not separable

  int rows(int block) const { return row_first[block + 1] - row_first[block]; }
  std::size_t modes() const { return mode_first.back(); }
  /// How often a block's modes count in a sum over all modes.
  double multiplicity(int block) const { return block == 0 || 2 * block == mesh[1] ? 1 : 2; }
};

InfluenceTable make_influence_table(const LongRangePlan& plan, const InfluenceFunction& influence);

/// Tables green · virial_factor, xx xy xz yy yz zz, each (modes).
std::array<Array<double>, 6> make_virial_tables(const InfluenceTable& table,
                                                const InfluenceFunction& influence, double beta);

/// Amplitudes [eV/(e²·Å)] of sin(2πp) and sin(4πp), p = x_d·N_d/L_d, in the force of a charge's own mesh
/// image, times 2: spec dplr.md 3.3. \pre orthorhombic box
std::array<std::array<double, 2>, 3> self_force_amplitudes(const LongRangePlan& plan,
                                                           const InfluenceFunction& influence);

}  // namespace nanoday::cpu
