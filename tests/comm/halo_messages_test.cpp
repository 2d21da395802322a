// What halos send: one message per pair of nodes, or a few stages of them; every atom once to a node.
// SPDX-License-Identifier: Apache-2.0
#include "comm/rank_systems.hpp"
#include "core/error.hpp"
#include "halo.hpp"
#include "in_process.hpp"

#include <gtest/gtest.h>

#include <mutex>

namespace nanoday {
namespace {

using namespace rank_systems;

/// What all ranks sent while ghosts followed their owners and forces went home.
struct Sent {
  std::int64_t messages = 0, inside = 0, rows = 0, rows_home = 0, most_of_a_rank = 0, started = 0;
  std::int64_t needed = 0;  ///< rows: every atom once per node that needs it, twice (out and home)
};

/// Atoms of other nodes within the cutoff of a node's box, along each axis by itself, by looking at all.
std::int64_t needed_by(int rank, const DomainGrid& grid, const Case& c, const Atoms& all) {
  const auto region = grid.node_region(rank);
  const Vec3 h = c.box.heights();
  const double height[3] = {h.x, h.y, h.z};
  std::int64_t count = 0;
  for (const Vec4& x : all.position) {
    const Vec3 f = c.box.fractional(xyz(x));
    const double fraction[3] = {f.x, f.y, f.z};
    bool inside = true, near = true;
    for (std::size_t d = 0; d < 3; ++d) {
      bool reached = false;
      for (int shift = -3; shift <= 3; ++shift)
        reached = reached || (fraction[d] + shift >= region.low[d] - c.cutoff / height[d] &&
                              fraction[d] + shift <= region.high[d] + c.cutoff / height[d]);
      near = near && reached;
      inside = inside && fraction[d] >= region.low[d] && fraction[d] < region.high[d];
    }
    count += near && !inside ? 1 : 0;
  }
  return count;
}

Sent sent(const Case& c, int ranks, int per_node, HaloRoute route) {
  const Atoms all = all_atoms(c);
  Sent sum;
  std::mutex mutex;
  run_ranks(
      ranks,
      [&](Transport& transport) {
        Atoms atoms = dealt(all, transport);
        const DomainGrid grid = settle(c.box, transport, atoms);
        Halo halo(transport, route);
        halo.build(grid, c.box, c.cutoff, atoms);
        Forces forces;
        forces.fixed_point = true;
        forces.fixed.resize(std::size_t(atoms.nall()));
        const Traffic before = transport.traffic();
        halo.start_update(atoms);
        const Traffic started = transport.traffic();
        halo.finish_update(atoms);
        const Traffic out = transport.traffic();
        halo.reverse(forces, atoms.nlocal);
        const Traffic& home = transport.traffic();
        const std::lock_guard lock(mutex);
        sum.messages += home.messages - before.messages;
        sum.inside += home.node_messages - before.node_messages;
        sum.rows += (home.bytes - before.bytes) / 24;
        sum.rows_home += (home.bytes - out.bytes) / 24;
        sum.started += started.messages - before.messages;
        sum.most_of_a_rank = std::max(sum.most_of_a_rank, out.messages - before.messages);
        if (transport.rank() % per_node == 0) sum.needed += 2 * needed_by(transport.rank(), grid, c, all);
      },
      per_node);
  return sum;
}

TEST(HaloMessages, are_one_per_pair_of_nodes_and_none_inside_one) {
  const Sent s = sent({"", Box::orthorhombic(30, 30, 30), 3, 3000}, 8, 2, HaloRoute::by_node);
  EXPECT_EQ(s.messages, 2 * 4 * 3);  // 4 nodes in a grid of 2 × 2, each beside, behind and across from others
  EXPECT_EQ(s.started, 4 * 3) << "everything is on its way before anybody waits";
  EXPECT_EQ(s.inside, 0);
  EXPECT_EQ(s.rows, s.needed);
  EXPECT_LE(s.most_of_a_rank, 2) << "3 neighbor nodes are dealt to 2 ranks";
}

TEST(HaloMessages, of_stages_are_two_per_node_and_hold_every_atom_once_for_a_node) {
  const Case c{"", Box::orthorhombic(36, 36, 36), 5, 3000};
  const Sent staged = sent(c, 54, 2, HaloRoute::staged), by_node = sent(c, 54, 2, HaloRoute::by_node);
  EXPECT_EQ(staged.messages, 2 * 27 * 6);
  EXPECT_EQ(staged.started, 27 * 2);
  EXPECT_EQ(staged.most_of_a_rank, 3);
  EXPECT_EQ(staged.inside, 0);
  EXPECT_EQ(by_node.messages, 2 * 27 * 26);
  EXPECT_EQ(staged.rows, staged.needed);
  EXPECT_EQ(2 * staged.rows_home, staged.rows);
  EXPECT_EQ(by_node.rows, by_node.needed);
}

TEST(HaloMessages, of_stages_are_one_per_layer_of_nodes_thinner_than_the_cutoff) {
  const Case c{"", Box::orthorhombic(70, 20, 20), 15, 700};
  const Sent s = sent(c, 7, 1, HaloRoute::staged);
  EXPECT_EQ(s.messages, 2 * 7 * 4);  // a row of 7 nodes of 10 Å, two layers on each side
  EXPECT_EQ(s.rows, s.needed);
}

TEST(HaloMessages, are_fewer_bytes_by_node_than_between_pairs_of_ranks) {
  const Case c{"", Box::orthorhombic(30, 30, 30), 8, 2700};
  const Sent by_node = sent(c, 8, 4, HaloRoute::by_node), direct = sent(c, 8, 4, HaloRoute::direct);
  EXPECT_LT(1.5 * double(by_node.rows), double(direct.rows));
}

}  // namespace
}  // namespace nanoday
