// a to the products of columns that feed the fitting nets, and their gradients back to ∂E/∂a.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/fitting.hpp"

namespace nanoday::NANODAY_GPU {

/// a' = a·rotation and S[f] = Σ_c a'[c, p] a'[c, q] of every row; rows that give nothing get zeros. a' is
/// kept in buffers.rotated when a gradient is wanted and the group has a rotation.
template <class Real>
void features_forward(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
                      const PassBuffers<Real>& buffers, bool want_gradient);

/// ∂E/∂S in buffers.features back to ∂E/∂a in buffers.a. Dipole models: with ∂(Σ c·μ)/∂a at fixed y, where
/// buffers.vectors holds y.
/// \param cotangent (nlocal) dipole models: c; else null
template <class Real>
void features_backward(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
                       const PassBuffers<Real>& buffers, const Vec4* cotangent);

}  // namespace nanoday::NANODAY_GPU
