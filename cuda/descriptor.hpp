// Neighbors to a = (1/N) Σ R ⊗ b(s̃), and ∂E/∂a back to forces and virials; each in one fused kernel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "cuda/fixed_sum.hpp"
#include "cuda/packed_model.hpp"
#include "cuda/tiles.hpp"

#include <array>

namespace nanoday::NANODAY_GPU {

/// a of every row of the plan's tiles: filter, environment row, table, outer product, padding term, all
/// divided by N (spec 2.3, 2.4; as cpu/kernels/{environment,descriptor}.hpp). Empty rows get zeros. Where a
/// neighbor lies outside the table: low-rank plans mark the row `taken`, put the atom into a free row of the
/// exact group's tiles and write zeros; others continue (net or linear continuation). Counted once.
/// \pre tiles.exact_count and the atoms of the exact plan's rows are cleared (0 and −1)
template <class Real>
void descriptor_forward(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
                        const PassBuffers<Real>& buffers, const Vec4* position, const ListView& list,
                        const PassReport& report);

/// The same for the rows that descriptor_forward put into the exact plan's tiles (embedding net per
/// neighbor). Launched with room for all exact tiles; blocks without rows return at once.
template <class Real>
void descriptor_forward_exact(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
                              const PassBuffers<Real>& buffers, const Vec4* position, const ListView& list,
                              const PassReport& report);

/// Where gradients go; fixed point, atomically added.
struct GradientOutput {
  /// (nall), or with ghost_owner (DeviceAtoms::nforces()); 2^-44 eV/Å
  std::array<std::int64_t, 4>* force = nullptr;
  /// (nghost) the rows that forces on ghosts go to, or null: the ghosts' own
  const std::int32_t* ghost_owner = nullptr;
  std::int64_t nlocal = 0;                             ///< read where there are owners
  VirialSlots virial;                                  ///< of all pairs, by centre
  std::array<std::int64_t, 9>* atom_virial = nullptr;  ///< (nall) 2^-44 eV, booked on the neighbor, or null
};

/// Forces (and virials) of every neighbor pair of all rows, of both kinds, that are not taken over, from
/// ∂E/∂a in buffers.a (before the division by N, which is applied here). Signs as cpu/kernels/gradient.hpp:
/// F_i += g, F_j −= g with g = ∂E_i/∂r_ij; W −= g ⊗ r.
template <class Real>
void descriptor_backward(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
                         const PassBuffers<Real>& buffers, const Vec4* position, const ListView& list,
                         const GradientOutput& out, const PassReport& report);

}  // namespace nanoday::NANODAY_GPU
