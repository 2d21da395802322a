// From a to energies or dipoles, and back to ∂E/∂a: rotation, products of columns, dense layers.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/fitting.hpp"

#include "cuda/dense.hpp"
#include "cuda/features.hpp"
#include "cuda/tensor_core.hpp"
#include "cuda/tile_rows.hpp"

namespace nanoday::NANODAY_GPU {
namespace {

constexpr int k_threads = 256;
/// A warp has one row, so that few atoms are done as quickly as one.
constexpr int k_block_rows = k_threads / k_warp;
constexpr int k_tile_blocks = k_tile_rows / k_block_rows;

/// E_i of every row, summed in double.
template <class Real>
struct RowEnergies {
  static constexpr const char* k_name = "energies";
  const GroupView<Real>* groups;
  TileView tiles;
  PassBuffers<Real> buffers;
  double* atom_energy;
  int n_centres;

  NANODAY_DEVICE void operator()(Block& block) const {
    const int k = static_cast<int>(block.block() / k_tile_blocks);
    const int r = static_cast<int>(block.block() % k_tile_blocks) * k_block_rows + block.warp();
    const GroupView<Real>& g = groups[tiles.tile[k].group];
    const int in_use = rows_in_use(tiles, n_centres, k);
    if (!g.active || r >= in_use) return;  // the whole warp; there is no barrier
    const std::int32_t atom = atom_of_row(tiles, k, in_use, r);
    const Real* h =
        buffers.hidden[g.n_layers - 1] + (static_cast<long>(tiles.tile[k].row) + r) * buffers.width;
    double e = 0;
    for (int m = block.lane(); m < g.output.n_in; m += k_warp)
      e += static_cast<double>(h[m]) * static_cast<double>(g.output.weight[m]);
    e = warp_sum(block, e);
    if (atom >= 0 && block.lane() == 0)
      atom_energy[atom] = (e + g.output_bias) * g.energy_scale + g.energy_shift;
  }
};

/// Dipole models: μ_α = Σ_p y_p a[1+α, p] of every row (spec 2.10), and ∂(Σ c·μ)/∂y behind y.
template <class Real>
struct RowDipoles {
  static constexpr const char* k_name = "dipoles";
  const GroupView<Real>* groups;
  TileView tiles;
  PassBuffers<Real> buffers;
  Vec4* dipole;
  const std::uint32_t* halt;
  const Vec4* cotangent;
  int n_centres, n_tiles, vector_row;

  NANODAY_DEVICE void operator()(Block& block) const {
    const int k = static_cast<int>(block.block() / k_tile_blocks);
    const int r = static_cast<int>(block.block() % k_tile_blocks) * k_block_rows + block.warp();
    const GroupView<Real>& g = groups[tiles.tile[k].group];
    const int in_use = rows_in_use(tiles, n_centres, k);
    if (!g.active || in_use == 0) return;  // the whole block
    // Also rows that give nothing: the dense kernel that comes next reads whole tiles.
    evaluate_row(block, g, k, r, atom_of_row(tiles, k, in_use, r));
  }

  NANODAY_DEVICE void evaluate_row(Block& block, const GroupView<Real>& g, int k, int r,
                                   std::int32_t atom) const {
    const int n = g.n_columns;
    const long row = static_cast<long>(tiles.tile[k].row) + r;
    const Real* a = buffers.a + tiles.tile[k].a + static_cast<long>(r) * 4 * n;
    const Real* y = buffers.vectors + row * vector_row;
    Real* dy = buffers.vectors + (static_cast<long>(n_tiles) * k_tile_rows + row) * vector_row;
    const bool used = atom >= 0;
    const Vec4 c = used && cotangent != nullptr ? cotangent[atom] : Vec4{};
    const Real cx = static_cast<Real>(c.x), cy = static_cast<Real>(c.y), cz = static_cast<Real>(c.z);
    Vec3 mu;
    for (int p = block.lane(); p < n; p += k_warp) {
      const Real ax = used ? a[n + p] : Real(0), ay = used ? a[2 * n + p] : Real(0);
      const Real az = used ? a[3 * n + p] : Real(0);
      mu = mu + static_cast<double>(y[p]) * Vec3{ax, ay, az};
      if (cotangent != nullptr) dy[p] = cx * ax + cy * ay + cz * az;
    }
    mu = {warp_sum(block, mu.x), warp_sum(block, mu.y), warp_sum(block, mu.z)};
    const bool wanted = dipole != nullptr && (halt == nullptr || *halt == 0);
    if (used && wanted && block.lane() == 0) dipole[atom] = padded(mu);
  }
};

}  // namespace

// ---------------------------------------------------------------------------------------------------------

template <class Real>
void fitting(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
             const PassBuffers<Real>& buffers, Products products, const FittingOutput& out) {
  const ModelView<Real>& view = model.view();
  const int n_tiles = tiles.n_tiles + tiles.exact_tiles, n_layers = model.max_layers();
  const DenseShape shape = dense_shape(n_tiles);
  const bool want_energy = !view.dipole && out.atom_energy != nullptr;
  const bool want_gradient = out.want_gradient && (!view.dipole || out.cotangent != nullptr);
  if (n_tiles == 0 || n_layers == 0) return;
  if (!want_gradient && !want_energy && out.dipole == nullptr) return;
  const bool forward = !out.resume, keep = want_gradient || out.keep;

  DenseTask<Real> task{tiles, buffers};
  task.want_last = want_energy || view.dipole;
  task.want_gradient = keep;
  const auto multiply = [&](DenseStep step, int layer) {
    task.step = step;
    task.layer = layer;
    dense(stream, model, task, products, shape);
  };

  if (forward) {
    features_forward(stream, model, tiles, buffers, keep);
    for (int l = 0; l < n_layers; ++l) multiply(DenseStep::layer, l);
  }
  if (want_energy && forward)
    launch(stream, RowEnergies<Real>{view.groups, tiles, buffers, out.atom_energy, view.n_centres},
           {std::int64_t{n_tiles} * k_tile_blocks, k_threads, 0});
  if (view.dipole) {
    if (forward) multiply(DenseStep::output, 0);
    const Vec4* cotangent = want_gradient ? out.cotangent : nullptr;
    launch(stream,
           RowDipoles<Real>{view.groups, tiles, buffers, out.dipole, out.halt, cotangent, view.n_centres,
                            n_tiles, vector_width(model)},
           {std::int64_t{n_tiles} * k_tile_blocks, k_threads, 0});
  }
  if (!want_gradient) return;
  if (view.dipole) multiply(DenseStep::output_back, 0);
  for (int l = n_layers - 1; l >= 0; --l) multiply(DenseStep::layer_back, l);
  features_backward(stream, model, tiles, buffers, view.dipole ? out.cotangent : nullptr);
}

template void fitting(Stream&, const PackedModel<double>&, const TileView&, const PassBuffers<double>&,
                      Products, const FittingOutput&);
template void fitting(Stream&, const PackedModel<float>&, const TileView&, const PassBuffers<float>&,
                      Products, const FittingOutput&);

}  // namespace nanoday::NANODAY_GPU
