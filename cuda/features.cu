// a to the products of columns that feed the fitting nets, and their gradients back to ∂E/∂a.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/features.hpp"

#include "cuda/dense.hpp"
#include "cuda/tensor_core.hpp"
#include "cuda/tile_rows.hpp"

#include <algorithm>

// A block takes some rows of a tile. In shared memory columns lie one after another and the rows of a column
// side by side: threads that differ in the row do the same with different numbers. `Rows` threads with the
// same columns are a worker. One number more per column keeps columns in different banks when they are
// turned over, from and to memory where rows lie one after another.

namespace nanoday::NANODAY_GPU {
namespace {

constexpr int k_threads = 256;
/// Columns of a rotation's result that a worker computes at a time, from one reading of its input.
constexpr int k_together = 4;
/// Shared memory a block asks for at most: two blocks then fit on one multiprocessor of 228 KiB. Some devices
/// (sm_75) have less for one.
constexpr std::size_t k_most_shared = 96 * 1024;

/// Where things lie in shared memory, in numbers, for `rows` rows at a time.
struct Layout {
  std::int64_t second = 0;  ///< behind a: a', or its gradient
  std::int64_t staged = 0;  ///< then a chunk of features
  std::int64_t size = 0;
};
NANODAY_HD constexpr Layout layout_for(int n_columns, int n_rotated, int rows) {
  const std::int64_t wide = n_columns > n_rotated ? n_columns : n_rotated;
  const std::int64_t half = (4 * wide * (rows + 1) + 3) / 4 * 4;
  return {half, 2 * half, 2 * half + std::int64_t{k_feature_chunk} * (rows + 1)};
}

template <class Real>
struct RowsTask {
  const GroupView<Real>* groups;
  TileView tiles;
  PassBuffers<Real> buffers;
  std::int64_t shared_size;  ///< numbers
  int n_centres;
  int slice;  ///< rows per block, a power of two
};

/// One block's share: rows of one tile, a few at a time.
template <class Real>
struct Share {
  const GroupView<Real>* group;
  int tile, in_use;
  int first, last;  ///< rows of the tile
  int rows;         ///< at a time, a power of two; fewer than a slice where columns are many
  bool empty;
};

template <class Real>
NANODAY_DEVICE Share<Real> share_of(const RowsTask<Real>& task, long block) {
  Share<Real> s;
  const int slices = k_tile_rows / task.slice;
  s.tile = static_cast<int>(block / slices);
  s.first = static_cast<int>(block % slices) * task.slice;
  s.last = s.first + task.slice;
  s.group = task.groups + task.tiles.tile[s.tile].group;
  s.in_use = rows_in_use(task.tiles, task.n_centres, s.tile);
  // All rows of a tile in use are filled, with zeros if need be: the dense kernels read them.
  s.empty = !s.group->active || s.in_use == 0;
  s.rows = task.slice;
  while (s.rows > 1 && layout_for(s.group->n_columns, s.group->n_rotated, s.rows).size > task.shared_size)
    s.rows /= 2;
  return s;
}

/// Rows of `width` numbers in memory to columns in shared memory; rows that give nothing become zero.
template <class Real>
NANODAY_DEVICE void read_rows(Block& block, const TileView& tiles, const Share<Real>& s, int row,
                              const Real* from, int width, Real* to) {
  for (int r = block.warp(); r < s.rows; r += block.warps()) {
    const bool used = atom_of_row(tiles, s.tile, s.in_use, row + r) >= 0;
    const Real* in = from + static_cast<long>(row + r) * width;
    for (int x = block.lane(); x < width; x += k_warp) to[x * (s.rows + 1) + r] = used ? in[x] : Real(0);
  }
}

/// The way back: columns `first` … `first + count` of rows of `width`.
template <class Real>
NANODAY_DEVICE void write_rows(Block& block, int rows, const Real* from, Real* to, int width, int first,
                               int count) {
  for (int r = block.warp(); r < rows; r += block.warps()) {
    Real* out = to + static_cast<long>(r) * width + first;
    for (int x = block.lane(); x < count; x += k_warp) out[x] = from[x * (rows + 1) + r];
  }
}

/// out[c, j] = Σ_i in[c, i] weight(i, j), the four rows c of `n_in` and `n_out` columns.
template <class Real, class Weight>
NANODAY_DEVICE void rotate_rows(Block& block, int rows, const Real* in, int n_in, Real* out, int n_out,
                                const Weight& weight) {
  const int ld = rows + 1, row = block.thread() & (rows - 1);
  const int worker = block.thread() / rows, workers = block.size() / rows;
  for (int j = worker * k_together; j < n_out; j += workers * k_together) {
    Real sum[4][k_together] = {};
    for (int i = 0; i < n_in; ++i) {
      Real w[k_together];
      NANODAY_UNROLL
      for (int m = 0; m < k_together; ++m) w[m] = j + m < n_out ? weight(i, j + m) : Real(0);
      NANODAY_UNROLL
      for (int c = 0; c < 4; ++c) {
        const Real x = in[(c * n_in + i) * ld + row];
        NANODAY_UNROLL
        for (int m = 0; m < k_together; ++m) sum[c][m] += x * w[m];
      }
    }
    NANODAY_UNROLL
    for (int c = 0; c < 4; ++c) NANODAY_UNROLL
    for (int m = 0; m < k_together; ++m)
      if (j + m < n_out) out[(c * n_out + j + m) * ld + row] = sum[c][m];
  }
}

template <class Real>
struct FeaturesForward {
  static constexpr const char* k_name = "features";
  static constexpr int k_max_threads = k_threads;
  RowsTask<Real> task;
  bool want_gradient;

  NANODAY_DEVICE void operator()(Block& block) const {
    const Share<Real> s = share_of(task, block.block());
    if (s.empty) return;  // the whole block
    const GroupView<Real>& g = *s.group;
    const Tile& tile = task.tiles.tile[s.tile];
    const Layout at = layout_for(g.n_columns, g.n_rotated, s.rows);
    Real* a = block.shared<Real>(0);
    Real* second = a + at.second;
    for (int row = s.first; row < s.last; row += s.rows) {
      read_rows(block, task.tiles, s, row, task.buffers.a + tile.a, 4 * g.n_columns, a);
      block.sync();
      if (g.rotation != nullptr) {
        const Real* u = g.rotation;
        const int n = g.n_rotated;
        rotate_rows(block, s.rows, a, g.n_columns, second, n, [u, n](int i, int j) { return u[i * n + j]; });
        block.sync();
        if (want_gradient)
          write_rows(block, s.rows, second, task.buffers.rotated + tile.rotated + row * 4l * n, 4 * n, 0,
                     4 * n);
      }
      write_features(block, g, s.rows, g.rotation != nullptr ? second : a, a + at.staged,
                     task.buffers.features + tile.features + static_cast<long>(row) * g.n_features);
    }
  }

  NANODAY_DEVICE void write_features(Block& block, const GroupView<Real>& g, int rows, const Real* x,
                                     Real* staged, Real* to) const {
    const int row = block.thread() & (rows - 1);
    const int worker = block.thread() / rows, workers = block.size() / rows;
    const int each = (k_feature_chunk + workers - 1) / workers;
    for (int begin = 0; begin < g.n_features; begin += k_feature_chunk) {
      const int left = g.n_features - begin, count = left < k_feature_chunk ? left : k_feature_chunk;
      const int mine = worker * each, end = mine + each < count ? mine + each : count;
      products(g, x + row, rows + 1, begin, mine, end, staged + row);
      block.sync();
      write_rows(block, rows, staged, to, g.n_features, begin, count);
      block.sync();
    }
  }

  /// Features begin + first … begin + last of one row; those with the same p follow each other.
  NANODAY_DEVICE void products(const GroupView<Real>& g, const Real* x, int ld, int begin, int first,
                               int last, Real* staged) const {
    const int n = g.n_rotated;
    int p = -1;
    Real xp[4] = {};
    for (int f = first; f < last; ++f) {
      const int next = g.pair_p[begin + f], q = g.pair_q[begin + f];
      if (next != p) {
        p = next;
        NANODAY_UNROLL
        for (int c = 0; c < 4; ++c) xp[c] = x[(c * n + p) * ld];
      }
      Real sum = 0;
      NANODAY_UNROLL
      for (int c = 0; c < 4; ++c) sum += xp[c] * x[(c * n + q) * ld];
      staged[f * ld] = sum;
    }
  }
};

template <class Real>
struct FeaturesBackward {
  static constexpr const char* k_name = "features_back";
  static constexpr int k_max_threads = k_threads;
  RowsTask<Real> task;
  const Vec4* cotangent;
  int vector_row;

  NANODAY_DEVICE void operator()(Block& block) const {
    const Share<Real> s = share_of(task, block.block());
    if (s.empty) return;  // the whole block
    const GroupView<Real>& g = *s.group;
    const Tile& tile = task.tiles.tile[s.tile];
    const Layout at = layout_for(g.n_columns, g.n_rotated, s.rows);
    Real* x = block.shared<Real>(0);
    Real* d = x + at.second;
    const int n = g.n_rotated;
    const bool rotated = g.rotation != nullptr;
    const Real* from = rotated ? task.buffers.rotated + tile.rotated : task.buffers.a + tile.a;
    for (int row = s.first; row < s.last; row += s.rows) {
      read_rows(block, task.tiles, s, row, from, 4 * n, x);
      clear_columns(block, s.rows, n, d);
      add_products(block, g, s, tile, row, x, d, x + at.staged);
      if (rotated) {
        const Real* u = g.rotation;
        rotate_rows(block, s.rows, d, n, x, g.n_columns, [u, n](int j, int i) { return u[i * n + j]; });
        block.sync();
      }
      write_gradient(block, g, s, tile, row, rotated ? x : d);
      block.sync();
    }
  }

  /// A worker owns columns worker, worker + workers, …: the others never touch them.
  NANODAY_DEVICE void clear_columns(Block& block, int rows, int n, Real* d) const {
    const int row = block.thread() & (rows - 1);
    const int worker = block.thread() / rows, workers = block.size() / rows;
    for (int p = worker; p < n; p += workers) NANODAY_UNROLL
    for (int c = 0; c < 4; ++c) d[(c * n + p) * (rows + 1) + row] = 0;
  }

  /// d[c, p] += Σ_f ∂E/∂S[f] x[c, other]; ends with a barrier.
  NANODAY_DEVICE void add_products(Block& block, const GroupView<Real>& g, const Share<Real>& s,
                                   const Tile& tile, int row, const Real* x, Real* d, Real* staged) const {
    const int lane = block.thread() & (s.rows - 1), ld = s.rows + 1, n = g.n_rotated;
    const int worker = block.thread() / s.rows, workers = block.size() / s.rows;
    const Real* from = task.buffers.features + tile.features + static_cast<long>(row) * g.n_features;
    const std::int32_t* first = g.column_first;
    for (int begin = 0; begin < g.n_features; begin += k_feature_chunk, first += n + 1) {
      read_gradient(block, s.rows, from + begin, g.n_features, begin, staged);
      block.sync();
      for (int p = worker; p < n; p += workers) {
        if (first[p] == first[p + 1]) continue;
        Real sum[4] = {};
        for (int e = first[p]; e < first[p + 1]; ++e) {
          const ColumnPair pair = g.column_pair[e];
          const Real gradient = staged[pair.feature * ld + lane];
          NANODAY_UNROLL
          for (int c = 0; c < 4; ++c) sum[c] += gradient * x[(c * n + pair.other) * ld + lane];
        }
        NANODAY_UNROLL
        for (int c = 0; c < 4; ++c) d[(c * n + p) * ld + lane] += sum[c];
      }
      block.sync();
    }
  }

  NANODAY_DEVICE void read_gradient(Block& block, int rows, const Real* from, int n_features, int begin,
                                    Real* staged) const {
    const int left = n_features - begin, count = left < k_feature_chunk ? left : k_feature_chunk;
    for (int r = block.warp(); r < rows; r += block.warps())
      for (int f = block.lane(); f < count; f += k_warp)
        staged[f * (rows + 1) + r] = from[static_cast<long>(r) * n_features + f];
  }

  /// ∂E/∂a in columns of shared memory to its rows; dipole models: and c_α y_p for a[1 + α, p].
  NANODAY_DEVICE void write_gradient(Block& block, const GroupView<Real>& g, const Share<Real>& s,
                                     const Tile& tile, int row, const Real* d) const {
    const int n = g.n_columns, ld = s.rows + 1;
    for (int r = block.warp(); r < s.rows; r += block.warps()) {
      const int atom = cotangent == nullptr ? -1 : atom_of_row(task.tiles, s.tile, s.in_use, row + r);
      const Vec4 cot = atom < 0 ? Vec4{} : cotangent[atom];
      const Real factor[4] = {0, static_cast<Real>(cot.x), static_cast<Real>(cot.y),
                              static_cast<Real>(cot.z)};
      const Real* y = task.buffers.vectors + (static_cast<long>(tile.row) + row + r) * vector_row;
      Real* out = task.buffers.a + tile.a + static_cast<long>(row + r) * 4 * n;
      NANODAY_UNROLL
      for (int c = 0; c < 4; ++c)
        for (int p = block.lane(); p < n; p += k_warp) {
          const Real direct = atom < 0 ? Real(0) : factor[c] * y[p];
          out[c * n + p] = d[(c * n + p) * ld + r] + direct;
        }
    }
  }
};

// ---------------------------------------------------------------------------------------------------------

/// Rows per block: as many as make one transaction of shared memory, fewer where blocks would be too few to
/// occupy a device of 132 multiprocessors (estimated, not measured).
template <class Real>
int rows_per_block(int n_tiles) {
  int rows = 128 / static_cast<int>(sizeof(Real));
  while (rows > 8 && n_tiles * (k_tile_rows / rows) < 2 * 132) rows /= 2;
  return rows;
}

template <class Real>
struct RowsLaunch {
  RowsTask<Real> task;
  Grid grid;
};

template <class Real>
RowsLaunch<Real> rows_launch(const PackedModel<Real>& model, const TileView& tiles,
                             const PassBuffers<Real>& buffers) {
  const int n_tiles = tiles.n_tiles + tiles.exact_tiles, rows = rows_per_block<Real>(n_tiles);
  const auto most = static_cast<std::int64_t>(std::min(k_most_shared, most_shared_bytes()) / sizeof(Real));
  // The plan's groups get what they want within the limit, the exact plan's at least one row at a time.
  std::int64_t size = 0;
  for (const bool exact : {false, true}) {
    const int columns = model.max_columns(exact), rotated = model.max_rotated(exact);
    if (!exact) size = std::min(layout_for(columns, rotated, rows).size, most);
    size = std::max(size, layout_for(columns, rotated, 1).size);
  }
  RowsLaunch<Real> out;
  out.task = {model.view().groups, tiles, buffers, size, model.view().n_centres, rows};
  out.grid = {std::int64_t{n_tiles} * (k_tile_rows / rows), k_threads,
              static_cast<std::size_t>(size) * sizeof(Real)};
  return out;
}

}  // namespace

template <class Real>
void features_forward(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
                      const PassBuffers<Real>& buffers, bool want_gradient) {
  const RowsLaunch<Real> rows = rows_launch(model, tiles, buffers);
  launch(stream, FeaturesForward<Real>{rows.task, want_gradient}, rows.grid);
}

template <class Real>
void features_backward(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
                       const PassBuffers<Real>& buffers, const Vec4* cotangent) {
  const RowsLaunch<Real> rows = rows_launch(model, tiles, buffers);
  launch(stream, FeaturesBackward<Real>{rows.task, cotangent, vector_width(model)}, rows.grid);
}

#define NANODAY_INSTANTIATE(Real)                                                     \
  template void features_forward(Stream&, const PackedModel<Real>&, const TileView&,  \
                                 const PassBuffers<Real>&, bool);                     \
  template void features_backward(Stream&, const PackedModel<Real>&, const TileView&, \
                                  const PassBuffers<Real>&, const Vec4*);
NANODAY_INSTANTIATE(double)
NANODAY_INSTANTIATE(float)
#undef NANODAY_INSTANTIATE

}  // namespace nanoday::NANODAY_GPU
