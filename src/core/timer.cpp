// Names of the stages and their sum.
// SPDX-License-Identifier: Apache-2.0
#include "core/timer.hpp"

#include <numeric>

namespace nanoday {

std::string_view stage_name(Stage stage) {
  static constexpr std::array<std::string_view, k_stage_count> names{
      "neighbor",  "halo", "environment", "descriptor", "fitting", "gradient",
      "force_sum", "pppm", "pppm_hidden", "integrate",  "output"};
  return names[static_cast<int>(stage)];
}

double StageTimes::total() const {
  // What is hidden is in the sum twice: as itself and as part of pppm.
  return std::accumulate(seconds_.begin(), seconds_.end(), 0.0) - 2 * seconds(Stage::pppm_hidden);
}

}  // namespace nanoday
