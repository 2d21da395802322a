// Ranks that are processes of one MPI job; the parts of it that know no MPI types.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport.hpp"

namespace nanoday {

/// Collective: all ranks of the job as a world, see MpiSession::world(). \pre MPI has been started
std::unique_ptr<Transport> make_mpi_transport(int ranks_per_node, std::size_t longest_piece);

/// Throws RunError when an MPI call has not succeeded. \param doing  "receiving a message"
void check_mpi(int result, const char* doing);

}  // namespace nanoday
