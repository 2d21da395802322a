// The dipole moment of a whole box of ions and Wannier centroids, and its fluctuation over a run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/analysis/dipole_distribution.hpp"

namespace nanoday {

/// M = Σ q_i x_i + Σ q_W (x_host + μ) [e·Å] over the atoms of all ranks and unwrapped positions x = position
/// + image · cell, so M does not jump when an atom is wrapped. A neutral box's M does not depend on the
/// origin; which lattice image each atom started in adds a constant, so only differences of M mean something:
/// its change, derivative, fluctuation. The sum is exact. Collective. \param displacement  (nlocal) μ = W − R
/// [Å] in the atoms' order
Vec3 total_dipole(Transport& ranks, const Box& box, const Atoms& atoms, const TypeCharges& charges,
                  View<const Vec4> displacement);

/// Plain numbers, so that a checkpoint holds them as they are.
struct DipoleStatistics {
  std::int64_t count = 0;
  Vec3 mean;          ///< [e·Å]
  double spread = 0;  ///< Σ |M − mean|² [e²Å²] (Welford)

  void add(Vec3 dipole);
  /// √(⟨|M|²⟩ − |⟨M⟩|²) [e·Å]; 0 before two samples.
  double fluctuation() const;
};

}  // namespace nanoday
