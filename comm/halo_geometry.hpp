// Who is near whom in a grid of domains: the team a rank shares memory with, and the teams around it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "block_axis.hpp"
#include "domain_grid.hpp"

#include <array>
#include <vector>

namespace nanoday {

/// How ghosts travel between teams, each of which is one box with one halo. `direct`: every rank is a team;
/// one message per pair of them. `by_node`: nodes are teams; one message per pair of them. `staged`: nodes
/// are teams and talk only to those before and behind them along a, then along b, then along c; every stage
/// forwards what earlier ones brought.
enum class HaloRoute { direct, by_node, staged };

/// Another team that this one sends rows to, and receives some from.
struct NeighborTeam {
  std::array<int, 3> place{};  ///< in the grid of teams
  int stage = 0;               ///< of the exchange: 0 but for HaloRoute::staged
  int contact = 0;             ///< member of this team that sends to and receives from it
  int peer = 0;                ///< rank over there that does the same
};

/// Pure: what a rank knows about its surroundings before looking at a single atom.
class HaloGeometry {
 public:
  /// Throws InputError when the box is so small that images cannot be counted.
  /// \param grid  borrowed \param natoms  of all ranks
  HaloGeometry(const DomainGrid& grid, HaloRoute route, double cutoff, std::int64_t natoms, int rank);

  int rank() const { return rank_; }
  const DomainGrid& grid() const { return *grid_; }
  /// Ranks of this rank's team in ascending order, and its own place among them.
  const std::vector<int>& team() const { return team_; }
  int member() const { return member_; }
  /// All teams that messages may go to, each once, ordered by stage and place; contacts are dealt out evenly
  /// in that order.
  const std::vector<NeighborTeam>& neighbors() const { return neighbors_; }
  /// Stages of an exchange: none along an axis without neighbors.
  int stages() const { return stages_; }

  const BlockAxis& rank_axis(int d) const { return rank_axis_[static_cast<std::size_t>(d)]; }
  const BlockAxis& team_axis(int d) const { return team_axis_[static_cast<std::size_t>(d)]; }
  /// Domains of one team along each axis.
  const std::array<int, 3>& inner() const { return inner_; }
  const std::array<int, 3>& team_place() const { return team_place_; }

 private:
  std::vector<int> members_at(std::array<int, 3> place) const;
  void find_all_neighbors();
  void find_staged_neighbors();
  void add_neighbor(std::array<int, 3> place, int stage, std::size_t back);

  const DomainGrid* grid_;
  int rank_, member_ = 0, stages_ = 1;
  std::array<int, 3> inner_{}, team_place_{};
  std::vector<BlockAxis> rank_axis_, team_axis_;  ///< (3)
  std::vector<int> team_;
  std::vector<NeighborTeam> neighbors_;
};

}  // namespace nanoday
