// Which points of a mesh each rank owns: bricks cut along a, b and c where the domains are cut.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/mesh_ranks.hpp"
#include "domain_grid.hpp"

#include <array>
#include <vector>

namespace nanoday {

/// The same cuts for all ranks: brick (p0, p1, p2) holds points cut[d][p_d] … cut[d][p_d + 1] − 1 along each
/// d.
struct BrickGrid {
  std::array<int, 3> mesh{};              ///< points along a, b, c
  std::array<std::vector<int>, 3> cut;    ///< (bricks along d + 1), from 0 to mesh[d], never falling
  std::vector<std::array<int, 3>> place;  ///< (ranks) of a rank in the grid
  std::vector<int> rank;                  ///< (bricks) the rank at a place, c fastest

  std::array<int, 3> shape() const;
  MeshBrick brick(int of_rank) const;
  int rank_at(std::array<int, 3> at) const;
  /// The brick along direction d that holds a point 0 … mesh[d] − 1.
  int owner_along(int d, int point) const;
};

/// A rank's brick is the points whose fractional coordinate lies in its region; a brick may be empty.
/// Throws InputError when the box does not repeat along a, b and c.
BrickGrid brick_grid(const DomainGrid& domains, std::array<int, 3> mesh);

/// Points beyond its brick that a rank's charges touch.
/// \param order assignment order \param reach how far charges may lie beyond the rank's region [Å]
std::array<int, 3> mesh_margin(const Box& box, std::array<int, 3> mesh, int order, double reach);

}  // namespace nanoday
