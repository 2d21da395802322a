// One line of what `nanoday check` found.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nanoday {

/// A measured value and the bound it must keep.
struct CheckRow {
  std::string name;  ///< what was compared: "forces against finite differences"
  std::string unit;  ///< of both numbers
  double measured = 0;
  double bound = 0;
  std::string skipped;  ///< why it could not be checked here; "" when it was

  /// A NaN is not within any bound.
  bool ok() const { return !skipped.empty() || measured <= bound; }
};

using CheckRows = std::vector<CheckRow>;

}  // namespace nanoday
