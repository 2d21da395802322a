// How atoms are dealt out to the dense kernels: rows of one centre type, 64 to a tile.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"
#include "cuda/runtime.hpp"

#include <cstdint>

namespace nanoday::NANODAY_GPU {

inline constexpr int k_tile_rows = 64;

/// 64 rows (atoms) of one group (see GroupView). Offsets count elements of Real.
struct Tile {
  std::int32_t group = 0;
  std::int32_t row = 0;  ///< index of the tile's first row in `atom` and in hidden, slope, …
  std::int64_t a = 0;  ///< where its a begins: (64, 4, R_group); the same for a', which is (64, 4, R'_group)
  std::int64_t rotated = 0;
  std::int64_t features = 0;  ///< where its features begin: (64, F_group)
};

/// The rows of one pass over a chunk of atoms: tiles of the plan's groups first, then room for tiles of the
/// exact plan, which a pass fills itself with the atoms that have a neighbor outside the table.
struct TileView {
  const Tile* tile = nullptr;     ///< (n_tiles + exact_tiles)
  std::int32_t* atom = nullptr;   ///< (rows) local atom of each row, −1: empty; rows of taken-over atoms
                                  ///< stay where they are but are marked in `taken`
  std::int32_t n_tiles = 0;       ///< of the plan's groups
  std::int32_t exact_tiles = 0;   ///< room, in tiles, split evenly between the groups of the exact plan
  std::uint8_t* taken = nullptr;  ///< (n_tiles · 64) 1: the exact plan has this atom
  std::int32_t* exact_count = nullptr;  ///< (centres) rows used per group of the exact plan; may exceed the
                                        ///< room: the pass is then repeated with more
};

/// Buffers of a pass, row-major, 64 rows per tile (see Tile for offsets).
template <class Real>
struct PassBuffers {
  Real* a = nullptr;         ///< a; later ∂E/∂a
  Real* rotated = nullptr;   ///< a'; equals a in groups without rotation
  Real* features = nullptr;  ///< S; later ∂E/∂S
  Real* hidden[8] = {};      ///< per layer (rows, width): outputs; width = PackedModel::max_width()
  Real* slope[8] = {};       ///< per layer (rows, width): idt·φ'(z)
  Real* gradient = nullptr;  ///< (rows, width) ∂E/∂h; ∂E/∂z takes the place of slope
  Real* vectors = nullptr;   ///< dipole models: y = output layer (rows, max R), then ∂/∂y behind it
  int width = 0;             ///< row length of hidden, slope, gradient
};

/// What was met; summed with atomics, read by the host now and then.
struct PassCounts {
  std::uint64_t outside_table = 0;  ///< neighbors outside the table
  std::uint64_t sel_overflow = 0;   ///< atoms with more than sel neighbors of a type
  std::uint64_t smallest_r2 = 0;    ///< bits of ~double so that atomic_max finds the smallest |r|² outside
  std::uint32_t first_atom = 0;  ///< ~index of the first such atom (atomic_max finds the smallest), 0: none
  std::uint32_t force_overflow = 0;  ///< 1: a pair force did not fit the fixed-point sums (or is NaN)
  std::uint32_t exact_rows = 0;      ///< most rows a group of the exact plan had too few of, in one chunk
  std::uint32_t unused = 0;

  NANODAY_HD void ask_for(std::uint32_t rows) { exact_rows = rows > exact_rows ? rows : exact_rows; }
  NANODAY_HD void add(const PassCounts& more) {
    outside_table += more.outside_table;
    sel_overflow += more.sel_overflow;
    smallest_r2 = more.smallest_r2 > smallest_r2 ? more.smallest_r2 : smallest_r2;
    first_atom = more.first_atom > first_atom ? more.first_atom : first_atom;
    force_overflow |= more.force_overflow;
    ask_for(more.exact_rows);
  }
};

/// The counts of a net: of all evaluations that are over, of the present one, and of passes that do what
/// another one of the same evaluation has done and counted.
enum NetCounts { k_counts_total, k_counts_now, k_counts_again, k_counts_kinds };

/// What the device tells the host between steps. While `halt` is set, kernels that move atoms, velocities,
/// baths or step numbers do nothing, so that the host can mend what was missing and queue the same work
/// again.
struct Signals {
  std::uint32_t rebuild = 0;  ///< 1: an atom has moved more than half the skin
  std::uint32_t trouble = 0;  ///< 1: an atom's motion or force is absurd or not a number
  std::uint32_t halt = 0;     ///< 1: the exact plan had too few rows, or one of the others waits to be seen
};

/// Where a pass tells what it has met.
struct PassReport {
  PassCounts* counts = nullptr;
  /// Set: halt when the exact plan's rows did not suffice; trouble when a pair force did not fit, or a
  /// neighbor lay outside a table that no net continues. Null: nobody looks.
  Signals* signals = nullptr;
};

/// Rows that the passes of one evaluation give to the exact plan, and the marks of the atoms they take.
struct ExactRows {
  const std::int64_t* range = nullptr;  ///< (chunks, 2) first row and how many
  std::int32_t* atom = nullptr;
  std::uint8_t* taken = nullptr;        ///< (n_taken)
  std::int32_t* exact_count = nullptr;  ///< (n_counts)
  std::int64_t n_taken = 0;
  int n_chunks = 0, n_counts = 0;

  /// Before the first pass: nobody is taken over. One thread's share of it.
  NANODAY_DEVICE void clear(std::int64_t first, std::int64_t step) const {
    for (std::int64_t i = first; i < n_taken; i += step) taken[i] = 0;
    for (std::int64_t i = first; i < n_counts; i += step) exact_count[i] = 0;
    for (int c = 0; c < n_chunks; ++c)
      for (std::int64_t i = first; i < range[2 * c + 1]; i += step) atom[range[2 * c] + i] = -1;
  }
};

/// Neighbor candidates of local atoms, as nanoday::NeighborList, in device memory.
struct ListView {
  int n_types = 0;
  const std::int64_t* offset = nullptr;  ///< (nlocal · n_types + 1)
  const std::int32_t* index = nullptr;
};

}  // namespace nanoday::NANODAY_GPU
