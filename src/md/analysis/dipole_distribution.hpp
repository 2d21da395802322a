// Distribution of the dipole moments of molecules around atoms that carry a Wannier centroid.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "core/box.hpp"
#include "md/analysis/histogram.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// Charges per model type, as a DPLR model states them.
struct TypeCharges {
  std::vector<double> ion;      ///< (n_types) [e]
  std::vector<double> wannier;  ///< (n_types) [e]; 0 where the type carries no centroid
};

/// A molecule is a host (an atom with a centroid) and the other ions nearer to it than to any other host and
/// within 2 Å, nearest images. Its dipole Σ q_i (r_i − r_host) + q_W (W − r_host) does not depend on the
/// origin when it is neutral; groups that are not (ions, a proton on its way) are counted and left out.
class DipoleDistribution {
 public:
  explicit DipoleDistribution(TypeCharges charges);

  /// Adds the molecules of one moment, each on the rank whose domain its host is in. Collective.
  /// \param displacement  (nlocal) W − R [Å] in the atoms' order; rows of atoms without centroid are not read
  /// \pre the box repeats in all directions
  void sample(Transport& ranks, const Box& box, const Atoms& atoms, View<const Vec4> displacement);

  /// Collective: the first rank has the molecules of all from now on, the others none.
  void gather(Transport& ranks);

  /// Dipole moments, 0 to 20 D in bins of 0.05 D.
  const Histogram& histogram() const { return histogram_; }
  /// Groups met so far that were not neutral.
  std::int64_t charged_groups() const { return charged_groups_; }

  /// What a checkpoint must hold.
  std::string save() const;
  /// Inverse of save(); throws InputError when the state is another's.
  void restore(std::string_view state);

 private:
  TypeCharges charges_;
  Histogram histogram_;
  std::int64_t charged_groups_ = 0;
};

/// Replaces the file by "dipole[D],density[1/D]" and a line per bin. Throws RunError.
void write_dipole_distribution(const std::string& path, const DipoleDistribution& dipoles,
                               NumberFormat numbers);

}  // namespace nanoday
