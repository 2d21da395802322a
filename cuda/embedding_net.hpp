// The embedding net itself for neighbors that no table covers: one warp, two neighbors at a time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/packed_model.hpp"

#include <cstdint>

namespace nanoday::NANODAY_GPU {

/// Neighbors that share one reading of the weights.
inline constexpr int k_net_batch = 2;

/// Values and slopes of a layer's outputs, (k_net_batch, width) each.
struct EmbeddingValues {
  double *value = nullptr, *slope = nullptr;
};

/// One layer: forward differentiation, shortcut and idt rules of spec 2.4. Lanes over outputs.
NANODAY_DEVICE void embedding_layer(Block& block, const EmbeddingLayerView& layer, Activation activation,
                                    int width, const EmbeddingValues& x, const EmbeddingValues& y) {
  const int m = layer.n_in, n = layer.n_out;
  const bool shortcut = n == m || n == 2 * m;
  for (int o = block.lane(); o < n; o += k_warp) {
    double z[k_net_batch], z1[k_net_batch];
    for (int q = 0; q < k_net_batch; ++q) {
      z[q] = layer.bias[o];
      z1[q] = 0;
    }
    for (int i = 0; i < m; ++i) {
      const double w = layer.weight[static_cast<std::int64_t>(i) * n + o];
      for (int q = 0; q < k_net_batch; ++q) {
        z[q] += x.value[q * width + i] * w;
        z1[q] += x.slope[q * width + i] * w;
      }
    }
    const double dt = shortcut && layer.idt != nullptr ? layer.idt[o] : 1.0;
    const int from = o < m ? o : o - m;
    for (int q = 0; q < k_net_batch; ++q) {
      const ActivationValue f = activate(activation, z[q]);
      y.value[q * width + o] = f.value * dt + (shortcut ? x.value[q * width + from] : 0.0);
      y.slope[q * width + o] = f.slope * z1[q] * dt + (shortcut ? x.slope[q * width + from] : 0.0);
    }
  }
  block.sync_warp();
}

/// G and G' of both s̃, by the whole warp.
/// \param scratch (8, width) doubles of the warp's own shared memory; the result lies in it
template <class Real>
NANODAY_DEVICE EmbeddingValues embedding_net(Block& block, const TableView<Real>& table,
                                             const double (&s)[k_net_batch], double* scratch, int width) {
  EmbeddingValues x{scratch, scratch + k_net_batch * width};
  EmbeddingValues y{scratch + 2 * k_net_batch * width, scratch + 3 * k_net_batch * width};
  block.sync_warp();  // the result of the call before has been read
  if (block.lane() < k_net_batch) {
    x.value[block.lane() * width] = block.lane() == 0 ? s[0] : s[1];
    x.slope[block.lane() * width] = 1.0;
  }
  block.sync_warp();
  for (int l = 0; l < table.n_layers; ++l) {
    embedding_layer(block, table.layer[l], table.activation, width, x, y);
    const EmbeddingValues done = y;
    y = x;
    x = done;
  }
  return x;
}

}  // namespace nanoday::NANODAY_GPU
