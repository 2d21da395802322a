// Runs of several replicas: their folders, seeds, temperatures, models, and checkpoints that belong together.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/checkpoint.hpp"
#include "md/run_text.hpp"

#include <string>
#include <vector>

namespace nanoday {

/// One checkpoint per folder, all of the same, latest possible step: a run that was killed between two writes
/// left some replicas one checkpoint ahead. Collective. Throws InputError when there is no common step.
std::vector<FoundCheckpoint> checkpoints_of_one_step(const std::vector<RunConfig>& configs, Transport& ranks);

/// Speed of all replicas together.
std::string replicas_text(const RunConfig& config, const Pace& pace);

}  // namespace nanoday
