// Running mean and spread of the temperature and drift of the conserved energy over a run.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/observables.hpp"

#include <cstdint>

namespace nanoday {

/// Plain numbers, so that a checkpoint holds them as they are.
struct ThermoStatistics {
  std::int64_t count = 0;
  double mean_temperature = 0;    ///< [K]
  double temperature_spread = 0;  ///< sum of squared deviations from the mean [K²] (Welford)
  double mean_pressure = 0;       ///< [bar]
  double first_conserved = 0;     ///< [eV]; drift counts from here, so that digits are kept
  double sum_t = 0, sum_tt = 0;   ///< Σ t [ps], Σ t² [ps²]
  double sum_c = 0, sum_tc = 0;   ///< Σ c [eV], Σ t c [eV ps], c relative to the first

  void add(const Observables& observed);
  /// Standard deviation of the temperature [K]; 0 with fewer than two rows.
  double temperature_deviation() const;
  /// Least-squares slope of the conserved energy [eV/ps]; 0 with fewer than two rows.
  double drift() const;
};

}  // namespace nanoday
