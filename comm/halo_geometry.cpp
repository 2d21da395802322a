// Who is near whom in a grid of domains: teams, and who talks to whom.
// SPDX-License-Identifier: Apache-2.0
#include "halo_geometry.hpp"

#include "core/error.hpp"

#include <algorithm>

namespace nanoday {
namespace {

using Triple = std::array<int, 3>;

/// Fractions of the cell within the cutoff beyond a face, along each axis.
std::array<double, 3> reach_of(const DomainFrame& frame, double cutoff) {
  const Vec3 h = frame.box.heights();
  return {cutoff / h.x, cutoff / h.y, cutoff / h.z};
}

/// Local indices are 32-bit: refuse before counting, a box of 1e-3 Å would ask for billions of images.
void check_images(const DomainGrid& grid, const std::array<double, 3>& reach, double cutoff,
                  std::int64_t natoms) {
  double copies = 1;
  for (int d = 0; d < 3; ++d)
    if (grid.frame().box.periodic[d]) copies *= 1.0 / grid.shape()[d] + 2 * reach[d];
  require(copies * double(natoms) < 2e9,
          "the box is too small for the cutoff ({} atoms on {} ranks would need {:.3g} images within {} Å on "
          "a rank); "
          "check the cell vectors and their unit, or use more ranks",
          natoms, grid.ranks(), copies * double(natoms), cutoff);
}

/// Extents of n neighboring blocks as one.
std::vector<BlockAxis::Extent> coarse_extents(const std::vector<BlockAxis::Extent>& fine, int n) {
  std::vector<BlockAxis::Extent> coarse;
  for (std::size_t k = 0; k < fine.size(); ++k) {
    if (k % static_cast<std::size_t>(n) == 0) coarse.push_back(fine[k]);
    coarse.back() = {std::min(coarse.back().low, fine[k].low), std::max(coarse.back().high, fine[k].high)};
  }
  return coarse;
}

/// Blocks near one block along an axis: how many, and the places of two of them in that order.
struct Around {
  std::size_t size, self, other;
};

Around around(const BlockAxis& axis, int block, int other) {
  const std::vector<int> near = axis.neighbors(block);
  const auto index = [&](int b) {
    return static_cast<std::size_t>(std::lower_bound(near.begin(), near.end(), b) - near.begin());
  };
  return {near.size(), index(block), index(other)};
}

/// The number of a team among the neighbors of another, when they are ordered by place.
std::size_t number_among(const std::array<Around, 3>& axis) {
  std::size_t number = 0, self = 0;
  for (const Around& a : axis) {
    number = number * a.size + a.other;
    self = self * a.size + a.self;
  }
  return number < self ? number : number - 1;
}

}  // namespace

HaloGeometry::HaloGeometry(const DomainGrid& grid, HaloRoute route, double cutoff, std::int64_t natoms,
                           int rank)
    : grid_(&grid), rank_(rank) {
  const auto reach = reach_of(grid.frame(), cutoff);
  check_images(grid, reach, cutoff, natoms);
  for (int d = 0; d < 3; ++d) {
    const bool periodic = grid.frame().box.periodic[d];
    inner_[d] = route == HaloRoute::direct ? 1 : grid.shape()[d] / grid.nodes()[d];
    team_place_[d] = grid.place(rank)[d] / inner_[d];
    rank_axis_.emplace_back(grid.extents(d), periodic, reach[d]);
    team_axis_.emplace_back(coarse_extents(grid.extents(d), inner_[d]), periodic, reach[d]);
  }
  team_ = members_at(team_place_);
  member_ = static_cast<int>(std::lower_bound(team_.begin(), team_.end(), rank) - team_.begin());
  if (route == HaloRoute::staged)
    find_staged_neighbors();
  else
    find_all_neighbors();
}

// From there this team is one of the neighbors, too: each axis tells its place in that order.
void HaloGeometry::find_all_neighbors() {
  std::array<std::vector<int>, 3> near;
  std::array<std::vector<Around>, 3> seen;
  for (int d = 0; d < 3; ++d) {
    near[d] = team_axis(d).neighbors(team_place_[d]);
    for (const int block : near[d]) seen[d].push_back(around(team_axis(d), block, team_place_[d]));
  }
  for (std::size_t a = 0; a < near[0].size(); ++a)
    for (std::size_t b = 0; b < near[1].size(); ++b)
      for (std::size_t c = 0; c < near[2].size(); ++c) {
        const Triple place{near[0][a], near[1][b], near[2][c]};
        if (place != team_place_) add_neighbor(place, 0, number_among({seen[0][a], seen[1][b], seen[2][c]}));
      }
}

// Both ends of a message share their places along the other axes, hence the neighbors there.
void HaloGeometry::find_staged_neighbors() {
  stages_ = 0;
  std::size_t before = 0;  // neighbors of earlier stages
  for (int d = 0; d < 3; ++d) {
    const std::vector<int> near = team_axis(d).neighbors(team_place_[d]);
    if (near.size() == 1) continue;
    for (const int block : near) {
      if (block == team_place_[d]) continue;
      const Around there = around(team_axis(d), block, team_place_[d]);
      Triple place = team_place_;
      place[d] = block;
      add_neighbor(place, stages_, before + there.other - (there.other > there.self ? 1 : 0));
    }
    before += near.size() - 1;
    ++stages_;
  }
  stages_ = std::max(1, stages_);
}

/// \param back  number of this team among the other one's neighbors
void HaloGeometry::add_neighbor(Triple place, int stage, std::size_t back) {
  const auto theirs = members_at(place);
  neighbors_.push_back(
      {place, stage, static_cast<int>(neighbors_.size() % team_.size()), theirs[back % theirs.size()]});
}

std::vector<int> HaloGeometry::members_at(Triple place) const {
  std::vector<int> members;
  for (int a = 0; a < inner_[0]; ++a)
    for (int b = 0; b < inner_[1]; ++b)
      for (int c = 0; c < inner_[2]; ++c)
        members.push_back(
            grid_->rank_at({place[0] * inner_[0] + a, place[1] * inner_[1] + b, place[2] * inner_[2] + c}));
  std::sort(members.begin(), members.end());
  return members;
}

}  // namespace nanoday
