// Worlds of ranks that a test body runs in: threads here, processes when the same test is built for MPI.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport.hpp"

#include <functional>
#include <ostream>
#include <string>
#include <vector>

namespace nanoday {

/// A number of ranks, and how to run something on all of them.
struct RankWorld {
  std::string name;
  int n_ranks = 1;
  int ranks_per_node = 0;  ///< 0: all on one node
  std::function<void(const std::function<void(Transport&)>&)> run;
};

/// For googletest's messages.
inline void PrintTo(const RankWorld& world, std::ostream* out) { *out << world.name; }

/// In rank_worlds.cpp: self, and in-process worlds of 1 … 8 ranks on one and several nodes. In
/// mpi_worlds.cpp: the ranks that mpirun started, on one node and dealt to nodes of two.
std::vector<RankWorld> rank_worlds();

}  // namespace nanoday
