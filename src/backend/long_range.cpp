// How long a solver takes, by the clock of the host.
// SPDX-License-Identifier: Apache-2.0
#include "backend/long_range.hpp"

#include "core/timer.hpp"

namespace nanoday {

double LongRangeSolver::time_solves(const LongRangeArgs& args, int repeats) {
  start(args);
  finish();
  const double begin = seconds_now();
  for (int k = 0; k < repeats; ++k) {
    start(args);
    finish();
  }
  return (seconds_now() - begin) / repeats;
}

}  // namespace nanoday
