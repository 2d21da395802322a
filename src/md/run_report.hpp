// report.html of a run, from its own files and its running sums.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run_output.hpp"
#include "md/run_text.hpp"

namespace nanoday {

/// Writes report.html into the run's folder. \pre thermo.csv and msd.csv are on the disk.
/// Throws RunError when the disk refuses.
void write_run_report(const RunConfig& config, const RunSystem& system, const RunOutput& output,
                      const Pace& pace);

}  // namespace nanoday
