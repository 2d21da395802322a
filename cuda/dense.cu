// Dense layers of all groups' nets as products on tensor cores, forward and back; one launch per layer.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/dense.hpp"

#include "cuda/activation.hpp"
#include "cuda/tensor_core.hpp"
#include "cuda/tile_rows.hpp"

#include <algorithm>

namespace nanoday::NANODAY_GPU {
namespace {

/// A block of RowWarps × ColWarps warps computes k_rows × k_cols outputs; a warp (16·MF) × (8·NF) of them.
/// Operands are staged k_depth inputs at a time, in Stages buffers by turns.
template <class Real, int MF, int NF, int RowWarps, int ColWarps, int Stages>
struct Shape {
  static constexpr int k_mf = MF, k_nf = NF, k_col_warps = ColWarps, k_stages = Stages;
  static constexpr int k_rows = 16 * MF * RowWarps, k_cols = 8 * NF * ColWarps;
  static constexpr int k_threads = k_warp * RowWarps * ColWarps;
  static constexpr int k_tiles = k_rows / k_tile_rows;
  static constexpr int k_depth = 128 / static_cast<int>(sizeof(Real));
  /// Row lengths in shared memory such that the lanes of a fragment meet different banks.
  static constexpr int k_depth_row = k_depth + 4;
  static constexpr int k_cols_row = sizeof(Real) == 8 ? k_cols + 4 : k_cols;
  static_assert(k_cols_row * static_cast<int>(sizeof(Real)) / 4 % 32 == 24);
  static constexpr int k_a_size = k_rows * k_depth_row;
  static constexpr int k_w_size = std::max(k_depth * k_cols_row, k_cols* k_depth_row);
  static constexpr int k_stage = k_a_size + k_w_size;  ///< numbers per buffer
  static constexpr std::size_t k_shared_bytes = sizeof(Real) * Stages * k_stage;
  /// Outputs of a warp on their way to memory, 16 rows at a time.
  static constexpr int k_out_row = 8 * NF + 4;
  static_assert(RowWarps * ColWarps * 16 * k_out_row <= Stages * k_stage);
  static_assert(k_rows % k_tile_rows == 0);
};

/// 64 × 24 outputs in 4 warps: 90 blocks for the 560 atoms of a small system and layers of 240.
template <class Real>
using SmallShape = Shape<Real, 1, 3, 4, 1, 4>;
/// 128 × 120 outputs in 12 warps: 62 products per number fetched from L2, which then feeds FP64 tensor cores
/// with 17 bytes per cycle and multiprocessor (estimated, not measured).
template <class Real>
using LargeShape = Shape<Real, 2, 5, 4, 3, 2>;
/// Tiles from which on large blocks fill 132 multiprocessors (layers of 240: two blocks for every two tiles).
constexpr int k_large_tiles = 120;

/// Operands of one product: rows of A in one or two tiles, W as stored.
template <class Real>
struct Operands {
  const Real* a[2] = {};
  long a_row = 0;  ///< row length of A
  const Real* weight = nullptr;
  int weight_row = 0;
  int depth = 0, outputs = 0;  ///< inputs summed over; columns of the result
};

/// Numbers per 16-byte copy.
template <class Real>
constexpr int k_per_copy = 16 / static_cast<int>(sizeof(Real));

template <class Real>
NANODAY_DEVICE bool rows_are_aligned(const Real* from, long row) {
  return reinterpret_cast<std::uintptr_t>(from) % 16 == 0 && row % k_per_copy<Real> == 0;
}

/// Begins to copy a panel of Rows × Width numbers; those beyond (rows, width) become zero.
/// Step: numbers per copy.
template <class Real, int Rows, int Width, int Step>
NANODAY_DEVICE void stage_panel_by(Block& block, Real* to, int to_row, const Real* from, long from_row,
                                   int rows, int width) {
  constexpr int size = static_cast<int>(sizeof(Real));
  constexpr int per_row = Width / Step;
  for (int i = block.thread(); i < Rows * per_row; i += block.size()) {
    const int r = i / per_row, x = i % per_row * Step;
    int valid = r < rows ? width - x : 0;
    valid = valid < 0 ? 0 : valid < Step ? valid : Step;
    copy_to_shared<Step * size>(to + r * to_row + x, valid > 0 ? from + r * from_row + x : from,
                                valid * size);
  }
}

template <class Real, int Rows, int Width>
NANODAY_DEVICE void stage_panel(Block& block, Real* to, int to_row, const Real* from, long from_row, int rows,
                                int width) {
  if (rows_are_aligned(from, from_row))
    stage_panel_by<Real, Rows, Width, k_per_copy<Real>>(block, to, to_row, from, from_row, rows, width);
  else
    stage_panel_by<Real, Rows, Width, 1>(block, to, to_row, from, from_row, rows, width);
}

template <class Real, class S, Products P, bool Back>
struct DenseKernel {
  static constexpr const char* k_name = Back ? "dense_back" : "dense";
  static constexpr int k_max_threads = S::k_threads;

  DenseTask<Real> task;
  const GroupView<Real>* groups = nullptr;
  int n_centres = 0, splits = 1, n_tiles = 0;
  int vector_row = 0;
  long vector_rows = 0;  ///< rows before ∂/∂y
  bool dipole = false;

  NANODAY_DEVICE void operator()(Block& block) const {
    const int split = static_cast<int>(block.block() % splits);
    const int first = static_cast<int>(block.block() / splits) * S::k_tiles;
    const int last = first + S::k_tiles < n_tiles ? first + S::k_tiles : n_tiles;
    for (int k = first; k < last;) {
      int count = 0;
      while (k + count < last && has_work(k + count) && group_of(k + count) == group_of(k)) ++count;
      if (count > 0) multiply_tiles(block, k, count, split);
      k += count > 0 ? count : 1;
    }
  }

  NANODAY_DEVICE int group_of(int k) const { return task.tiles.tile[k].group; }
  NANODAY_DEVICE bool has_work(int k) const {
    const GroupView<Real>& g = groups[group_of(k)];
    const bool layers = task.step == DenseStep::layer || task.step == DenseStep::layer_back;
    return g.active && (!layers || task.layer < g.n_layers) && rows_in_use(task.tiles, n_centres, k) > 0;
  }

  /// All outputs of this block for `count` tiles of one group.
  NANODAY_DEVICE void multiply_tiles(Block& block, int k, int count, int split) const {
    const GroupView<Real>& g = groups[group_of(k)];
    const Operands<Real> in = operands(g, k, count);
    const int warp_row = block.warp() / S::k_col_warps * 16 * S::k_mf;
    const int warp_col = block.warp() % S::k_col_warps * 8 * S::k_nf;
    for (int col = split * S::k_cols; col < in.outputs; col += splits * S::k_cols) {
      const bool busy = col + warp_col < in.outputs && warp_row < count * k_tile_rows;
      Real c[S::k_mf][S::k_nf][4] = {};
      accumulate(block, in, col, warp_row, warp_col, busy, c);
      block.sync();  // the staged operands are not needed any more
      if (busy) write_outputs(block, g, k, warp_row, col + warp_col, in.outputs, c);
      block.sync();
    }
  }

  NANODAY_DEVICE Operands<Real> operands(const GroupView<Real>& g, int k, int count) const {
    Operands<Real> in;
    const PassBuffers<Real>& b = task.buffers;
    const bool to_output = task.step == DenseStep::output || task.step == DenseStep::output_back;
    const DenseView<Real>& layer = to_output ? g.output : g.layer[task.layer];
    in.weight = layer.weight;
    in.weight_row = layer.n_out;
    in.depth = Back ? layer.n_out : layer.n_in;
    in.outputs = Back ? layer.n_in : layer.n_out;
    NANODAY_UNROLL
    for (int part = 0; part < S::k_tiles; ++part) {
      if (part >= count) continue;
      const Tile& tile = task.tiles.tile[k + part];
      const long row = tile.row;
      in.a_row = b.width;
      if (task.step == DenseStep::layer_back) {
        in.a[part] = b.slope[task.layer] + row * b.width;
      } else if (task.step == DenseStep::output_back) {
        in.a_row = vector_row;
        in.a[part] = b.vectors + (vector_rows + row) * vector_row;
      } else if (task.step == DenseStep::output) {
        in.a[part] = b.hidden[g.n_layers - 1] + row * b.width;
      } else if (task.layer > 0) {
        in.a[part] = b.hidden[task.layer - 1] + row * b.width;
      } else {
        in.a_row = g.n_features;
        in.a[part] = b.features + tile.features;
      }
    }
    return in;
  }

  /// Begins to copy inputs depth … depth + k_depth of A and W into a buffer.
  NANODAY_DEVICE void stage(Block& block, const Operands<Real>& in, int col, int depth, Real* to) const {
    const int left = in.depth - depth;
    NANODAY_UNROLL
    for (int part = 0; part < S::k_tiles; ++part)
      stage_panel<Real, k_tile_rows, S::k_depth>(block, to + part * k_tile_rows * S::k_depth_row,
                                                 S::k_depth_row,
                                                 in.a[part] != nullptr ? in.a[part] + depth : in.a[0],
                                                 in.a_row, in.a[part] != nullptr ? k_tile_rows : 0, left);
    Real* w = to + S::k_a_size;
    if constexpr (Back)
      stage_panel<Real, S::k_cols, S::k_depth>(block, w, S::k_depth_row,
                                               in.weight + static_cast<long>(col) * in.weight_row + depth,
                                               in.weight_row, in.outputs - col, left);
    else
      stage_panel<Real, S::k_depth, S::k_cols>(block, w, S::k_cols_row,
                                               in.weight + static_cast<long>(depth) * in.weight_row + col,
                                               in.weight_row, left, in.outputs - col);
  }

  NANODAY_DEVICE void accumulate(Block& block, const Operands<Real>& in, int col, int warp_row, int warp_col,
                                 bool busy, Real (&c)[S::k_mf][S::k_nf][4]) const {
    Real* staged = block.shared<Real>(0);
    const int chunks = (in.depth + S::k_depth - 1) / S::k_depth;
    for (int s = 0; s < S::k_stages - 1; ++s) {
      if (s < chunks) stage(block, in, col, s * S::k_depth, staged + s * S::k_stage);
      commit_copies();
    }
    for (int s = 0; s < chunks; ++s) {
      wait_for_copies<S::k_stages - 2>();
      block.sync();  // buffer s is complete, and the one before it is free
      const int next = s + S::k_stages - 1;
      if (next < chunks) stage(block, in, col, next * S::k_depth, staged + next % S::k_stages * S::k_stage);
      commit_copies();
      if (busy) multiply_staged(block, staged + s % S::k_stages * S::k_stage, warp_row, warp_col, c);
    }
  }

  /// Adds one buffer's products. Tensor cores do not round float sums to nearest: their error grows with the
  /// length of a sum, so that long sums are made of short ones with ordinary additions.
  NANODAY_DEVICE void multiply_staged(Block& block, const Real* staged, int warp_row, int warp_col,
                                      Real (&c)[S::k_mf][S::k_nf][4]) const {
    if constexpr (P == Products::fp64) {
      multiply_steps(block, staged, warp_row, warp_col, c);
    } else {
      Real sum[S::k_mf][S::k_nf][4] = {};
      multiply_steps(block, staged, warp_row, warp_col, sum);
      NANODAY_UNROLL
      for (int m = 0; m < S::k_mf; ++m) NANODAY_UNROLL
      for (int n = 0; n < S::k_nf; ++n) NANODAY_UNROLL
      for (int i = 0; i < 4; ++i) c[m][n][i] += sum[m][n][i];
    }
  }

  NANODAY_DEVICE void multiply_steps(Block& block, const Real* staged, int warp_row, int warp_col,
                                     Real (&c)[S::k_mf][S::k_nf][4]) const {
    const int g = block.lane() / 4, t = block.lane() % 4;
    const Real* a_from = staged + (warp_row + g) * S::k_depth_row + t;
    const Real* w_from = staged + S::k_a_size +
                         (Back ? (warp_col + g) * S::k_depth_row + t : t * S::k_cols_row + warp_col + g);
    NANODAY_UNROLL
    for (int k = 0; k < S::k_depth; k += 8) {
      Real a[S::k_mf][4], w[S::k_nf][2];
      NANODAY_UNROLL
      for (int m = 0; m < S::k_mf; ++m) NANODAY_UNROLL
      for (int i = 0; i < 4; ++i)
        a[m][i] = a_from[(16 * m + 8 * (i & 1)) * S::k_depth_row + k + 4 * (i >> 1)];
      NANODAY_UNROLL
      for (int n = 0; n < S::k_nf; ++n) NANODAY_UNROLL
      for (int j = 0; j < 2; ++j)
        w[n][j] = w_from[Back ? 8 * n * S::k_depth_row + k + 4 * j : (k + 4 * j) * S::k_cols_row + 8 * n];
      if constexpr (P == Products::fp64)
        multiply_fragments(block, a, w, c);
      else
        multiply_tf32<P == Products::split>(block, a, w, c);
    }
  }

  /// Turns the warp's outputs over in shared memory, 16 rows at a time, so that lanes write side by side.
  NANODAY_DEVICE void write_outputs(Block& block, const GroupView<Real>& g, int k, int warp_row, int col,
                                    int outputs, const Real (&c)[S::k_mf][S::k_nf][4]) const {
    Real* out = block.shared<Real>(0) + block.warp() * 16 * S::k_out_row;
    const int lane = block.lane();
    const Tile& tile = task.tiles.tile[k + warp_row / k_tile_rows];
    const int width = outputs - col < 8 * S::k_nf ? outputs - col : 8 * S::k_nf;
    NANODAY_UNROLL
    for (int m = 0; m < S::k_mf; ++m) {
      NANODAY_UNROLL
      for (int n = 0; n < S::k_nf; ++n) NANODAY_UNROLL
      for (int i = 0; i < 4; ++i)
        out[(lane / 4 + 8 * (i >> 1)) * S::k_out_row + 8 * n + 2 * (lane % 4) + (i & 1)] = c[m][n][i];
      block.sync_warp();
      const int row = warp_row % k_tile_rows + 16 * m;
      for (int i = lane; i < 16 * width; i += k_warp) {
        const int r = i / width, x = i % width;
        write_output(g, tile, row + r, col + x, out[r * S::k_out_row + x]);
      }
      block.sync_warp();
    }
  }

  NANODAY_DEVICE void write_output(const GroupView<Real>& g, const Tile& tile, int row, int col,
                                   Real sum) const {
    const PassBuffers<Real>& b = task.buffers;
    const long r = static_cast<long>(tile.row) + row, at = r * b.width + col;
    const int last = g.n_layers - 1;
    if constexpr (Back) {
      if (task.step == DenseStep::output_back)
        pass_gradient(g, last, at, sum);
      else if (task.layer == 0)
        b.features[tile.features + static_cast<long>(row) * g.n_features + col] = sum;
      else
        pass_gradient(g, task.layer - 1, at, sum + shortcut_gradient(g, at, col));
    } else {
      if (task.step == DenseStep::output)
        b.vectors[r * vector_row + col] = sum + g.output.bias[col];
      else
        write_hidden(g, at, col, sum);
    }
  }

  NANODAY_DEVICE void write_hidden(const GroupView<Real>& g, long at, int col, Real sum) const {
    const PassBuffers<Real>& b = task.buffers;
    const int l = task.layer;
    const DenseView<Real>& layer = g.layer[l];
    const bool last = l == g.n_layers - 1;
    const Activated<Real> y = activate_as(g.activation, sum + layer.bias[col]);
    const Real dt = layer.idt[col];
    if (task.want_gradient) {
      const Real slope = dt * y.slope;
      b.slope[l][at] = last && !dipole ? slope * energy_seed(g, col) : slope;
    }
    if (!last || task.want_last)
      b.hidden[l][at] = dt * y.value + (layer.residual ? b.hidden[l - 1][at] : Real(0));
  }

  /// ∂E/∂h of the last layer of an energy net.
  NANODAY_DEVICE Real energy_seed(const GroupView<Real>& g, int col) const {
    return g.output.weight[col] * static_cast<Real>(g.energy_scale);
  }

  /// ∂E/∂h of the layer multiplied, where its input passes it unchanged.
  NANODAY_DEVICE Real shortcut_gradient(const GroupView<Real>& g, long at, int col) const {
    if (!g.layer[task.layer].residual) return Real(0);
    if (task.layer == g.n_layers - 1 && !dipole) return energy_seed(g, col);
    return task.buffers.gradient[at];
  }

  /// ∂E/∂h of layer l, kept only where a shortcut will ask for it, becomes ∂E/∂z.
  NANODAY_DEVICE void pass_gradient(const GroupView<Real>& g, int l, long at, Real dh) const {
    if (g.layer[l].residual) task.buffers.gradient[at] = dh;
    task.buffers.slope[l][at] *= dh;
  }
};

// ---------------------------------------------------------------------------------------------------------

/// Most outputs of this step over the plan's groups; the exact plan's blocks go round more than once.
template <class Real>
int most_outputs(const PackedModel<Real>& model, const DenseTask<Real>& task) {
  int most = 1;
  for (int t = 0; t < model.view().n_centres; ++t) {
    const GroupView<Real>& g = model.groups()[t];
    if (!g.active) continue;
    const bool to_output = task.step == DenseStep::output || task.step == DenseStep::output_back;
    if (!to_output && task.layer >= g.n_layers) continue;
    const DenseView<Real>& layer = to_output ? g.output : g.layer[task.layer];
    const bool back = task.step == DenseStep::layer_back || task.step == DenseStep::output_back;
    most = std::max(most, back ? layer.n_in : layer.n_out);
  }
  return most;
}

template <class Real, class S, Products P, bool Back>
void launch_dense(Stream& stream, const PackedModel<Real>& model, const DenseTask<Real>& task) {
  DenseKernel<Real, S, P, Back> kernel;
  kernel.task = task;
  kernel.groups = model.view().groups;
  kernel.n_centres = model.view().n_centres;
  kernel.n_tiles = task.tiles.n_tiles + task.tiles.exact_tiles;
  kernel.splits = (most_outputs(model, task) + S::k_cols - 1) / S::k_cols;
  kernel.vector_row = vector_width(model);
  kernel.vector_rows = static_cast<long>(kernel.n_tiles) * k_tile_rows;
  kernel.dipole = model.view().dipole;
  const std::int64_t row_blocks = (kernel.n_tiles + S::k_tiles - 1) / S::k_tiles;
  launch(stream, kernel, {row_blocks * kernel.splits, S::k_threads, S::k_shared_bytes});
}

template <class Real, class S, Products P>
void launch_dense(Stream& stream, const PackedModel<Real>& model, const DenseTask<Real>& task) {
  if (task.step == DenseStep::layer || task.step == DenseStep::output)
    launch_dense<Real, S, P, false>(stream, model, task);
  else
    launch_dense<Real, S, P, true>(stream, model, task);
}

template <class Real, Products P>
void launch_dense(Stream& stream, const PackedModel<Real>& model, const DenseTask<Real>& task,
                  DenseShape shape) {
  if (shape == DenseShape::small || LargeShape<Real>::k_shared_bytes > most_shared_bytes())
    launch_dense<Real, SmallShape<Real>, P>(stream, model, task);
  else
    launch_dense<Real, LargeShape<Real>, P>(stream, model, task);
}

}  // namespace

template <class Real>
void dense(Stream& stream, const PackedModel<Real>& model, const DenseTask<Real>& task, Products products,
           DenseShape shape) {
  if constexpr (std::is_same_v<Real, double>)
    launch_dense<Real, Products::fp64>(stream, model, task, shape);
  else if (products == Products::single_pass)
    launch_dense<Real, Products::single_pass>(stream, model, task, shape);
  else
    launch_dense<Real, Products::split>(stream, model, task, shape);
}

DenseShape dense_shape(int n_tiles) {
  return n_tiles < k_large_tiles ? DenseShape::small : DenseShape::large;
}

template void dense(Stream&, const PackedModel<double>&, const DenseTask<double>&, Products, DenseShape);
template void dense(Stream&, const PackedModel<float>&, const DenseTask<float>&, Products, DenseShape);

}  // namespace nanoday::NANODAY_GPU
