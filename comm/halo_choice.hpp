// Which way ghosts travel: the fastest by a cost model, or the one asked for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "domain_grid.hpp"
#include "halo_geometry.hpp"
#include "transport.hpp"
#include "transport_speed.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace nanoday {

inline constexpr int k_halo_routes = 3;

/// "direct", "by-node", "staged".
const char* halo_name(HaloRoute route);

/// What sets the time of one update of all ghosts.
struct HaloWork {
  int stages = 0;    ///< that have messages
  int messages = 0;  ///< sent by the busiest rank of a team, summed over stages
  double bytes = 0;  ///< sent by a rank, on average over its team; atoms spread evenly
};

/// Pure: of one rank's team. \param natoms of all ranks
HaloWork halo_work(const HaloGeometry& geometry, std::int64_t natoms);

/// Of every stage the first message costs its latency, further ones what a rank spends on each.
double halo_seconds(const HaloWork& work, const MessageSpeed& speed);

struct HaloChoice {
  HaloRoute route = HaloRoute::by_node;
  bool asked = false;                           ///< nobody measured
  std::array<HaloWork, k_halo_routes> work;     ///< by route; each number that of the rank with most of it
  std::array<double, k_halo_routes> seconds{};  ///< of an update, expected
};

/// Collective; the same on all ranks. One node: by_node, which sends nothing there. Otherwise measures how
/// fast messages travel and takes the fastest way; by_node where several are alike.
HaloChoice choose_halo(const DomainGrid& grid, double cutoff, std::int64_t natoms, Transport& transport,
                       std::optional<HaloRoute> asked);

/// "staged (3 stages, 2 messages of a rank, 0.006 ms per update expected; by-node 1, 7, 0.011; direct 1, 26,
/// 0.04)", for the start of a run.
std::string halo_text(const HaloChoice& choice);

}  // namespace nanoday
