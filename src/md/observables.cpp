// Temperature and pressure from sums over atoms.
// SPDX-License-Identifier: Apache-2.0
#include "md/observables.hpp"

#include "core/units.hpp"

#include <limits>

namespace nanoday {

double temperature_of(double kinetic, double degrees_of_freedom) {
  return degrees_of_freedom > 0 ? 2 * kinetic / (degrees_of_freedom * units::k_boltzmann) : 0;
}

double pressure_of(double kinetic, const std::array<double, 9>& virial, const Box& box) {
  if (!(box.periodic[0] && box.periodic[1] && box.periodic[2]))
    return std::numeric_limits<double>::quiet_NaN();
  const double trace = virial[0] + virial[4] + virial[8];
  return (2 * kinetic + trace) / (3 * box.volume()) * units::k_pressure_bar;
}

double degrees_of_freedom(std::int64_t natoms, bool momentum_conserved) {
  const auto n = static_cast<double>(natoms);
  return momentum_conserved && natoms > 1 ? 3 * n - 3 : 3 * n;
}

}  // namespace nanoday
