// How many threads a rank takes when nobody said so.
// SPDX-License-Identifier: Apache-2.0
#include "md/rank_threads.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace nanoday {
namespace {

int ranks_of_node(const Transport& ranks) {
  const auto& node_of = ranks.node_of();
  return static_cast<int>(
      std::count(node_of.begin(), node_of.end(), node_of[static_cast<std::size_t>(ranks.rank())]));
}

/// Ranks of the same node before this one.
int place_on_node(const Transport& ranks) {
  const auto& node_of = ranks.node_of();
  const auto me = node_of.begin() + ranks.rank();
  return static_cast<int>(std::count(node_of.begin(), me, *me));
}

/// Cores this rank may run on: all, those of a batch job, or its own where the launcher binds ranks.
int allowed_cores(int all) {
  cpu_set_t mine;
  return sched_getaffinity(0, sizeof mine, &mine) == 0 ? CPU_COUNT(&mine) : all;
}

}  // namespace

RunConfig on_this_rank(const RunConfig& config, const Transport& ranks) {
  RunConfig own = config;
  own.local_rank = place_on_node(ranks);
  const int cores = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)), mates = ranks_of_node(ranks);
  const bool said = config.threads > 0 || std::getenv("OMP_NUM_THREADS") != nullptr;
  // More than its share: the others of the node may run there, too.
  const int allowed = allowed_cores(cores);
  if (!said && mates > 1 && allowed > std::max(1, cores / mates)) own.threads = std::max(1, allowed / mates);
  return own;
}

}  // namespace nanoday
