// What a force evaluation gives, and which parts of it somebody will read.
// SPDX-License-Identifier: Apache-2.0
#pragma once

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

/// Scale of fixed-point sums: 2^44 per eV/Å (or eV), so that one unit is 5.7e-14.
inline constexpr double k_fixed_point_scale = 17592186044416.0;

/// Results of one evaluation. Ghost rows hold what belongs to the ghosts' owners until the halo
/// sends it home. In fixed-point mode forces are summed in `fixed` (order-independent, hence
/// reproducible) and turned into `force` by finish().
struct Forces {
  bool fixed_point = false;
  Array<Vec4> force;                         ///< (nall) [eV/Å]
  Array<std::array<std::int64_t, 4>> fixed;  ///< (nall) [2^-44 eV/Å], fixed-point mode only
  double energy = 0;                         ///< [eV], local atoms
  std::array<double, 9> virial{};            ///< −∂E/∂strain, row-major, force × distance [eV]
  Array<double> atom_energy;                 ///< (nlocal) [eV]
  Array<std::array<double, 9>> atom_virial;  ///< (nall) booked on the neighbor [eV]
};

}  // namespace nanoday
