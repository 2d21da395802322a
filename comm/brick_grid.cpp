// Which points of a mesh each rank owns: bricks cut along a, b and c where the domains are cut.
// SPDX-License-Identifier: Apache-2.0
#include "brick_grid.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

std::size_t index_of(std::array<int, 3> at, std::array<int, 3> shape) {
  return (static_cast<std::size_t>(at[0]) * static_cast<std::size_t>(shape[1]) +
          static_cast<std::size_t>(at[1])) *
             static_cast<std::size_t>(shape[2]) +
         static_cast<std::size_t>(at[2]);
}

}  // namespace

std::array<int, 3> BrickGrid::shape() const {
  return {static_cast<int>(cut[0].size()) - 1, static_cast<int>(cut[1].size()) - 1,
          static_cast<int>(cut[2].size()) - 1};
}

MeshBrick BrickGrid::brick(int of_rank) const {
  MeshBrick brick;
  for (std::size_t d = 0; d < 3; ++d) {
    const auto p = static_cast<std::size_t>(place[static_cast<std::size_t>(of_rank)][d]);
    brick.begin[d] = cut[d][p];
    brick.end[d] = cut[d][p + 1];
  }
  return brick;
}

int BrickGrid::rank_at(std::array<int, 3> at) const { return rank[index_of(at, shape())]; }

int BrickGrid::owner_along(int d, int point) const {
  const auto& cuts = cut[static_cast<std::size_t>(d)];
  return static_cast<int>(std::upper_bound(cuts.begin(), cuts.end(), point) - cuts.begin()) - 1;
}

BrickGrid brick_grid(const DomainGrid& domains, std::array<int, 3> mesh) {
  const auto& periodic = domains.frame().box.periodic;
  require(periodic[0] && periodic[1] && periodic[2],
          "a mesh cannot be cut among ranks in a box that does not repeat along every direction (its last "
          "domains have no end); use a periodic box");
  BrickGrid grid;
  grid.mesh = mesh;
  for (int d = 0; d < 3; ++d)
    for (const double cut : domains.cuts(d))
      grid.cut[static_cast<std::size_t>(d)].push_back(
          static_cast<int>(std::ceil(cut * mesh[static_cast<std::size_t>(d)])));
  const auto shape = domains.shape();
  grid.rank.resize(static_cast<std::size_t>(shape[0]) * static_cast<std::size_t>(shape[1]) *
                   static_cast<std::size_t>(shape[2]));
  grid.place.resize(grid.rank.size());
  for (std::size_t r = 0; r < grid.place.size(); ++r) {
    grid.place[r] = domains.place(static_cast<int>(r));
    grid.rank[index_of(grid.place[r], shape)] = static_cast<int>(r);
  }
  return grid;
}

std::array<int, 3> mesh_margin(const Box& box, std::array<int, 3> mesh, int order, double reach) {
  const Vec3 h = box.heights();
  const std::array<double, 3> height{h.x, h.y, h.z};
  std::array<int, 3> margin{};
  // A region begins up to one point before its first point; a stencil reaches order/2 points beyond its base.
  for (std::size_t d = 0; d < 3; ++d)
    margin[d] = static_cast<int>(std::ceil(reach * mesh[d] / height[d])) + 1 + order / 2;
  return margin;
}

}  // namespace nanoday
