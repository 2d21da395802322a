// Scratch memory of one thread: neighbor arrays and layer matrices of one batch of atoms.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/packed_model.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace nanoday::cpu {

/// Neighbors inside the cutoff of every atom of a batch. Segment k = atom·n_types + type holds entries
/// first[k] … first[k] + count[k]; first is a multiple of 16, unused entries up to the next multiple are
/// harmless numbers. Grows when needed, never shrinks.
template <class Real>
struct NeighborBlock {
  std::vector<std::int64_t> first;
  std::vector<std::int32_t> count;
  Array<std::int32_t> index;                 ///< neighbor atom
  Array<double> dx, dy, dz;                  ///< displacement [Å]
  Array<double> radial, angular, isotropic;  ///< derivative scalars of EnvironmentRow
  std::array<Array<Real>, 4> row;            ///< normalised environment row, component by component
  Array<Real> t;                             ///< coordinate inside the table piece
  Array<const Real*> piece;                  ///< coefficients, see in_piece()

  // Only of the segment at hand, counted from its first entry: what is not kept stays in the first cache.
  Array<double> r2;   ///< squared distance [Å²]
  Array<double> s;    ///< s̃, the first row component, in double
  Array<Real> d_row;  ///< (n, 4) ∂E/∂R of the normalised row
  Array<double> g;    ///< (n, 4) ∂E_i/∂r_ij and zero [eV/Å]

  std::int64_t capacity() const { return static_cast<std::int64_t>(index.size()); }
  void reserve(std::int64_t n) {
    if (n > capacity()) grow(n);
  }
  void grow(std::int64_t n);
  /// Room for one segment of up to n entries.
  void reserve_segment(std::int64_t n) {
    if (n > static_cast<std::int64_t>(r2.size())) grow_segment(n);
  }
  void grow_segment(std::int64_t n);
};

/// Table pieces made for single neighbors: the net's value and slope, or a linear continuation.
/// Blocks never move, so pointers to pieces stay valid until clear().
template <class Real>
class SpecialPieces {
 public:
  Real* allocate(std::size_t size) {
    if (used_ + size > room_) next_block(size);
    Real* p = base_ + used_;
    used_ += size;
    return p;
  }
  void clear() { block_ = 0, used_ = 0, room_ = 0; }

 private:
  void next_block(std::size_t size);
  std::vector<Array<Real>> blocks_;
  Real* base_ = nullptr;
  std::size_t block_ = 0, used_ = 0, room_ = 0;  ///< block_: blocks taken so far
};

/// Time stamps per stage of a batch, summed over batches [s].
struct BatchTimes {
  double environment = 0, descriptor = 0, fitting = 0, gradient = 0;
};

template <class Real>
struct Workspace {
  std::vector<std::int32_t> atoms;  ///< batch: local atom indices, one centre type
  NeighborBlock<Real> neighbors;
  SpecialPieces<Real> special;
  std::vector<std::int32_t> outside;  ///< atoms handed over to the exact plan
  Array<Real> a;                      ///< (4, columns, batch) a, lanes over atoms; later ∂E/∂a
  Array<Real> rotated;                ///< (4, rotated, batch) a'
  Array<Real> d_rotated;              ///< (4, rotated, batch) ∂E/∂a'
  Array<Real> features;               ///< (features, batch) S; later ∂E/∂S
  Array<float> weak;                  ///< (weak features, batch) their S, in single; later ∂E/∂S
  Array<Real> weak_exact;             ///< (weak features, batch) their S in Real, for energies
  Array<float> single_x;              ///< (width, batch) deviations of x; later ∂E/∂z in single
  Array<float> single_z;              ///< (width, batch) single precision's share of z; later of ∂E/∂x
  std::vector<Array<Real>> missing;   ///< per layer (width, batch): what single precision took from z
  Array<std::uint32_t> pairs;         ///< (faint features or width, batch/…) pairs of bfloat16
  Array<Real> staging;                ///< (lanes ≤ 16, 4, columns) a of some atoms, row by row
  std::vector<Array<Real>> hidden, slope;  ///< per layer (width, batch): output and dz factor
  Array<Real> grad0, grad1;                ///< (width, batch)
  Array<Real> vectors;  ///< (2, columns + 8, batch) dipole models: y acting on columns of a, and its gradient
  std::vector<float> distance;      ///< sel overflow: float32 distances
  std::vector<std::int32_t> order;  ///< sel overflow: places by distance
  BatchTimes times;

  int count() const { return static_cast<int>(atoms.size()); }  ///< of atoms
  void resize(const PackedModel<Real>& model);
  void hand_over(std::int32_t atom);  ///< appends to `outside`
  void shrink(int n);                 ///< keeps the first n atoms
};

/// Keeps the nearest `sel` of a segment by float32 distance, ties by place (spec 2.1). Rare, not vectorised.
template <class Real>
void keep_nearest(const Vec4* position, Vec4 centre, int sel, std::int64_t first, int count,
                  Workspace<Real>& ws);

// Everything that may allocate is compiled once, for the baseline machine: a copy compiled with wide
// instructions must never be the one the linker keeps.
extern template struct NeighborBlock<double>;
extern template struct NeighborBlock<float>;
extern template class SpecialPieces<double>;
extern template class SpecialPieces<float>;
extern template struct Workspace<double>;
extern template struct Workspace<float>;

}  // namespace nanoday::cpu
