// Cell-list neighbor search and spatial sorting on the CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"

namespace nanoday::cpu {

/// Fills `list` for the local atoms (see NeighborArgs); grows as needed. With `by_id`, candidates of equal
/// type are ordered by (id, position), which does not depend on how atoms are stored.
void build_neighbor_list(const NeighborArgs& args, bool by_id, int threads, NeighborList& list);

/// Order along a Z curve through cells of the given width [Å].
std::vector<std::int32_t> spatial_order(View<const Vec4> position, double cell);

}  // namespace nanoday::cpu
