// From list candidates to environment rows and table places, one warp per atom.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/packed_model.hpp"
#include "cuda/tiles.hpp"
#include "math/environment_matrix.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

namespace nanoday::NANODAY_GPU {

/// Candidates of one type around one atom.
struct Segment {
  const Vec4* position = nullptr;  ///< (nall)
  const std::int32_t* index = nullptr;
  std::int64_t begin = 0, end = 0;  ///< in index
  Vec4 centre;
  double rcut2 = 0;

  /// Candidate k of the list and whether it lies inside the cutoff; beyond the end: outside.
  NANODAY_DEVICE bool inside(std::int64_t k, std::int32_t& j) const {
    if (k >= end) return false;
    j = index[k];
    const Vec3 d = xyz(position[j]) - xyz(centre);
    return dot(d, d) < rcut2;
  }
};

/// How many set bits of a ballot belong to lower lanes.
NANODAY_DEVICE int lower_lanes(unsigned mask, int lane) { return std::popcount(mask & ((1u << lane) - 1u)); }

/// Keeps the candidates inside the cutoff, in the list's order. Returns how many there are; only the first
/// `room` of them are written. All lanes of the warp take part.
NANODAY_DEVICE int filter(Block& block, const Segment& s, int room, std::int32_t* kept) {
  int count = 0;
  for (std::int64_t first = s.begin; first < s.end; first += k_warp) {
    std::int32_t j = 0;
    const bool inside = s.inside(first + block.lane(), j);
    const unsigned mask = block.ballot(inside);
    const int place = count + lower_lanes(mask, block.lane());
    if (inside && place < room) kept[place] = j;
    count += std::popcount(mask);
  }
  block.sync_warp();
  return count;
}

/// Distances by which neighbors are chosen when there are too many: float32 throughout (spec 2.1), as bits,
/// which order like the numbers. Fused as written, so that every use of it rounds alike; ties within one
/// rounding may fall differently on another machine.
NANODAY_DEVICE std::uint32_t nearness(const Vec4& p, const Vec4& centre) {
  const float x = static_cast<float>(p.x) - static_cast<float>(centre.x);
  const float y = static_cast<float>(p.y) - static_cast<float>(centre.y);
  const float z = static_cast<float>(p.z) - static_cast<float>(centre.z);
  return std::bit_cast<std::uint32_t>(std::fma(z, z, std::fma(x, x, y * y)));
}

/// Candidates inside the cutoff that are nearer than `limit`.
NANODAY_DEVICE int count_nearer(Block& block, const Segment& s, std::uint32_t limit) {
  int count = 0;
  for (std::int64_t first = s.begin; first < s.end; first += k_warp) {
    std::int32_t j = 0;
    const bool inside = s.inside(first + block.lane(), j);
    count += std::popcount(block.ballot(inside && nearness(s.position[j], s.centre) < limit));
  }
  return count;
}

/// Keeps the nearest `sel` of a segment that has more, ties by place, in the list's order. Rare: the distance
/// of the farthest one kept is found bit by bit.
NANODAY_DEVICE void keep_nearest(Block& block, const Segment& s, int sel, std::int32_t* kept) {
  std::uint32_t farthest = 0;
  for (int bit = 31; bit >= 0; --bit) {
    const std::uint32_t trial = farthest | (1u << bit);
    if (count_nearer(block, s, trial) < sel) farthest = trial;
  }
  int ties = sel - count_nearer(block, s, farthest);
  int count = 0;
  for (std::int64_t first = s.begin; first < s.end; first += k_warp) {
    std::int32_t j = 0;
    const bool inside = s.inside(first + block.lane(), j);
    const std::uint32_t distance = inside ? nearness(s.position[j], s.centre) : 0;
    const bool tie = inside && distance == farthest;
    const unsigned ties_here = block.ballot(tie);
    const bool keep = (inside && distance < farthest) || (tie && lower_lanes(ties_here, block.lane()) < ties);
    const unsigned mask = block.ballot(keep);
    const int place = count + lower_lanes(mask, block.lane());
    if (keep && place < sel) kept[place] = j;
    count += std::popcount(mask);
    ties -= std::popcount(ties_here);
  }
  block.sync_warp();
}

/// Neighbors of one type: those inside the cutoff, at most `sel`. Returns how many were kept.
NANODAY_DEVICE int choose_neighbors(Block& block, const Segment& s, int sel, std::int32_t* kept,
                                    bool& overflow) {
  const int count = filter(block, s, sel, kept);
  if (count <= sel) return count;
  overflow = true;
  keep_nearest(block, s, sel, kept);
  return sel;
}

/// Where s̃ lies in a table.
template <class Real>
struct TablePlace {
  std::int32_t piece = 0;
  Real t = 0;            ///< coordinate in the piece
  Real beyond = 0;       ///< distance from the table's end, where it continues linearly (spec 3)
  bool outside = false;  ///< not in [lower, max), or NaN
};

/// Piece and coordinate of the end that s̃ lies beyond.
template <class Real>
NANODAY_DEVICE void continue_linearly(const TableView<Real>& table, double s, TablePlace<Real>& place) {
  place.piece = 0;
  place.t = 0;
  place.beyond = static_cast<Real>(s - table.lower);
  if (s < table.lower) return;
  const double inside = std::nextafter(table.max, table.lower);
  const int last_coarse = table.n_pieces - table.n_first - 1;
  const bool coarse = last_coarse >= 0 && inside >= table.upper;
  const int limit = coarse ? last_coarse : table.n_first - 1;
  const double lower = coarse ? table.upper : table.lower, stride = coarse ? table.stride1 : table.stride0;
  int i = static_cast<int>((inside - lower) / stride);
  i = i < limit ? i : limit;
  place.piece = coarse ? table.n_first + i : i;
  place.t = static_cast<Real>(table.max - (i * stride + lower));
  place.beyond = static_cast<Real>(s - table.max);
}

/// Table piece and coordinate in it (spec 3). A NaN gets some piece.
template <class Real>
NANODAY_DEVICE TablePlace<Real> locate(const TableView<Real>& table, double s) {
  TablePlace<Real> place;
  place.outside = !(s >= table.lower && s < table.max);
  if (place.outside) {
    if (table.n_layers == 0) continue_linearly(table, s, place);
    return place;
  }
  const bool coarse = s >= table.upper;
  const double lower = coarse ? table.upper : table.lower;
  const double last = coarse ? table.n_pieces - table.n_first - 1 : table.n_first - 1;
  double i = (s - lower) * (coarse ? table.inverse1 : table.inverse0);
  i = i < last ? i : last;
  const int k = static_cast<int>(i);
  place.piece = coarse ? table.n_first + k : k;
  place.t = static_cast<Real>(s - (k * (coarse ? table.stride1 : table.stride0) + lower));
  return place;
}

/// The normalised row (spec 2.3), in double; row[0] is s̃.
template <class Real>
NANODAY_DEVICE void normalise(const GroupView<Real>& group, const EnvironmentRow& raw, double* row) {
  for (int c = 0; c < 4; ++c) row[c] = (raw.value[c] - group.avg[c]) * group.inverse_std[c];
}

/// Four Reals that are read and written at once.
template <class Real>
struct alignas(4 * sizeof(Real) > 16 ? 16 : 4 * sizeof(Real)) Four {
  Real v[4];
};

/// The coefficients of one column in one piece; two are loaded at once.
template <class Real>
struct alignas(2 * sizeof(Real)) Polynomial {
  Real c[6];

  NANODAY_DEVICE Real value(Real t) const {
    return ((((c[5] * t + c[4]) * t + c[3]) * t + c[2]) * t + c[1]) * t + c[0];
  }
  NANODAY_DEVICE void value_and_slope(Real t, Real& value, Real& slope) const {
    Real x = c[5], y = c[5];
    for (int k = 4; k > 0; --k) {
      x = x * t + c[k];
      y = y * t + x;
    }
    value = x * t + c[0];
    slope = y;
  }
};

/// Column `column` of a piece.
template <class Real>
NANODAY_DEVICE const Polynomial<Real>* polynomial(const TableView<Real>& table, std::int32_t piece,
                                                  int column) {
  const auto* all = reinterpret_cast<const Polynomial<Real>*>(table.coefficients);
  return all + (static_cast<std::int64_t>(piece) * table.columns + column);
}

/// Where a warp keeps what, in bytes from the beginning of its shared memory; multiples of 16.
struct WarpMemory {
  int kept = 0;     ///< (largest sel) int32: neighbors at hand
  int row = 0;      ///< forward: (32) Four: rows of a chunk
  int place = 0;    ///< forward: (32) TablePlace of a chunk
  int columns = 0;  ///< forward: (4, R) a; backward: (R) Four of ∂E/∂a
  int net = 0;      ///< (8, width) double: scratch of embedding_net()
  int width = 0;    ///< widest embedding layer, 0: no net
  int bytes = 0;    ///< of one warp
};

enum class Direction { forward, backward };

/// \param exact of the exact plan's rows, or of the plan's own
template <class Real>
WarpMemory warp_memory(const PackedModel<Real>& model, Direction direction, bool exact) {
  const Model& m = *model.plan().model;
  WarpMemory memory;
  const auto place = [&](std::size_t bytes) {
    const int at = memory.bytes;
    memory.bytes += static_cast<int>((bytes + 15) / 16 * 16);
    return at;
  };
  int sel = 0;
  for (const int n : m.sel) sel = n > sel ? n : sel;
  if (exact || !model.has_exact())
    for (const EmbeddingNet& net : m.embedding)
      for (const DenseLayer& layer : net.layers)
        memory.width = layer.n_out > memory.width ? layer.n_out : memory.width;
  memory.kept = place(sizeof(std::int32_t) * sel);
  if (direction == Direction::forward) {
    memory.row = place(sizeof(Four<Real>) * k_warp);
    memory.place = place(sizeof(TablePlace<Real>) * k_warp);
  }
  memory.columns = place(sizeof(Real) * 4 * model.max_columns(exact));
  memory.net = place(sizeof(double) * 8 * memory.width);
  return memory;
}

/// What both directions need; one warp per row.
template <class Real>
struct DescriptorRows {
  ModelView<Real> model;
  TileView tiles;
  Real* a = nullptr;
  const Vec4* position = nullptr;
  ListView list;
  PassReport report;
  WarpMemory memory;
  double switch_width = 0;
  std::int32_t first_tile = 0, last_tile = 0;

  /// Row of this warp, counted from that of the first tile.
  NANODAY_DEVICE std::int64_t row(Block& block) const { return block.block() * block.warps() + block.warp(); }
  NANODAY_DEVICE std::int32_t tile_index(std::int64_t row) const {
    return first_tile + static_cast<std::int32_t>(row / k_tile_rows);
  }
  /// This warp's share of the block's shared memory.
  template <class T>
  NANODAY_DEVICE T* own(Block& block, int offset) const {
    return block.shared<T>(block.warp() * memory.bytes + offset);
  }
  NANODAY_DEVICE Segment segment(std::int32_t atom, int type) const {
    const std::int64_t k = static_cast<std::int64_t>(atom) * model.n_types + type;
    return {position, list.index, list.offset[k], list.offset[k + 1], position[atom], model.rcut2};
  }
  NANODAY_DEVICE EnvironmentRow environment(Vec3 d) const {
    return environment_row(d, model.rcut, model.rcut_smth, switch_width);
  }
};

template <class Real>
DescriptorRows<Real> descriptor_rows(const PackedModel<Real>& model, const TileView& tiles,
                                     const PassBuffers<Real>& buffers, const Vec4* position,
                                     const ListView& list, const PassReport& report) {
  DescriptorRows<Real> rows;
  rows.model = model.view();
  rows.tiles = tiles;
  rows.a = buffers.a;
  rows.position = position;
  rows.list = list;
  rows.report = report;
  rows.switch_width = 1.0 / model.view().inverse_width;
  rows.last_tile = tiles.n_tiles;
  return rows;
}

/// Most warps of a block; they share nothing.
inline constexpr int k_block_warps = 4;

/// One warp per row.
inline Grid warp_grid(std::int32_t tiles, const WarpMemory& memory) {
  constexpr int k_block_bytes = 48 << 10;
  const std::int64_t rows = std::int64_t{tiles} * k_tile_rows;
  int warps = k_block_warps;
  while (warps > 1 && warps * memory.bytes > k_block_bytes) warps /= 2;
  return {(rows + warps - 1) / warps, warps * k_warp, static_cast<std::size_t>(warps) * memory.bytes};
}

}  // namespace nanoday::NANODAY_GPU
