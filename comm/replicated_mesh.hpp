// A mesh that every rank or every node holds all of: charges are summed over ranks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/mesh_ranks.hpp"
#include "transport.hpp"

#include <memory>

namespace nanoday {

/// `transport` is used by all operations and must outlive the result; a world of its own (Transport::split)
/// where solvers run beside other communication. Operations of bricks throw std::logic_error.
std::unique_ptr<MeshRanks> make_replicated_mesh(Transport& transport);

}  // namespace nanoday
