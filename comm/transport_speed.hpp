// How fast ranks talk, as a few numbers for cost models.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport.hpp"

namespace nanoday {

/// An all-reduce of n bytes over all ranks takes latency + n · byte_seconds.
struct TransportSpeed {
  double latency = 0;       ///< [s]
  double byte_seconds = 0;  ///< [s]
  double message = 0;       ///< of a few bytes from one rank to the next, when all ranks send [s]
};

/// Collective: from the fastest of a few all-reduces, short and long ones; the slowest rank's, the same
/// numbers on all ranks. Takes about a hundredth of a second where all-reduces take 10 µs. One rank: zeros.
TransportSpeed measure_speed(Transport& transport);

}  // namespace nanoday
