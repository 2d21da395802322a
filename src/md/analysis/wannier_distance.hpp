// Distribution of the distances |W − R| between Wannier centroids and their atoms.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "core/view.hpp"
#include "md/analysis/histogram.hpp"

#include <string>
#include <string_view>

namespace nanoday {

/// All centroids of a run in one histogram, 0 to 1 Å in bins of 0.001 Å.
class WannierDistance {
 public:
  WannierDistance();

  /// \param displacement  (n_centroids) W − R [Å], any order
  void sample(View<const Vec4> displacement);
  /// Collective: the first rank has the distances of all from now on, the others none.
  void gather(Transport& ranks) { histogram_.gather(ranks); }

  /// Mean distance mean(), standard deviation width() [Å], density [1/Å].
  const Histogram& histogram() const { return histogram_; }

  /// What a checkpoint must hold.
  std::string save() const;
  /// Inverse of save(); throws InputError when the state is another's.
  void restore(std::string_view state);

 private:
  Histogram histogram_;
};

/// Replaces the file by "distance[A],density[1/A]" and a line per bin. Throws RunError.
void write_wannier_distance(const std::string& path, const WannierDistance& distance, NumberFormat numbers);

}  // namespace nanoday
