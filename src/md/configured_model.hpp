// The model a run or command is told to use, with the Wannier net and charges it is given.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run.hpp"

namespace nanoday {

/// Reads config's model at `path`, and --wannier and charges where given; the hash then covers both files.
/// Throws InputError, also when DPLR settings are given for a model without long-range part.
std::shared_ptr<const Model> read_configured_model(const RunConfig& config, const std::string& path);

/// The parts of the config a plan is chosen by.
PlanOptions plan_options(const RunConfig& config);

}  // namespace nanoday
