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

/// m messages that a rank sends to other nodes at once, and as many that it receives, take
/// latency + (m − 1) · overhead + bytes · byte_seconds.
struct MessageSpeed {
  double latency = 0;       ///< [s]
  double overhead = 0;      ///< [s]
  double byte_seconds = 0;  ///< [s]
};

/// Collective: between ranks of different nodes while all ranks send, the fastest of a few times; the slowest
/// rank's, the same numbers on all ranks. One node: zeros.
MessageSpeed measure_messages(Transport& transport);

}  // namespace nanoday
