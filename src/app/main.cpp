// The command line: names the commands, and is the only place that turns an error into an exit code.
// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include "core/error.hpp"
#include "mpi.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <string_view>

namespace nanoday {
namespace {

constexpr const char* k_about =
    "Molecular dynamics with Deep Potential models, straight from the model file.";
constexpr const char* k_examples = R"(Examples:
  nanoday run water.pb water.data --nvt 330 --dt 0.5fs --time 10ps
  nanoday resume water.run
  nanoday eval water.pb water.data --json result.json
  nanoday check water.pb water.data
  nanoday bench water.pb water.data --replicate 2 2 2 --steps 200

`nanoday COMMAND --help` explains one command.
Exit codes: 0 fine, 1 a run or check failed, 2 bad usage or input.)";

/// Commands that share their work among ranks.
constexpr std::array<std::string_view, 3> k_shared{"run", "resume", "bench"};

void say(const std::string& text) {
  std::fflush(stdout);
  fmt::print(stderr, "nanoday: {}\n", text);
}

/// Standard output may be a full disk: an output nobody got is a failed run.
int after_flushing(int code) {
  require_run(std::fflush(stdout) == 0 && std::ferror(stdout) == 0,
              "cannot write to standard output (disk full, or closed?)");
  return code;
}

void check_ranks(const std::string& command, const MpiSession& ranks) {
  require(ranks.size() == 1 || std::ranges::find(k_shared, command) != k_shared.end(),
          "nanoday {} runs on one rank (it does not share its work); start it without mpirun", command);
}

int run_program(int argc, char** argv, MpiSession& ranks) {
  CLI::App app(k_about, "nanoday");
  app.footer(k_examples);
  app.set_version_flag("--version", "nanoday " NANODAY_VERSION, "print the version");
  app.require_subcommand(1);
  Action action;
  add_run_command(app, action, ranks);
  add_resume_command(app, action, ranks);
  add_eval_command(app, action);
  add_check_command(app, action);
  add_bench_command(app, action, ranks);
  add_estimate_command(app, action);
  add_info_command(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return after_flushing(app.exit(error));  // --help, --version
    const std::string command =
        app.get_subcommands().empty() ? "" : app.get_subcommands()[0]->get_name() + " ";
    throw InputError(fmt::format("{}; see nanoday {}--help", error.what(), command));
  }
  check_ranks(app.get_subcommands()[0]->get_name(), ranks);
  return after_flushing(action());
}

struct Failure {
  ExitCode code;
  std::string reason;
};

/// What became of the exception being handled.
Failure failure() {
  try {
    throw;
  } catch (const Error& error) {
    return {error.code(), error.what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::failed_run, "out of memory; use a smaller system or another machine"};
  } catch (const std::exception& error) {
    return {ExitCode::failed_run, fmt::format("internal error: {}", error.what())};
  }
}

/// One rank of the program, from MPI's start to its end.
int run_rank(int argc, char** argv) {
  MpiSession ranks(argc, argv);
  try {
    // What all ranks print is printed once.
    require_run(ranks.rank() == 0 || std::freopen("/dev/null", "w", stdout), "cannot open /dev/null");
    return run_program(argc, argv, ranks);
  } catch (...) {
    const auto [code, reason] = failure();
    return ranks.fail(static_cast<int>(code), reason, say);
  }
}

}  // namespace
}  // namespace nanoday

int main(int argc, char** argv) {
  try {
    return nanoday::run_rank(argc, argv);
  } catch (...) {  // MPI did not start
    const auto [code, reason] = nanoday::failure();
    nanoday::say(reason);
    return static_cast<int>(code);
  }
}
