// What a force evaluation gives, and which parts of it somebody will read.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/exact_sum.hpp"
#include "core/vec3.hpp"
#include "core/view.hpp"

#include <array>
#include <cstdint>

namespace nanoday {

/// Which results beyond the forces will be read; the rest is not computed.
struct Needs {
  bool energy = false;
  bool virial = false;
  bool atom_energy = false;
  bool atom_virial = false;
};

/// Results of one evaluation. Ghost rows hold what belongs to the ghosts' owners until the halo
/// sends it home. In fixed-point mode forces are summed in `fixed` (order-independent, hence
/// reproducible) and turned into `force` by finish().
struct Forces {
  bool fixed_point = false;
  Array<Vec4> force;                         ///< (nall) [eV/Å]
  Array<std::array<std::int64_t, 4>> fixed;  ///< (nall) [2^-44 eV/Å], fixed-point mode only
  double energy = 0;                         ///< [eV], of this rank until the totals are shared
  std::array<double, 9> virial{};        ///< −∂E/∂strain, row-major, force × distance [eV]; likewise
  ExactSum exact_energy;                 ///< fixed-point mode: what `energy` is rounded from
  std::array<ExactSum, 9> exact_virial;  ///< fixed-point mode: what `virial` is rounded from
  Array<double> atom_energy;             ///< (nlocal) [eV]
  Array<std::array<double, 9>> atom_virial;  ///< (nall) booked on the neighbor [eV]
};

/// Adds to energy and virial, exactly in fixed-point mode.
void add_energy(Forces& forces, double energy);
void add_virial(Forces& forces, const std::array<double, 9>& virial);

}  // namespace nanoday
