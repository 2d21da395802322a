// The choice between ways for ghosts to travel: its numbers, its order, the same on all ranks.
// SPDX-License-Identifier: Apache-2.0
#include "halo_choice.hpp"

#include "in_process.hpp"

#include <gtest/gtest.h>

#include <mutex>
#include <set>

namespace nanoday {
namespace {

/// Nodes of 4 ranks in a cube, each 20 Å wide.
DomainGrid cube(int nodes_per_edge) {
  const double edge = 20.0 * nodes_per_edge;
  const DomainFrame frame{Box::orthorhombic(edge, edge, edge), {0, 0, 0}, {1, 1, 1}};
  return {frame, nodes_in_order(4 * nodes_per_edge * nodes_per_edge * nodes_per_edge, 4)};
}

HaloWork work(const DomainGrid& grid, HaloRoute route) {
  const std::int64_t natoms = 1000 * grid.ranks() / 4;
  const int rank = 9 % grid.ranks();  // each has the same to do
  return halo_work(HaloGeometry(grid, route, 8, natoms, rank), natoms);
}

TEST(HaloChoice, counts_the_stages_messages_and_bytes_of_each_way) {
  const DomainGrid grid = cube(4);
  const HaloWork by_node = work(grid, HaloRoute::by_node), staged = work(grid, HaloRoute::staged),
                 direct = work(grid, HaloRoute::direct);
  EXPECT_EQ(by_node.stages, 1);
  EXPECT_EQ(by_node.messages, 7);  // 26 dealt to 4 ranks
  EXPECT_EQ(staged.stages, 3);
  EXPECT_EQ(staged.messages, 3);  // two a stage, by different ranks
  EXPECT_GE(direct.messages, 26);
  // Atoms of 36³ − 20³ Å³ at 1,000 in 20³, 24 bytes each, a quarter for each rank.
  EXPECT_NEAR(by_node.bytes, 24 * 1000 * (36.0 * 36.0 * 36.0 / 8000.0 - 1) / 4, 1e-6);
  EXPECT_DOUBLE_EQ(staged.bytes, by_node.bytes);
  EXPECT_GT(direct.bytes, 1.5 * by_node.bytes);
}

TEST(HaloChoice, sends_nothing_from_the_only_node) {
  const HaloWork none = work(cube(1), HaloRoute::by_node);
  EXPECT_EQ(none.stages, 0);
  EXPECT_EQ(none.messages, 0);
  EXPECT_EQ(none.bytes, 0);
}

TEST(HaloChoice, does_not_count_an_atom_twice_where_the_box_is_as_thin_as_its_surroundings) {
  const HaloWork all = work(cube(2), HaloRoute::by_node);  // 20 Å and 8 on both sides, of 40
  EXPECT_NEAR(all.bytes, 24 * 8000 * (36.0 * 36.0 * 36.0 - 8000.0) / 64000.0 / 4, 1e-6);
}

TEST(HaloChoice, prefers_stages_where_a_message_costs_much_of_its_latency) {
  const DomainGrid grid = cube(4);
  const HaloWork by_node = work(grid, HaloRoute::by_node), staged = work(grid, HaloRoute::staged);
  const MessageSpeed long_wire{1e-6, 1e-7, 1e-10}, busy_card{1e-6, 5e-7, 1e-10};
  EXPECT_NEAR(halo_seconds(by_node, long_wire), 1e-6 + 6e-7 + 1e-10 * by_node.bytes, 1e-15);
  EXPECT_LT(halo_seconds(by_node, long_wire), halo_seconds(staged, long_wire));
  EXPECT_LT(halo_seconds(staged, busy_card), halo_seconds(by_node, busy_card));
}

TEST(HaloChoice, is_the_same_on_all_ranks_and_the_cheapest_way) {
  std::mutex mutex;
  std::set<HaloRoute> routes;
  run_ranks(
      8,
      [&](Transport& transport) {
        const DomainFrame frame{Box::orthorhombic(40, 40, 40), {0, 0, 0}, {1, 1, 1}};
        const DomainGrid grid(frame, transport.node_of());
        const HaloChoice choice = choose_halo(grid, 8, 6400, transport, std::nullopt);
        EXPECT_FALSE(choice.asked);
        for (const double seconds : choice.seconds) {
          EXPECT_GT(seconds, 0);
          EXPECT_GE(seconds, choice.seconds[std::size_t(choice.route)]);
        }
        EXPECT_EQ(halo_text(choice).find(halo_name(choice.route)), 0u);
        const std::lock_guard lock(mutex);
        routes.insert(choice.route);
      },
      1);
  EXPECT_EQ(routes.size(), 1u);
}

TEST(HaloChoice, obeys_and_stays_as_it_was_on_one_node) {
  run_ranks(
      4,
      [&](Transport& transport) {
        const DomainFrame frame{Box::orthorhombic(40, 40, 40), {0, 0, 0}, {1, 1, 1}};
        const DomainGrid grid(frame, transport.node_of());
        const HaloChoice asked = choose_halo(grid, 8, 6400, transport, HaloRoute::staged);
        EXPECT_EQ(asked.route, HaloRoute::staged);
        EXPECT_EQ(halo_text(asked), "staged (asked for, or the way of the run that goes on)");
      },
      2);
  run_ranks(3, [&](Transport& transport) {
    const DomainFrame frame{Box::orthorhombic(40, 40, 40), {0, 0, 0}, {1, 1, 1}};
    const DomainGrid grid(frame, transport.node_of());
    EXPECT_EQ(choose_halo(grid, 8, 6400, transport, std::nullopt).route, HaloRoute::by_node);
  });
}

}  // namespace
}  // namespace nanoday
