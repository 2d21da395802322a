// Numbering of nodes and ranks, the same for every transport.
// SPDX-License-Identifier: Apache-2.0
#include "transport_parts.hpp"

#include <algorithm>

namespace nanoday {

std::vector<int> nodes_in_order(int n_ranks, int ranks_per_node) {
  require(ranks_per_node >= 0, "{} ranks per node asked for (0 puts all on one node); give 0 or more",
          ranks_per_node);
  std::vector<int> node_of(static_cast<std::size_t>(n_ranks), 0);
  if (ranks_per_node > 0)
    for (int r = 0; r < n_ranks; ++r) node_of[static_cast<std::size_t>(r)] = r / ranks_per_node;
  return node_of;
}

std::vector<int> numbered(const std::vector<int>& label) {
  std::map<int, int> number;
  std::vector<int> result;
  for (const int l : label)
    result.push_back(number.try_emplace(l, static_cast<int>(number.size())).first->second);
  return result;
}

int rank_in_node(const std::vector<int>& node_of, int rank) {
  const auto me = node_of.begin() + rank;
  return static_cast<int>(std::count(node_of.begin(), me, *me));
}

std::string ranks_and_nodes(const std::vector<int>& node_of) {
  const int nodes = *std::max_element(node_of.begin(), node_of.end()) + 1;
  return fmt::format("{} rank{} on {} node{}", node_of.size(), node_of.size() == 1 ? "" : "s", nodes,
                     nodes == 1 ? "" : "s");
}

}  // namespace nanoday
