// Neighbors to a = (1/N) Σ R ⊗ b(s̃): one warp per atom, nothing of the size of neighbors leaves it.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/descriptor.hpp"

#include "cuda/embedding_net.hpp"
#include "cuda/environment.hpp"

namespace nanoday::NANODAY_GPU {
namespace {

/// Lanes that share a neighbor: as few as leave no more than four columns to each, when that wastes fewer
/// lanes than 32. The other lanes take the next neighbors.
NANODAY_DEVICE int lanes_per_neighbor(int columns) {
  int best = k_warp, cost = (columns + k_warp - 1) / k_warp * k_warp;
  for (int width = k_warp / 2; width >= 8; width /= 2) {
    const int padded = (columns + width - 1) / width * width;
    if (padded > 4 * width || padded >= cost) continue;
    best = width;
    cost = padded;
  }
  return best;
}

/// Up to 32 neighbors of one type whose rows and table places lie in shared memory, and where they are added.
template <class Real>
struct Chunk {
  const TableView<Real>& table;
  const Four<Real>* row;          ///< (count)
  const TablePlace<Real>* place;  ///< (count); piece < 0: the net is asked
  int count;
  Real scale;  ///< 1/N
  Real* out;   ///< (4, ld) shared memory, from this type's first column on
  int ld;

  /// out[c][m] += scale · Σ_k R_k[c] b_m(k) for C columns per lane, from `first` on. `width` lanes share a
  /// neighbor. Beyond: the table may be continued.
  template <int C, bool Beyond>
  NANODAY_DEVICE void add_columns(Block& block, int width, int first) const {
    Real sum[4][C] = {};
    int column[C];
    for (int v = 0; v < C; ++v) {
      const int m = first + v * width + block.lane() % width;
      column[v] = m < table.columns ? m : table.columns - 1;
    }
    for (int k = block.lane() / width; k < count; k += k_warp / width) {
      const TablePlace<Real> at = place[k];
      if (at.piece < 0) continue;
      const Four<Real> r = row[k];
      for (int v = 0; v < C; ++v) {
        const Polynomial<Real> p = *polynomial(table, at.piece, column[v]);
        Real b, slope;
        if constexpr (Beyond) {
          p.value_and_slope(at.t, b, slope);
          b += slope * at.beyond;
        } else {
          b = p.value(at.t);
        }
        for (int c = 0; c < 4; ++c) sum[c][v] += r.v[c] * b;
      }
    }
    for (int v = 0; v < C; ++v) {
      const int m = first + v * width + block.lane();
      for (int c = 0; c < 4; ++c) {
        for (int mask = width; mask < k_warp; mask *= 2) sum[c][v] += block.shuffle_xor(sum[c][v], mask);
        if (block.lane() < width && m < table.columns) out[c * ld + m] += scale * sum[c][v];
      }
    }
  }

  /// All columns of the neighbors the table covers. Beyond: one or more of them need its continuation.
  NANODAY_DEVICE void add_tabulated(Block& block, bool beyond) const {
    const int width = lanes_per_neighbor(table.columns);
    if (beyond) {
      for (int first = 0; first < table.columns; first += width) add_columns<1, true>(block, width, first);
      return;
    }
    for (int first = 0; first < table.columns; first += 4 * width) {
      const int left = (table.columns - first + width - 1) / width;
      if (left >= 4) add_columns<4, false>(block, width, first);
      if (left == 3) add_columns<3, false>(block, width, first);
      if (left == 2) add_columns<2, false>(block, width, first);
      if (left == 1) add_columns<1, false>(block, width, first);
    }
  }

  /// All columns of neighbors that the net is asked for.
  /// \param asked which ones; \param s s̃ of this lane's neighbor
  NANODAY_DEVICE void add_net(Block& block, unsigned asked, double s, double* scratch, int width) const {
    while (asked != 0) {
      const int k0 = std::countr_zero(asked);
      asked &= asked - 1;
      const bool two = asked != 0;
      const int k1 = two ? std::countr_zero(asked) : k0;
      asked &= two ? asked - 1 : 0u;
      const double s2[k_net_batch] = {block.shuffle(s, k0), block.shuffle(s, k1)};
      const EmbeddingValues g = embedding_net(block, table, s2, scratch, width);
      for (int m = block.lane(); m < table.columns; m += k_warp)
        for (int c = 0; c < 4; ++c) {
          Real sum = row[k0].v[c] * static_cast<Real>(g.value[m]);
          if (two) sum += row[k1].v[c] * static_cast<Real>(g.value[width + m]);
          out[c * ld + m] += scale * sum;
        }
    }
  }
};

/// Net: nets may be asked; without, fewer registers are needed and more warps hide each other's waits.
template <class Real, bool Net>
struct DescriptorForward : DescriptorRows<Real> {
  static constexpr const char* k_name = Net ? "descriptor_net" : "descriptor";
  static constexpr int k_max_threads = k_warp * k_block_warps;
  static constexpr int k_min_blocks = Net ? 3 : sizeof(Real) == 8 ? 4 : 5;  // most without spills
  using Rows = DescriptorRows<Real>;
  using Rows::memory;
  using Rows::model;
  using Rows::report;
  using Rows::tiles;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t row = this->row(block);
    const std::int32_t index = this->tile_index(row);
    if (index >= this->last_tile) return;
    const Tile tile = tiles.tile[index];
    const int r = static_cast<int>(row % k_tile_rows);
    const GroupView<Real>& group = model.groups[tile.group];
    const bool exact = tile.group >= model.n_centres;
    const std::int32_t atom = exact ? exact_atom(tile, row) : tiles.atom[tile.row + r];
    if (atom == k_unused) return;
    Real* columns = this->template own<Real>(block, memory.columns);
    const int size = 4 * group.n_columns;
    for (int k = block.lane(); k < size; k += k_warp) columns[k] = 0;
    const bool taken = atom >= 0 && !add_neighbors(block, group, atom, exact);
    block.sync_warp();
    Real* out = this->a + tile.a + static_cast<std::int64_t>(r) * size;
    for (int k = block.lane(); k < size; k += k_warp) out[k] = taken ? Real(0) : columns[k];
    if (exact || tiles.taken == nullptr || block.lane() != 0) return;
    tiles.taken[tile.row + r] = taken ? 1 : 0;
    if (taken) hand_over(tile.group, atom);
  }

 private:
  static constexpr std::int32_t k_unused = -2;

  /// Atom of a row of the exact plan, −1: empty, k_unused: so is its whole tile.
  NANODAY_DEVICE std::int32_t exact_atom(const Tile& tile, std::int64_t row) const {
    const std::int64_t room = tiles.exact_tiles / model.n_centres * k_tile_rows;
    const int centre = tile.group - model.n_centres;
    const std::int64_t place = row - centre * room;
    const std::int64_t used = tiles.exact_count[centre];
    if (place / k_tile_rows * k_tile_rows >= used) return k_unused;
    return place < used ? tiles.atom[tile.row + static_cast<std::int32_t>(row % k_tile_rows)] : -1;
  }

  /// Puts the atom into the next free row of the exact plan; counts on when there is none.
  NANODAY_DEVICE void hand_over(int centre, std::int32_t atom) const {
    const std::int32_t tiles_each = tiles.exact_tiles / model.n_centres;
    const std::int32_t place = atomic_add(&tiles.exact_count[centre], std::int32_t{1});
    if (place >= tiles_each * k_tile_rows) return ask_for_room(place + 1);
    const Tile& tile = tiles.tile[tiles.n_tiles + centre * tiles_each + place / k_tile_rows];
    tiles.atom[tile.row + place % k_tile_rows] = atom;
  }

  NANODAY_DEVICE void ask_for_room(std::int32_t rows) const {
    atomic_max(&report.counts->exact_rows, static_cast<std::uint32_t>(rows));
    if (report.signals != nullptr) atomic_or(&report.signals->halt, 1u);
  }

  /// Adds all neighbor types. Returns false when the exact plan must take over.
  NANODAY_DEVICE bool add_neighbors(Block& block, const GroupView<Real>& group, std::int32_t atom,
                                    bool exact) const {
    std::int32_t* kept = this->template own<std::int32_t>(block, memory.kept);
    bool overflow = false, inside = true;
    for (int type = 0; type < model.n_types && inside; ++type) {
      const Segment segment = this->segment(atom, type);
      const int count = choose_neighbors(block, segment, group.sel[type], kept, overflow);
      if (group.table[type] < 0) continue;
      inside = add_type(block, group, type, segment, count, atom, exact);
      if (inside) add_padding(block, group, type, group.sel[type] - count);
    }
    if (overflow && !exact && block.lane() == 0) atomic_add(&report.counts->sel_overflow, std::uint64_t{1});
    return inside;
  }

  NANODAY_DEVICE bool add_type(Block& block, const GroupView<Real>& group, int type, const Segment& segment,
                               int count, std::int32_t atom, bool exact) const {
    const TableView<Real>& table = model.tables[group.table[type]];
    const bool handing_over = !exact && model.n_groups > model.n_centres;
    const std::int32_t* kept = this->template own<std::int32_t>(block, memory.kept);
    Four<Real>* rows = this->template own<Four<Real>>(block, memory.row);
    TablePlace<Real>* places = this->template own<TablePlace<Real>>(block, memory.place);
    Real* columns = this->template own<Real>(block, memory.columns) + group.first_column[type];
    bool inside = true;
    for (int first = 0; first < count; first += k_warp) {
      const int n = count - first < k_warp ? count - first : k_warp;
      block.sync_warp();  // the chunk before has been added
      TablePlace<Real> place;
      double s = 0, r2 = 0;
      if (block.lane() < n) {
        const Vec3 d = xyz(this->position[kept[first + block.lane()]]) - xyz(segment.centre);
        double row[4];
        normalise(group, this->environment(d), row);
        s = row[0];
        r2 = dot(d, d);
        place = locate(table, s);
        for (int c = 0; c < 4; ++c) rows[block.lane()].v[c] = static_cast<Real>(row[c]);
        places[block.lane()] = place;
        if (Net && place.outside && table.n_layers > 0) places[block.lane()].piece = -1;
      }
      const unsigned outside = block.ballot(place.outside);
      if (outside != 0 && !exact && table.n_pieces > 0) count_outside(block, outside, r2, atom);
      inside = inside && (outside == 0 || !handing_over);
      if (!inside) continue;
      block.sync_warp();
      const Chunk<Real> chunk{table,   rows,           places, n, static_cast<Real>(model.inverse_normaliser),
                              columns, group.n_columns};
      if (table.n_pieces > 0) chunk.add_tabulated(block, outside != 0 && table.n_layers == 0);
      if constexpr (Net)
        chunk.add_net(block, table.n_layers > 0 ? outside : 0u, s,
                      this->template own<double>(block, memory.net), memory.width);
    }
    return inside;
  }

  NANODAY_DEVICE void count_outside(Block& block, unsigned outside, double r2, std::int32_t atom) const {
    if ((outside >> block.lane() & 1u) != 0)
      atomic_max(&report.counts->smallest_r2, ~std::bit_cast<std::uint64_t>(r2));
    if (block.lane() != 0) return;
    atomic_add(&report.counts->outside_table, static_cast<std::uint64_t>(std::popcount(outside)));
    atomic_max(&report.counts->first_atom, ~static_cast<std::uint32_t>(atom));
    if (model.compressed && report.signals != nullptr) atomic_or(&report.signals->trouble, 1u);
  }

  /// Padding slots all carry the same row and the same b: one product per type (spec 2.3).
  NANODAY_DEVICE void add_padding(Block& block, const GroupView<Real>& group, int type, int empty) const {
    const TableView<Real>& table = model.tables[group.table[type]];
    const int first = group.first_column[type], ld = group.n_columns;
    const Real* b = group.pad_value + static_cast<std::int64_t>(type) * ld + first;
    Real* columns = this->template own<Real>(block, memory.columns) + first;
    block.sync_warp();
    for (int c = 0; c < 4; ++c) {
      const Real r = static_cast<Real>(empty * group.pad_row[c] * model.inverse_normaliser);
      if (r == 0) continue;
      for (int m = block.lane(); m < table.columns; m += k_warp) columns[c * ld + m] += r * b[m];
    }
  }
};

template <class Real>
void launch_forward(Stream& stream, const DescriptorRows<Real>& rows) {
  const Grid grid = warp_grid(rows.last_tile - rows.first_tile, rows.memory);
  if (rows.memory.width > 0)
    launch(stream, DescriptorForward<Real, true>{rows}, grid);
  else
    launch(stream, DescriptorForward<Real, false>{rows}, grid);
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------

template <class Real>
void descriptor_forward(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
                        const PassBuffers<Real>& buffers, const Vec4* position, const ListView& list,
                        const PassReport& report) {
  DescriptorRows<Real> rows = descriptor_rows(model, tiles, buffers, position, list, report);
  rows.memory = warp_memory(model, Direction::forward, false);
  launch_forward(stream, rows);
}

template <class Real>
void descriptor_forward_exact(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
                              const PassBuffers<Real>& buffers, const Vec4* position, const ListView& list,
                              const PassReport& report) {
  DescriptorRows<Real> rows = descriptor_rows(model, tiles, buffers, position, list, report);
  rows.memory = warp_memory(model, Direction::forward, true);
  rows.first_tile = tiles.n_tiles;
  rows.last_tile = tiles.n_tiles + tiles.exact_tiles;
  launch_forward(stream, rows);
}

#define NANODAY_INSTANTIATE(Real)                                                                \
  template void descriptor_forward(Stream&, const PackedModel<Real>&, const TileView&,           \
                                   const PassBuffers<Real>&, const Vec4*, const ListView&,       \
                                   const PassReport&);                                           \
  template void descriptor_forward_exact(Stream&, const PackedModel<Real>&, const TileView&,     \
                                         const PassBuffers<Real>&, const Vec4*, const ListView&, \
                                         const PassReport&);
NANODAY_INSTANTIATE(double)
NANODAY_INSTANTIATE(float)

}  // namespace nanoday::NANODAY_GPU
