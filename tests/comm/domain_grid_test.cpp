// Domains: the grid that is chosen, and one owner for every place.
// SPDX-License-Identifier: Apache-2.0
#include "domain_grid.hpp"

#include "comm/rank_systems.hpp"
#include "core/error.hpp"
#include "in_process.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nanoday {
namespace {

using namespace rank_systems;
using Triple = std::array<int, 3>;

DomainFrame unit_frame(const Box& box) { return {box, {0, 0, 0}, {1, 1, 1}}; }

DomainGrid grid_of(const Box& box, int ranks, int per_node) {
  return {unit_frame(box), nodes_in_order(ranks, per_node)};
}

bool holds(const DomainGrid::Region& region, const std::array<double, 3>& f) {
  bool inside = true;
  for (std::size_t d = 0; d < 3; ++d) inside = inside && region.low[d] <= f[d] && f[d] < region.high[d];
  return inside;
}

TEST(DomainGrid, gives_every_fraction_to_the_one_rank_whose_region_holds_it) {
  const double one = 1, zero = 0;
  for (const int ranks : {1, 2, 3, 5, 6, 7, 8, 30, 48, 97}) {
    const DomainGrid grid = grid_of(Box::orthorhombic(1, 1, 1), ranks, 0);
    std::vector<double> values{0, std::nextafter(zero, one), std::nextafter(one, zero), 0.5};
    for (int d = 0; d < 3; ++d)  // every cut, and the numbers beside it
      for (const double cut : grid.cuts(d))
        if (cut < 1) values.insert(values.end(), {cut, std::nextafter(cut, one)});
    for (int d = 0; d < 3; ++d)
      for (const double cut : grid.cuts(d))
        if (cut > 0) values.push_back(std::nextafter(cut, zero));
    std::mt19937_64 random(3);
    std::uniform_int_distribution<std::size_t> pick(0, values.size() - 1);
    for (int trial = 0; trial < 300; ++trial) {
      const std::array<double, 3> f{values[pick(random)], values[pick(random)], values[pick(random)]};
      int owners = 0;
      for (int r = 0; r < ranks; ++r) owners += holds(grid.region(r), f);
      ASSERT_EQ(owners, 1);
      ASSERT_TRUE(holds(grid.region(grid.owner({f[0], f[1], f[2]})), f));
    }
  }
}

TEST(DomainGrid, gives_what_rounding_puts_outside_to_the_domains_at_the_ends) {
  const DomainGrid grid = grid_of(Box::orthorhombic(1, 1, 1), 8, 0);
  EXPECT_EQ(grid.shape(), (Triple{2, 2, 2}));
  EXPECT_EQ(grid.place(grid.owner({1, 1, 1})), (Triple{1, 1, 1}));
  EXPECT_EQ(grid.place(grid.owner({-0.0, -1e-17, 1 + 1e-15})), (Triple{0, 0, 1}));
}

TEST(DomainGrid, knows_the_way_from_ranks_to_places_and_back) {
  for (const int ranks : {1, 7, 12, 48})
    for (const int per_node : {0, 1, 4, 5}) {
      const DomainGrid grid = grid_of(Box::orthorhombic(3, 4, 5), ranks, per_node);
      EXPECT_EQ(grid.shape()[0] * grid.shape()[1] * grid.shape()[2], ranks);
      EXPECT_EQ(grid.ranks(), ranks);
      for (int r = 0; r < ranks; ++r) EXPECT_EQ(grid.rank_at(grid.place(r)), r);
    }
}

TEST(DomainGrid, cuts_where_the_surface_is_smallest) {
  EXPECT_EQ(grid_of(Box::orthorhombic(10, 10, 10), 8, 1).shape(), (Triple{2, 2, 2}));
  EXPECT_EQ(grid_of(Box::orthorhombic(10, 10, 10), 64, 1).shape(), (Triple{4, 4, 4}));
  EXPECT_EQ(grid_of(Box::orthorhombic(80, 10, 10), 8, 1).shape(), (Triple{8, 1, 1}));
  EXPECT_EQ(grid_of(Box::orthorhombic(10, 40, 20), 8, 1).shape(), (Triple{1, 4, 2}));
  EXPECT_EQ(grid_of(Box::orthorhombic(10, 10, 30), 7, 1).shape(), (Triple{1, 1, 7}));
  Box slab = Box::orthorhombic(10, 10, 10);  // cutting an open direction in two makes one face, not two
  slab.periodic = {true, true, false};
  EXPECT_EQ(grid_of(slab, 2, 1).shape(), (Triple{1, 1, 2}));
}

TEST(DomainGrid, makes_nodes_boxes_of_their_ranks) {
  const DomainGrid grid = grid_of(Box::orthorhombic(80, 80, 80), 8 * 48, 48);
  EXPECT_EQ(grid.nodes(), (Triple{2, 2, 2}));
  for (int r = 0; r < grid.ranks(); ++r) {
    const auto node = grid.node_region(r), own = grid.region(r);
    for (std::size_t d = 0; d < 3; ++d) {
      EXPECT_EQ(node.high[d] - node.low[d], 0.5);
      EXPECT_LE(node.low[d], own.low[d]);
      EXPECT_GE(node.high[d], own.high[d]);
      EXPECT_EQ(node.low[d], grid.node_region(r / 48 * 48).low[d]);
    }
  }
}

TEST(DomainGrid, counts_every_rank_as_a_node_when_nodes_differ) {
  const DomainGrid grid = grid_of(Box::orthorhombic(8, 8, 8), 8, 3);
  EXPECT_EQ(grid.nodes(), grid.shape());
  EXPECT_EQ(grid.shape(), (Triple{2, 2, 2}));
  for (int r = 0; r < 8; ++r) EXPECT_EQ(grid.node_region(r).low, grid.region(r).low);
}

TEST(DomainGrid, reaches_to_infinity_at_the_ends_of_open_directions) {
  run_ranks(6, [](Transport& transport) {
    const Case c{"open", Box::open(), 4, 200};
    Atoms atoms = dealt(all_atoms(c), transport);
    const DomainFrame frame = domain_frame(c.box, local_positions(atoms), transport);
    EXPECT_NEAR(frame.low[0], -5.4, 0.3);  // 9 Å × (−0.6 … 1.7)
    EXPECT_NEAR(frame.high[0], 15.3, 0.3);
    const DomainGrid grid(frame, transport.node_of());
    const std::array<double, 3> far{1e6, -1e6, 3};
    EXPECT_TRUE(holds(grid.region(grid.owner({far[0], far[1], far[2]})), far));
    std::int64_t inside = 0;
    for (const Vec4& x : atoms.position) inside += holds(grid.region(grid.owner(xyz(x))), {x.x, x.y, x.z});
    EXPECT_EQ(inside, atoms.nlocal);
  });
}

TEST(DomainGrid, needs_no_extent_to_make_a_frame) {
  run_ranks(3, [](Transport& transport) {
    const DomainFrame none = domain_frame(Box::open(), {}, transport);
    EXPECT_EQ(none.high[1] - none.low[1], 1);
    const Array<Vec4> point{{3, 4, 5, 0}};
    const DomainFrame flat = domain_frame(Box::open(), point, transport);
    const DomainGrid grid(flat, transport.node_of());
    EXPECT_TRUE(holds(grid.region(grid.owner({3, 4, 5})), {3, 4, 5}));
  });
  const auto self = make_self_transport();
  EXPECT_THROW(domain_frame(Box::orthorhombic(4, 0, 4), {}, *self), InputError);
}

}  // namespace
}  // namespace nanoday
