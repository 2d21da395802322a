// The program's commands; each adds itself to the command line and leaves behind what to do when chosen.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "mpi.hpp"

#include <CLI/CLI.hpp>

#include <functional>

namespace nanoday {

/// What a chosen command does; returns the exit code, throws nanoday::Error.
using Action = std::function<int()>;

/// Each adds one subcommand to `app` and stores its work in `action` when the user chose it. Both must
/// outlive the parsing.
void add_info_command(CLI::App& app, Action& action);
void add_eval_command(CLI::App& app, Action& action);
void add_check_command(CLI::App& app, Action& action);
void add_estimate_command(CLI::App& app, Action& action);
/// These share their work among the session's ranks, which outlive the action.
void add_bench_command(CLI::App& app, Action& action, MpiSession& ranks);
void add_run_command(CLI::App& app, Action& action, MpiSession& ranks);
void add_resume_command(CLI::App& app, Action& action, MpiSession& ranks);

}  // namespace nanoday
