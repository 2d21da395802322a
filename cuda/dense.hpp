// Dense layers of all groups' nets as products on tensor cores, forward and back; one launch per layer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/fitting.hpp"

namespace nanoday::NANODAY_GPU {

/// What one launch multiplies and where it goes. ∂E/∂z of a layer takes the place of its slope, once known.
enum class DenseStep {
  layer,  ///< hidden[l − 1] (or the features) · W → hidden[l], slope[l]; for the last layer of an energy
          ///< net slope[l] is ∂E/∂z at once, since ∂E/∂h is the same for every atom
  output,       ///< dipole models: last hidden · W → vectors
  layer_back,   ///< ∂E/∂z of layer l · Wᵀ → ∂E/∂z of layer l − 1 (or ∂E/∂features)
  output_back,  ///< dipole models: what lies behind vectors · Wᵀ → ∂/∂z of the last layer
};

/// How the work is cut: many small blocks for few atoms, or blocks that fetch each weight less often.
/// A number does not depend on it: every sum runs over the inputs in the same order.
enum class DenseShape { small, large };

/// One launch. Groups that have no such layer, and tiles nobody uses, are passed over.
template <class Real>
struct DenseTask {
  TileView tiles;
  PassBuffers<Real> buffers;
  DenseStep step = DenseStep::layer;
  int layer = 0;
  bool want_last = true;      ///< outputs of the last layer are read
  bool want_gradient = true;  ///< slopes are read
};

template <class Real>
void dense(Stream& stream, const PackedModel<Real>& model, const DenseTask<Real>& task, Products products,
           DenseShape shape);

/// The shape for this many tiles.
DenseShape dense_shape(int n_tiles);

/// Row length of PassBuffers::vectors.
template <class Real>
int vector_width(const PackedModel<Real>& model) {
  const int plan = model.max_columns(false), exact = model.max_columns(true);
  return plan > exact ? plan : exact;
}

}  // namespace nanoday::NANODAY_GPU
