// Ranks as threads of this process.
// SPDX-License-Identifier: Apache-2.0
#include "comm/rank_worlds.hpp"

#include "in_process.hpp"

#include <fmt/format.h>

#include <utility>

namespace nanoday {

std::vector<RankWorld> rank_worlds() {
  std::vector<RankWorld> worlds{{"self", 1, 0, [](const auto& body) { body(*make_self_transport()); }}};
  const std::vector<std::pair<int, int>> shapes{{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {7, 0}, {8, 0},
                                                {3, 1}, {5, 2}, {7, 3}, {8, 4}, {4, 2}, {8, 2}};
  for (const auto& [n, per_node] : shapes) {
    const auto run = [n = n, per_node = per_node](const auto& body) { run_ranks(n, body, per_node); };
    const std::string nodes = per_node > 0 ? fmt::format("_nodes_of_{}", per_node) : "";
    worlds.push_back({fmt::format("in_process_{}{}", n, nodes), n, per_node, run});
  }
  return worlds;
}

}  // namespace nanoday
