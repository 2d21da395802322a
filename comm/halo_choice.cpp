// Which way ghosts travel: messages, stages and bytes of each way, times what they were measured to cost.
// SPDX-License-Identifier: Apache-2.0
#include "halo_choice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

namespace nanoday {
namespace {

constexpr double k_row = 24;  ///< bytes of a position
constexpr std::array<const char*, k_halo_routes> k_names{"direct", "by-node", "staged"};

/// Share of all atoms within reach of a region but outside it, by volume.
double share_around(const DomainGrid& grid, const DomainGrid::Region& region, const HaloGeometry& geometry) {
  double near = 1, own = 1;
  for (std::size_t d = 0; d < 3; ++d) {
    const double begin = grid.frame().low[d], end = grid.frame().high[d], all = end - begin;
    if (!(all > 0)) continue;  // no atoms, or all in a plane
    const double low = std::max(region.low[d], begin), high = std::min(region.high[d], end);
    const double reach = geometry.rank_axis(static_cast<int>(d)).reach();
    const bool periodic = grid.frame().box.periodic[d];
    const double wide = periodic ? std::min(all, high - low + 2 * reach)
                                 : std::min(high + reach, end) - std::max(low - reach, begin);
    near *= std::max(0.0, wide) / all;
    own *= std::max(0.0, high - low) / all;
  }
  return near - own;
}

}  // namespace

const char* halo_name(HaloRoute route) { return k_names[static_cast<std::size_t>(route)]; }

HaloWork halo_work(const HaloGeometry& geometry, std::int64_t natoms) {
  std::map<int, std::map<int, int>> of_member;  // by stage
  for (const NeighborTeam& n : geometry.neighbors()) ++of_member[n.stage][n.contact];
  HaloWork work;
  work.stages = static_cast<int>(of_member.size());
  for (const auto& [stage, messages] : of_member) {
    int most = 0;
    for (const auto& [member, count] : messages) most = std::max(most, count);
    work.messages += most;
  }
  const DomainGrid& grid = geometry.grid();
  const auto members = geometry.team().size();
  const auto region = members > 1 ? grid.node_region(geometry.rank()) : grid.region(geometry.rank());
  if (work.stages > 0)
    work.bytes = k_row * static_cast<double>(natoms) * share_around(grid, region, geometry) /
                 static_cast<double>(members);
  return work;
}

double halo_seconds(const HaloWork& work, const MessageSpeed& speed) {
  return work.stages * speed.latency + (work.messages - work.stages) * speed.overhead +
         work.bytes * speed.byte_seconds;
}

HaloChoice choose_halo(const DomainGrid& grid, double cutoff, std::int64_t natoms, Transport& transport,
                       std::optional<HaloRoute> asked) {
  HaloChoice choice;
  choice.asked = asked.has_value();
  choice.route = asked.value_or(HaloRoute::by_node);
  const auto& node_of = transport.node_of();
  const int nodes = *std::max_element(node_of.begin(), node_of.end()) + 1;
  if (nodes == 1 || choice.asked) return choice;
  const MessageSpeed speed = measure_messages(transport);
  std::array<double, 3 * k_halo_routes> most{};
  for (std::size_t r = 0; r < k_halo_routes; ++r) {
    const HaloGeometry geometry(grid, static_cast<HaloRoute>(r), cutoff, natoms, transport.rank());
    const HaloWork work = halo_work(geometry, natoms);
    most[3 * r] = work.stages;
    most[3 * r + 1] = work.messages;
    most[3 * r + 2] = work.bytes;
  }
  transport.all_reduce_max({most.data(), most.size()});
  for (std::size_t r = 0; r < k_halo_routes; ++r) {
    choice.work[r] = {static_cast<int>(most[3 * r]), static_cast<int>(most[3 * r + 1]), most[3 * r + 2]};
    choice.seconds[r] = halo_seconds(choice.work[r], speed);
  }
  for (const HaloRoute route : {HaloRoute::staged, HaloRoute::direct})
    if (choice.seconds[static_cast<std::size_t>(route)] <
        choice.seconds[static_cast<std::size_t>(choice.route)])
      choice.route = route;
  return choice;
}

std::string halo_text(const HaloChoice& choice) {
  if (choice.asked)
    return fmt::format("{} (asked for, or the way of the run that goes on)", halo_name(choice.route));
  const auto chosen = static_cast<std::size_t>(choice.route);
  const HaloWork& work = choice.work[chosen];
  std::string others;
  for (std::size_t r = 0; r < k_halo_routes; ++r)
    if (r != chosen)
      others += fmt::format("; {} {}, {}, {:.3g}", k_names[r], choice.work[r].stages, choice.work[r].messages,
                            1e3 * choice.seconds[r]);
  return fmt::format("{} ({} stage{}, {} message{} of a rank, {:.3g} ms per update expected{})",
                     k_names[chosen], work.stages, work.stages == 1 ? "" : "s", work.messages,
                     work.messages == 1 ? "" : "s", 1e3 * choice.seconds[chosen], others);
}

}  // namespace nanoday
