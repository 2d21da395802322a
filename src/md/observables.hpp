// What a row of the thermo table holds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/box.hpp"

#include <array>
#include <cstdint>

namespace nanoday {

struct Observables {
  std::int64_t step = 0;
  double time = 0;         ///< [ps]
  double temperature = 0;  ///< [K]
  double potential = 0;    ///< [eV]
  double kinetic = 0;      ///< [eV]
  double total = 0;        ///< potential + kinetic [eV]
  double conserved = 0;    ///< total + bath energy [eV]
  double pressure = 0;     ///< [bar]; NaN when the box does not repeat in all directions
};

/// Kinetic temperature 2 K / (N_f k) [K]; 0 when there are no degrees of freedom.
double temperature_of(double kinetic, double degrees_of_freedom);

/// (2 K + tr W) / (3 V) [bar]; NaN unless the box repeats in all directions.
/// \param virial −∂E/∂strain [eV], row-major
double pressure_of(double kinetic, const std::array<double, 9>& virial, const Box& box);

/// 3N − 3 where total momentum is conserved (and 3 for a single atom, which keeps its momentum), else 3N.
double degrees_of_freedom(std::int64_t natoms, bool momentum_conserved);

}  // namespace nanoday
