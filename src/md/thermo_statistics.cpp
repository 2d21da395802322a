// Running statistics of the thermo table.
// SPDX-License-Identifier: Apache-2.0
#include "md/thermo_statistics.hpp"

#include <cmath>

namespace nanoday {

void ThermoStatistics::add(const Observables& observed) {
  if (count == 0) first_conserved = observed.conserved;
  ++count;
  const double delta = observed.temperature - mean_temperature;
  mean_temperature += delta / static_cast<double>(count);
  temperature_spread += delta * (observed.temperature - mean_temperature);
  mean_pressure += (observed.pressure - mean_pressure) / static_cast<double>(count);
  const double t = observed.time, c = observed.conserved - first_conserved;
  sum_t += t;
  sum_tt += t * t;
  sum_c += c;
  sum_tc += t * c;
}

double ThermoStatistics::temperature_deviation() const {
  return count > 1 ? std::sqrt(temperature_spread / static_cast<double>(count - 1)) : 0;
}

double ThermoStatistics::drift() const {
  const auto n = static_cast<double>(count);
  const double width = n * sum_tt - sum_t * sum_t;
  return count > 1 && width > 0 ? (n * sum_tc - sum_t * sum_c) / width : 0;
}

}  // namespace nanoday
