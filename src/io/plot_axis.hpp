// Scales of a figure: data range to pixels, round ticks and their labels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nanoday {

/// One axis: a range of data, round ticks inside it, and labels all of one form.
struct Axis {
  double low = 0, high = 1;         ///< range shown
  std::vector<double> ticks;        ///< inside [low, high]
  std::vector<std::string> labels;  ///< one per tick

  /// Fraction along the axis, 0 at low and 1 at high.
  double fraction(double value) const { return (value - low) / (high - low); }
};

/// Axis over [low, high] with about `wanted` ticks. With `widen` the range grows to whole ticks.
/// \pre low ≤ high, both finite
Axis make_axis(double low, double high, int wanted, bool widen);

}  // namespace nanoday
