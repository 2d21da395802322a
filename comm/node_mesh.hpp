// A mesh in memory that the ranks of a node have in common: short messages inside, one sum between leaders.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/mesh_ranks.hpp"
#include "transport.hpp"

#include <memory>

namespace nanoday {

/// Collective. The first rank of every node leads. `transport` must outlive the result; nobody else uses it
/// between the first tell_leader() of a solve and its last hear_leader(), but for messages with other tags.
std::unique_ptr<NodeMesh> make_node_mesh(Transport& transport, std::size_t bytes);

}  // namespace nanoday
