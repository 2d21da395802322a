// Tests of meshes cut as domains are: whose points are whose, and how wide margins must be.
// SPDX-License-Identifier: Apache-2.0
#include "brick_grid.hpp"

#include "core/error.hpp"
#include "math/charge_assignment.hpp"

#include <gtest/gtest.h>

#include <random>

namespace nanoday {
namespace {

using Shape = std::array<int, 3>;

Box skewed_box() { return Box::triclinic({Vec3{10, 0, 0}, Vec3{3, 12, 0}, Vec3{-2, 4, 9}}); }
DomainFrame frame_of(const Box& box) { return {box, {0, 0, 0}, {1, 1, 1}}; }

TEST(BrickGrid, gives_each_rank_the_points_that_lie_in_its_region) {
  for (const Box& box : {Box::orthorhombic(10, 7, 21), skewed_box()})
    for (const int n_ranks : {1, 2, 3, 4, 5, 7, 8, 12})
      for (const Shape& mesh : {Shape{8, 9, 10}, Shape{5, 6, 7}, Shape{2, 3, 24}}) {
        const DomainGrid domains(frame_of(box), std::vector<int>(n_ranks));
        const BrickGrid grid = brick_grid(domains, mesh);
        std::size_t points = 0;
        for (int r = 0; r < n_ranks; ++r) {
          const MeshBrick brick = grid.brick(r);
          const auto region = domains.region(r);
          points += brick.points();
          EXPECT_EQ(grid.rank_at(grid.place[r]), r);
          for (int d = 0; d < 3; ++d)
            for (int i = brick.begin[d]; i < brick.end[d]; ++i) {
              EXPECT_GE(i, region.low[d] * mesh[d]);
              EXPECT_LT(i, region.high[d] * mesh[d]);
              EXPECT_EQ(grid.owner_along(d, i), grid.place[r][d]);
            }
        }
        EXPECT_EQ(points, static_cast<std::size_t>(mesh[0]) * mesh[1] * mesh[2]);
      }
}

TEST(BrickGrid, refuses_a_box_that_does_not_repeat) {
  Box box = Box::orthorhombic(10, 10, 10);
  box.periodic[2] = false;
  EXPECT_THROW(brick_grid(DomainGrid(frame_of(box), {0, 0}), {8, 8, 8}), InputError);
}

/// Largest number of points by which a stencil of order P leaves the brick.
template <int P>
int overhang(double coordinate, int begin, int end) {
  const MeshPlace place = mesh_place<P>(coordinate);
  return std::max(begin - static_cast<int>(place.first), static_cast<int>(place.first) + P - end);
}

TEST(BrickGrid, margins_hold_all_stencils_of_charges_within_reach) {
  std::mt19937_64 random(60);
  const Box box = skewed_box();
  const Shape mesh{11, 17, 24};
  const Vec3 heights = box.heights();
  const std::array<double, 3> height{heights.x, heights.y, heights.z};
  for (const double reach : {0.0, 0.4, 2.3}) {
    const DomainGrid domains(frame_of(box), std::vector<int>(12));
    const BrickGrid grid = brick_grid(domains, mesh);
    for (int r = 0; r < 12; ++r)
      for (int d = 0; d < 3; ++d) {
        const auto region = domains.region(r);
        const double beyond = reach / height[d];  // fractions
        std::uniform_real_distribution<double> fraction(region.low[d] - beyond, region.high[d] + beyond);
        const int begin = grid.brick(r).begin[d], end = grid.brick(r).end[d];
        for (int k = 0; k < 2000; ++k) {
          const double p = fraction(random) * mesh[d];
          ASSERT_LE(overhang<3>(p, begin, end), mesh_margin(box, mesh, 3, reach)[d]);
          ASSERT_LE(overhang<4>(p, begin, end), mesh_margin(box, mesh, 4, reach)[d]);
          ASSERT_LE(overhang<5>(p, begin, end), mesh_margin(box, mesh, 5, reach)[d]);
          ASSERT_LE(overhang<7>(p, begin, end), mesh_margin(box, mesh, 7, reach)[d]);
        }
      }
  }
}

}  // namespace
}  // namespace nanoday
