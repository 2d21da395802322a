// Memory that a node's ranks have in common for a mesh, over every transport: who hears whom, what all see.
// SPDX-License-Identifier: Apache-2.0
#include "node_mesh.hpp"

#include "rank_worlds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace nanoday {
namespace {

class NodeMeshWorlds : public testing::TestWithParam<RankWorld> {};
INSTANTIATE_TEST_SUITE_P(worlds, NodeMeshWorlds, testing::ValuesIn(rank_worlds()),
                         [](const auto& info) { return info.param.name; });

View<std::int64_t> numbers(NodeMesh& mesh) {
  return {reinterpret_cast<std::int64_t*>(mesh.memory().data()), mesh.memory().size() / sizeof(std::int64_t)};
}

TEST_P(NodeMeshWorlds, memory_is_zero_at_first_and_aligned_as_arrays_are) {
  GetParam().run([&](Transport& ranks) {
    const auto mesh = make_node_mesh(ranks, 1000);
    EXPECT_EQ(mesh->memory().size(), 1000u);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(mesh->memory().data()) % 64, 0u);
    for (const std::byte b : mesh->memory()) EXPECT_EQ(b, std::byte{0});
  });
}

TEST_P(NodeMeshWorlds, what_all_ranks_add_is_the_leaders_sum_and_what_the_leader_writes_all_read) {
  constexpr std::size_t points = 700;
  GetParam().run([&](Transport& ranks) {
    const auto mesh = make_node_mesh(ranks, points * sizeof(std::int64_t));
    const View<std::int64_t> shared = numbers(*mesh);
    for (std::int64_t round = 1; round <= 20; ++round) {
      for (std::size_t k = 0; k < points; ++k)
        std::atomic_ref<std::int64_t>(shared[k]).fetch_add(round * (1 + ranks.rank()) * std::int64_t(k));
      std::int64_t word = 0;
      if (mesh->leads()) {
        mesh->hear_others();
        mesh->sum_over_nodes(shared);
        word = round;
        mesh->tell_others(bytes_of(View<const std::int64_t>(&word, 1)));
      } else {
        mesh->tell_leader();
        mesh->hear_leader(writable_bytes_of(View<std::int64_t>(&word, 1)));
      }
      EXPECT_EQ(word, round);
      const std::int64_t n = ranks.size();
      for (std::size_t k = 0; k < points; ++k)
        ASSERT_EQ(shared[k], round * n * (n + 1) / 2 * std::int64_t(k));
      ranks.node_barrier();
      if (mesh->leads()) std::fill(shared.begin(), shared.end(), 0);
      ranks.node_barrier();
    }
  });
}

TEST_P(NodeMeshWorlds, every_node_has_one_leader) {
  GetParam().run([&](Transport& ranks) {
    const auto mesh = make_node_mesh(ranks, 8);
    std::int64_t leaders = mesh->leads() ? 1 : 0, members = mesh->leads() ? mesh->members() : 0;
    ranks.all_reduce_sum(View<std::int64_t>(&leaders, 1));
    ranks.all_reduce_sum(View<std::int64_t>(&members, 1));
    EXPECT_EQ(leaders, *std::max_element(ranks.node_of().begin(), ranks.node_of().end()) + 1);
    EXPECT_EQ(members, ranks.size());
  });
}

}  // namespace
}  // namespace nanoday
