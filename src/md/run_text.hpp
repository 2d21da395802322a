// What a run says at its start and its end.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run_output.hpp"
#include "md/thermo_statistics.hpp"

#include <string>
#include <utility>
#include <vector>

namespace nanoday {

/// Labels with values, shown as a table in the terminal and in the report.
using Facts = std::vector<std::pair<std::string, std::string>>;

/// One screen: model, atoms, precision and its measured error, memory, length.
/// \param first_evaluation wall time of the first evaluation, for a first guess of the run's [s]
Facts start_facts(const RunConfig& config, const RunSystem& system, double first_evaluation);

/// What a stretch of a run took.
struct Pace {
  std::int64_t steps = 0;
  double seconds = 0;
};

/// Thermo summary, speed, and what was met on the way.
Facts end_facts(const RunConfig& config, const RunSystem& system, const RunOutput& output, const Pace& pace);

/// Mean time of each stage that took any [ms/step].
std::vector<std::pair<std::string, double>> stage_times(const RunSystem& system, std::int64_t steps);

/// "force error rms 8.1e-07, max 6e-06 eV/Å (measured on 3 x 192 atoms)".
std::string measured_text(const MeasuredError& error);

/// "lowrank, ranks 32 24".
std::string table_text(const InferencePlan& plan);

/// Two aligned columns.
std::string as_text(const Facts& facts);

/// "NVT 330 K (Nose-Hoover chain, 0.1 ps)".
std::string ensemble_text(const RunConfig& config);

}  // namespace nanoday
