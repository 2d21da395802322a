// From a to energies or dipoles, and back to ∂E/∂a: rotation, products of columns, dense layers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "cuda/packed_model.hpp"
#include "cuda/tiles.hpp"

namespace nanoday::NANODAY_GPU {

/// How products of matrices are rounded. Accumulation is in Real always.
enum class Products {
  fp64,        ///< FP64 tensor cores
  split,       ///< single precision from three TF32 products (error as float's own)
  single_pass  ///< one TF32 product: the `fast` precision
};

/// What the fitting pass writes. Energies are double.
struct FittingOutput {
  double* atom_energy = nullptr;    ///< (nlocal) [eV] or null: not wanted
  Vec4* dipole = nullptr;           ///< (nlocal) [Å] or null; dipole models
  const Vec4* cotangent = nullptr;  ///< (nlocal) dipole models: ∂/∂μ, or null
  bool want_gradient = true;
  bool keep = false;    ///< leave in the buffers what a gradient needs, for a later call with `resume`
  bool resume = false;  ///< the buffers hold a forward pass made with `keep`: only the gradient is left to do
  /// while the word is not zero, dipoles keep their values; null: zero
  const std::uint32_t* halt = nullptr;
};

/// Runs all rows of `tiles` (of both plans) that are in use: a → a' → S → layers → outputs and, when wanted,
/// back to ∂E/∂a in buffers.a. Rows that are empty or taken over hold zeros in a and give nothing.
/// Row results do not depend on the row's place. Kernels are grouped: one launch does all groups.
template <class Real>
void fitting(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
             const PassBuffers<Real>& buffers, Products products, const FittingOutput& out);

}  // namespace nanoday::NANODAY_GPU
