// Which rows of the tiles are in use, asked by kernels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/tiles.hpp"

namespace nanoday::NANODAY_GPU {

/// Rows of tile k that may be in use: all of a plan's tile (some of them empty or taken over), of the exact
/// plan's tiles only those that have been given away.
NANODAY_DEVICE int rows_in_use(const TileView& tiles, int n_centres, int k) {
  if (k < tiles.n_tiles) return k_tile_rows;
  const int per_group = tiles.exact_tiles / n_centres, exact = k - tiles.n_tiles;
  const int rows = tiles.exact_count[exact / per_group] - exact % per_group * k_tile_rows;
  return rows < 0 ? 0 : rows < k_tile_rows ? rows : k_tile_rows;
}

/// Atom of a row of tile k, −1 where the row gives nothing: empty, taken over by the exact plan, or not in
/// use. \param in_use rows_in_use() of the tile
NANODAY_DEVICE std::int32_t atom_of_row(const TileView& tiles, int k, int in_use, int row) {
  if (row >= in_use) return -1;
  const std::int32_t at = tiles.tile[k].row + row;
  if (k < tiles.n_tiles && tiles.taken != nullptr && tiles.taken[at] != 0) return -1;
  return tiles.atom[at];
}

}  // namespace nanoday::NANODAY_GPU
