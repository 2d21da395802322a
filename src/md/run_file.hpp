// run.toml: the same settings as on the command line, and run.resolved.toml, which names all of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run.hpp"

#include <string>

namespace nanoday {

/// Reads settings from a TOML file into `config`; relative paths count from the file's folder.
/// Throws InputError with file and line; an unknown key comes with the nearest known one.
void read_run_file(const std::string& path, RunConfig& config);

/// As read_run_file from memory, paths taken as they are. \param source name in messages
void read_run_text(const std::string& text, const std::string& source, RunConfig& config);

/// The text of run.resolved.toml: every setting with the value it has, paths absolute. Reading it back
/// gives an equal config.
std::string resolved_toml(const RunConfig& config);

/// Throws InputError unless the config says which model, structure, ensemble and how many steps, and all
/// values are in range.
void validate(const RunConfig& config);

/// The part of validate() that concerns the engine only.
void validate_engine(const RunConfig& config);

}  // namespace nanoday
