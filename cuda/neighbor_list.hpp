// Spatial order, ghosts and lists on the device; builds read sizes back and are therefore never in a graph.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/atoms.hpp"

#include <vector>

namespace nanoday::NANODAY_GPU {

/// Working memory of rebuilds, kept between them.
struct RebuildWork {
  Scratch scratch;
  DeviceArray<std::uint64_t> key, key_sorted;
  DeviceArray<std::int32_t> order, order_sorted;
  DeviceArray<std::int64_t> count;
  DeviceArray<std::int64_t> cell_begin;
  DeviceArray<std::byte> spare;  ///< one array at a time while permuting
  DeviceArray<double> bounds;
};

/// Moves local atoms into the box along periodic directions; images follow (core/box.hpp: wrap).
void wrap_atoms(Stream& stream, const Box& box, DeviceAtoms& atoms);

/// Sorts local atoms by (replica, Morton code of cells `cell` Å wide) and permutes every local array that is
/// not empty. Same order as cpu::spatial_order for one replica. Ghosts are gone until build_ghosts().
void sort_atoms(Stream& stream, RebuildWork& work, double cell, DeviceAtoms& atoms);

/// Makes ghosts of local atoms within `cutoff` of the box, all images needed, as comm/halo.cpp does (set of
/// ghosts the same; their order is shift by shift, owners ascending within). Arrays that hold (nall) are
/// grown with their contents kept. Throws InputError for boxes too small to count images.
void build_ghosts(Stream& stream, RebuildWork& work, const Box& box, double cutoff, DeviceAtoms& atoms);

/// Candidates within `cutoff` of every local atom, grouped by type, each group ordered by (id, x, y, z) when
/// `by_id`, else by (cell, index in memory). No capacities: counted, summed, filled. Throws RunError for 2^31
/// atoms and ghosts or more.
void build_list(Stream& stream, RebuildWork& work, int n_types, double cutoff, bool by_id,
                const DeviceAtoms& atoms, DeviceList& list);

}  // namespace nanoday::NANODAY_GPU
