// The influence function of a plan on the reciprocal mesh points that matter.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"
#include "model/influence.hpp"

#include <array>
#include <cstddef>
#include <vector>

namespace nanoday::cpu {

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

/// A mode's influence [eV/e²] as the transform of real data sees it: in a skewed cell −N/2 and +N/2 are
/// different waves, of which it sees the mean.
double mode_green(const InfluenceFunction& influence, const InfluenceFunction::Mode& mode);
/// Likewise frequency · influence along direction d. \param green mode_green() of the mode
double mode_slope(const InfluenceFunction& influence, const InfluenceFunction::Mode& mode, int d,
                  double green);
/// Likewise influence · virial_factor: xx xy xz yy yz zz.
std::array<double, 6> mode_virial(const InfluenceFunction& influence, const InfluenceFunction::Mode& mode,
                                  double beta, double green);

InfluenceTable make_influence_table(const LongRangePlan& plan, const InfluenceFunction& influence);

/// Tables green · virial_factor, xx xy xz yy yz zz, each (modes).
std::array<Array<double>, 6> make_virial_tables(const InfluenceTable& table,
                                                const InfluenceFunction& influence, double beta);

}  // namespace nanoday::cpu
