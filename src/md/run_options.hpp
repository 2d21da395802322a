// Options of `run`, `resume` and (the engine part) of other commands, on the command line and in run.toml.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run.hpp"

#include <CLI/CLI.hpp>

#include <string>
#include <utility>
#include <vector>

namespace nanoday {

/// What was typed, before it is given a meaning.
struct RunArguments {
  std::vector<std::string> inputs;  ///< MODEL STRUCTURE, or one run.toml
  std::vector<std::pair<std::string, std::vector<std::string>>> settings;  ///< name without dashes, values
};

/// Adds the positionals and every run option (those of add_engine_options included) to a subcommand.
/// `arguments` must outlive the parsing.
void add_run_options(CLI::App& app, RunArguments& arguments);

/// Adds only what describes the system and the engine: --types, --replicate, --device, --precision, --table,
/// --force-error, --threads, --reproducible, --seed, --skin, --rebuild-every. For bench, eval and check.
void add_engine_options(CLI::App& app, RunArguments& arguments);

/// Meaning of the arguments: run.toml first when there is one, then the options.
/// Throws InputError for anything missing, contradictory or out of range.
RunConfig make_run_config(const RunArguments& arguments);

/// As make_run_config without asking for inputs, an ensemble or a number of steps (engine options only).
RunConfig make_engine_config(const RunArguments& arguments);

/// Adds DIR, --steps, --time, --threads, --device to the resume subcommand.
void add_resume_options(CLI::App& app, RunArguments& arguments);
ResumeConfig make_resume_config(const RunArguments& arguments);

}  // namespace nanoday
