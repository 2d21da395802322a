// Who is near whom: both sides of every pair agree, work is dealt evenly, layouts do not overlap.
// SPDX-License-Identifier: Apache-2.0
#include "halo_geometry.hpp"

#include "core/error.hpp"
#include "halo_layout.hpp"
#include "transport.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

namespace nanoday {
namespace {

struct GridCase {
  int ranks, per_node;
  Box box;
  double cutoff;
};

Box partly_open() {
  Box box = Box::triclinic({Vec3{50, 0, 0}, Vec3{10, 40, 0}, Vec3{-5, 8, 30}});
  box.periodic = {true, false, true};
  return box;
}

std::vector<GridCase> grid_cases() {
  return {{1, 0, Box::orthorhombic(9, 9, 9), 20},
          {8, 4, Box::orthorhombic(20, 20, 20), 8},
          {8 * 48, 48, Box::orthorhombic(24, 24, 24), 8},
          {27 * 4, 4, Box::orthorhombic(24, 24, 24), 8},
          {7, 1, Box::orthorhombic(20, 30, 40), 8},
          {60, 4, partly_open(), 8},
          {64, 1, Box::triclinic({Vec3{8, 0, 0}, Vec3{3, 7, 0}, Vec3{-2, 2.5, 9}}), 8}};
}

constexpr std::array k_routes{HaloRoute::direct, HaloRoute::by_node, HaloRoute::staged};

DomainGrid grid_of(const GridCase& c) {
  return {{c.box, {0, 0, 0}, {1, 1, 1}}, nodes_in_order(c.ranks, c.per_node)};
}

TEST(BlockAxis, finds_the_way_back_of_every_way_there) {
  for (const double reach : {0.01, 0.2, 0.25, 1.0 / 3, 1.0, 2.7})
    for (const bool periodic : {true, false})
      for (const int n : {1, 2, 3, 4, 12}) {
        std::vector<BlockAxis::Extent> blocks;
        for (int k = 0; k < n; ++k) blocks.push_back({double(k) / n, double(k + 1) / n});
        const BlockAxis axis(blocks, periodic, reach);
        for (int from = 0; from < n; ++from)
          for (const auto& [to, shift] : axis.targets(from)) {
            const auto back = axis.targets(to);
            EXPECT_NE(std::find(back.begin(), back.end(), BlockAxis::Target{from, -shift}), back.end());
          }
      }
}

TEST(BlockAxis, names_every_block_that_an_atom_may_come_near) {
  const BlockAxis axis({{0, 0.25}, {0.25, 0.5}, {0.5, 0.75}, {0.75, 1}}, true, 0.3);
  EXPECT_EQ(axis.neighbors(0), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(axis.targets(3).size(), 5u);  // block 1 from the left and across the face
  EXPECT_TRUE(axis.near(3, 0.46));
  EXPECT_FALSE(axis.near(3, 0.44));
  const BlockAxis open({{-3, 1}, {1, 5}}, false, 2);
  EXPECT_TRUE(open.near(0, -1e9));
  EXPECT_FALSE(open.near(1, -1e9));
}

TEST(HaloGeometry, both_sides_of_a_pair_of_teams_name_the_same_two_ranks) {
  for (const GridCase& c : grid_cases()) {
    const DomainGrid grid = grid_of(c);
    for (const HaloRoute route : k_routes) {
      const auto geometry = [&](int rank) { return HaloGeometry(grid, route, c.cutoff, 100, rank); };
      for (int rank = 0; rank < std::min(c.ranks, 60); rank += 7) {
        const HaloGeometry mine = geometry(rank);
        EXPECT_EQ(mine.team()[std::size_t(mine.member())], rank);
        for (const NeighborTeam& neighbor : mine.neighbors()) {
          const HaloGeometry theirs = geometry(neighbor.peer);
          const auto at = std::find_if(theirs.neighbors().begin(), theirs.neighbors().end(),
                                       [&](const auto& n) { return n.place == mine.team_place(); });
          ASSERT_NE(at, theirs.neighbors().end());
          EXPECT_EQ(theirs.team()[std::size_t(at->contact)], neighbor.peer);
          EXPECT_EQ(at->peer, mine.team()[std::size_t(neighbor.contact)]);
          EXPECT_EQ(at->stage, neighbor.stage);
        }
      }
    }
  }
}

TEST(HaloGeometry, deals_neighbors_evenly_to_the_members_of_a_team) {
  for (const GridCase& c : grid_cases())
    for (const HaloRoute route : {HaloRoute::by_node, HaloRoute::staged}) {
      const DomainGrid grid = grid_of(c);
      const HaloGeometry geometry(grid, route, c.cutoff, 100, 0);
      std::map<int, int> messages;
      for (std::size_t k = 0; k < geometry.team().size(); ++k) messages[int(k)] = 0;
      for (const NeighborTeam& neighbor : geometry.neighbors()) ++messages[neighbor.contact];
      const auto [fewest, most] = std::minmax_element(messages.begin(), messages.end(),
                                                      [](auto& a, auto& b) { return a.second < b.second; });
      EXPECT_LE(most->second - fewest->second, 1);
    }
}

TEST(HaloGeometry, knows_two_neighbors_per_stage_in_a_wide_grid_and_more_where_nodes_are_thin) {
  const DomainGrid wide = grid_of({64 * 4, 4, Box::orthorhombic(80, 80, 80), 8});
  const HaloGeometry six(wide, HaloRoute::staged, 8, 100, 33);
  ASSERT_EQ(six.neighbors().size(), 6u);
  EXPECT_EQ(six.stages(), 3);
  for (int n = 0; n < 6; ++n) EXPECT_EQ(six.neighbors()[std::size_t(n)].stage, n / 2);
  const DomainGrid thin = grid_of({64 * 4, 4, Box::orthorhombic(24, 24, 24), 8});
  EXPECT_EQ(HaloGeometry(thin, HaloRoute::staged, 8, 100, 33).neighbors().size(), 9u);  // 3 others per axis
  const DomainGrid flat = grid_of({8, 4, Box::orthorhombic(20, 20, 20), 8});
  const HaloGeometry one(flat, HaloRoute::staged, 8, 100, 0);
  EXPECT_EQ(one.neighbors().size(), 1u);
  EXPECT_EQ(one.stages(), 1);
}

TEST(HaloGeometry, knows_twenty_six_neighbors_in_a_wide_grid) {
  const DomainGrid grid = grid_of({64 * 48, 48, Box::orthorhombic(80, 80, 80), 8});
  const HaloGeometry geometry(grid, HaloRoute::by_node, 8, 100, 1000);
  EXPECT_EQ(geometry.neighbors().size(), 26u);
  EXPECT_EQ(geometry.team().size(), 48u);
}

/// Marks [first, first + count) as used and expects nobody to have used it.
void occupy(std::vector<int>& used, std::int64_t first, std::int64_t count) {
  for (std::int64_t k = first; k < first + count; ++k) {
    ASSERT_LT(std::size_t(k), used.size());
    EXPECT_EQ(used[std::size_t(k)]++, 0);
  }
}

TEST(HaloLayout, gives_every_row_a_place_of_its_own) {
  std::mt19937_64 random(5);
  std::uniform_int_distribution<std::int64_t> rows(0, 9);
  const std::size_t members = 3, neighbors = 7;
  HaloCensus census(members, {0, 1, 2, 0, 1, 2, 0}, {0, 0, 1, 1, 1, 2, 2});
  EXPECT_EQ(census.relay.size(), 3u * 2 + 2u * 5);
  for (auto* counts : {&census.to_member, &census.out, &census.chosen, &census.in, &census.passed})
    for (auto& n : *counts) n = rows(random);
  for (std::size_t k = 0; k < members; ++k) census.to_member[k * members + k] = 0;
  const HaloLayout layout(census);
  std::vector<std::vector<int>> outward, home, choices;
  for (std::size_t k = 0; k < members; ++k) {
    outward.emplace_back(layout.rows(k));
    home.emplace_back(layout.rows(k));
    choices.emplace_back(layout.choices(k));
  }
  for (std::size_t k = 0; k < members; ++k)
    for (std::size_t m = 0; m < members; ++m) {
      occupy(outward[k], layout.member_row(k, m), census.to_member[k * members + m]);
      occupy(home[k], layout.member_share(k, m), census.to_member[m * members + k]);
    }
  for (std::size_t b = 0; b < neighbors; ++b) {
    const std::size_t contact = census.contact[b];
    for (auto* used : {&outward, &home}) occupy((*used)[contact], layout.in_row(b), census.in[b]);
    for (std::size_t k = 0; k < members; ++k) {
      const std::int64_t out = census.out[k * neighbors + b], chosen = census.chosen[k * neighbors + b];
      for (auto* used : {&outward, &home}) occupy((*used)[contact], layout.out_row(b, k), out);
      occupy(home[k], layout.neighbor_share(k, b), chosen);
      occupy(choices[k], layout.choice(k, b), chosen);
    }
  }
  for (std::size_t r = 0; r < census.relay.size(); ++r) {
    const std::size_t contact = census.contact[census.relay[r].to];
    for (auto* used : {&outward, &home}) occupy((*used)[contact], layout.relay_row(r), census.passed[r]);
    occupy(choices[contact], layout.relay_choice(r), census.passed[r]);
  }
  for (std::size_t b = 0; b < neighbors; ++b)
    for (std::int64_t row = 0; row < census.out_rows(b); ++row)
      EXPECT_EQ(outward[census.contact[b]][std::size_t(layout.out_row(b, 0) + row)], 1) << "no gaps";
}

TEST(HaloLayout, is_the_same_on_members_that_read_each_others_records) {
  HaloCensus mine(2, {0, 1, 0}, {0, 0, 1}), theirs(2, {0, 1, 0}, {0, 0, 1});
  mine.to_member = {0, 3, 0, 0};
  mine.out = {1, 2, 3, 0, 0, 0};
  mine.in = {5, 0, 6};
  mine.passed = {7, 8};
  std::vector<std::int64_t> record(mine.record_size());
  mine.write_record(0, record.data());
  theirs.in[1] = 9;
  theirs.read_record(0, record.data());
  EXPECT_EQ(theirs.to_member, mine.to_member);
  EXPECT_EQ(theirs.out, mine.out);
  EXPECT_EQ(theirs.in, (std::vector<std::int64_t>{5, 9, 6}));
  EXPECT_EQ(theirs.passed, mine.passed);
}

}  // namespace
}  // namespace nanoday
