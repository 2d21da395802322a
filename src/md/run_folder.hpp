// The folder of a run: never mixed with another run's files.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run.hpp"

#include <string>

namespace nanoday {

/// Path of run.resolved.toml in a run's folder.
std::string resolved_path(const std::string& folder);

/// Throws InputError when the folder exists with anything in it, unless config.overwrite.
void require_fresh_folder(const RunConfig& config);

/// Makes the folder, removes an earlier run's files from it (config.overwrite), writes run.resolved.toml.
/// Throws RunError when the disk refuses.
void prepare_folder(const RunConfig& config);

}  // namespace nanoday
