// Tests of the margins of mesh bricks: against brute force over all points.
// SPDX-License-Identifier: Apache-2.0
#include "mesh_margins.hpp"

#include "even_bricks.hpp"
#include "in_process.hpp"

#include <gtest/gtest.h>

#include <random>

namespace nanoday {
namespace {

using namespace testing;
using Shape = std::array<int, 3>;

struct Case {
  Shape shape, mesh, margin;
};
// Narrow margins, margins over several neighbors, margins wider than the mesh, empty bricks, no margin.
const std::vector<Case> k_cases{
    {{1, 1, 1}, {4, 5, 6}, {1, 2, 3}}, {{1, 1, 1}, {2, 3, 2}, {5, 4, 3}}, {{2, 1, 1}, {8, 4, 4}, {1, 1, 1}},
    {{2, 2, 2}, {6, 7, 8}, {2, 2, 2}}, {{4, 1, 2}, {8, 3, 5}, {5, 4, 3}}, {{1, 7, 1}, {4, 9, 4}, {1, 3, 1}},
    {{5, 1, 1}, {3, 4, 4}, {2, 2, 2}}, {{3, 1, 1}, {9, 4, 4}, {0, 0, 0}}, {{1, 3, 2}, {4, 9, 8}, {0, 2, 0}}};

TEST(MeshMargins, fold_adds_every_share_to_the_point_it_stands_for) {
  for (const Case& c : k_cases) {
    const BrickGrid grid = even_bricks(c.shape, c.mesh);
    const int n_ranks = static_cast<int>(grid.rank.size());
    std::vector<std::vector<std::int64_t>> array(n_ranks);
    std::vector<std::uint64_t> expected(c.mesh[0] * c.mesh[1] * c.mesh[2]);
    for (int r = 0; r < n_ranks; ++r) {
      std::mt19937_64 random(50 + r);
      for_margin_points(grid.brick(r), c.margin, c.mesh, [&](std::size_t, std::size_t there, bool) {
        array[r].push_back(static_cast<std::int64_t>(random()));
        expected[there] += static_cast<std::uint64_t>(array[r].back());
      });
    }
    run_ranks(n_ranks, [&](Transport& t) {
      const MeshMargins margins(grid, t.rank(), c.margin);
      ASSERT_EQ(margins.size(), array[t.rank()].size());
      margins.fold(t, array[t.rank()]);
    });
    for (int r = 0; r < n_ranks; ++r)
      for_margin_points(grid.brick(r), c.margin, c.mesh,
                        [&](std::size_t here, std::size_t there, bool inside) {
                          ASSERT_EQ(static_cast<std::uint64_t>(array[r][here]), inside ? expected[there] : 0);
                        });
  }
}

TEST(MeshMargins, expand_fills_margins_with_their_owners_values) {
  for (const Case& c : k_cases) {
    const BrickGrid grid = even_bricks(c.shape, c.mesh);
    run_ranks(static_cast<int>(grid.rank.size()), [&](Transport& t) {
      const MeshMargins margins(grid, t.rank(), c.margin);
      const MeshBrick brick = grid.brick(t.rank());
      std::vector<double> values(margins.size(), -1);
      for_margin_points(brick, c.margin, c.mesh, [&](std::size_t here, std::size_t there, bool inside) {
        if (inside) values[here] = 0.25 * static_cast<double>(there);
      });
      margins.expand(t, values);
      for_margin_points(brick, c.margin, c.mesh, [&](std::size_t here, std::size_t there, bool) {
        ASSERT_EQ(values[here], 0.25 * static_cast<double>(there));
      });
    });
  }
}

TEST(MeshMargins, send_one_message_per_pair_of_ranks_that_share_points) {
  const BrickGrid grid = even_bricks({4, 1, 1}, {16, 4, 4});
  run_ranks(4, [&](Transport& t) {
    const MeshMargins margins(grid, t.rank(), {2, 2, 2});
    std::vector<std::int64_t> mesh(margins.size());
    margins.fold(t, mesh);
    EXPECT_EQ(t.traffic().node_messages, 2);
    EXPECT_EQ(t.traffic().node_bytes, 2 * 8 * (2 * 8 * 8));  // two faces of two layers of 8 × 8
  });
}

}  // namespace
}  // namespace nanoday
