// The kernels of one instruction set, and what a batch takes and gives.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/forces.hpp"
#include "cpu/kernels/workspace.hpp"

#include <array>
#include <cstdint>

namespace nanoday::cpu {

/// Input of a batch and where its results go. Force rows belong to the calling thread alone.
struct BatchArgs {
  const Vec4* position = nullptr;        ///< (nall)
  const std::int64_t* offset = nullptr;  ///< NeighborList::offset
  const std::int32_t* index = nullptr;   ///< NeighborList::index
  int centre_type = 0;
  Needs needs;
  Vec4* force = nullptr;                           ///< (nall) thread's own; null in fixed-point mode
  std::array<std::int64_t, 4>* fixed = nullptr;    ///< (nall) thread's own; null otherwise
  double* atom_energy = nullptr;                   ///< (nlocal)
  std::array<double, 9>* centre_virial = nullptr;  ///< (nlocal) virial by centre
  std::array<double, 9>* atom_virial = nullptr;    ///< (nall) virial booked on neighbors; one thread only
  Vec4* dipole = nullptr;                          ///< (nlocal) dipole models, forward
  const Vec4* cotangent = nullptr;                 ///< (nlocal) dipole models, backward
  bool want_forces = true;
};

/// Counters of a batch.
struct BatchCounts {
  std::int64_t outside_table = 0, sel_overflow = 0;
  std::int64_t first_outside_atom = -1;
  double smallest_distance = 0;
  bool fixed_overflow = false;
};

/// Evaluates one batch (workspace.atoms, all of one centre type). Atoms with neighbors outside a low-rank
/// table are put on workspace.outside and left out.
template <class Real>
using BatchKernel = void (*)(const PackedModel<Real>&, const BatchArgs&, Workspace<Real>&, BatchCounts&);

struct KernelSet {
  const char* name;
  BatchKernel<double> batch_fp64;
  BatchKernel<float> batch_mixed;
  /// Fused multiply-adds per second of one core at the fitting net's shapes, the peak that bench reports.
  double (*peak_fma)(bool single_precision);
};

extern const KernelSet k_kernels_avx512, k_kernels_avx2, k_kernels_baseline;

}  // namespace nanoday::cpu
