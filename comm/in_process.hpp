// N ranks as N threads of one process, so that communication is tested without MPI.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport.hpp"

#include <functional>

namespace nanoday {

/// Runs `body` once per rank, each on its own thread, and returns when all are done. When a rank throws,
/// the others are released from their waits with a RunError, and the first exception is thrown here.
/// \param ranks_per_node  as in nodes_in_order(): nodes are simulated
/// \pre n_ranks ≥ 1, else InputError
void run_ranks(int n_ranks, const std::function<void(Transport&)>& body, int ranks_per_node = 0);

}  // namespace nanoday
