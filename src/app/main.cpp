// The command line: names the commands, and is the only place that turns an error into an exit code.
// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <new>
#include <string>

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

int report(ExitCode code, const std::string& text) {
  std::fflush(stdout);
  fmt::print(stderr, "nanoday: {}\n", text);
  return static_cast<int>(code);
}

/// Standard output may be a full disk: an output nobody got is a failed run.
int after_flushing(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  return report(ExitCode::failed_run, "cannot write to standard output (disk full, or closed?)");
}

int run_program(int argc, char** argv) {
  CLI::App app(k_about, "nanoday");
  app.footer(k_examples);
  app.set_version_flag("--version", "nanoday " NANODAY_VERSION, "print the version");
  app.require_subcommand(1);
  Action action;
  add_run_command(app, action);
  add_resume_command(app, action);
  add_eval_command(app, action);
  add_check_command(app, action);
  add_bench_command(app, action);
  add_info_command(app, action);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return after_flushing(app.exit(error));  // --help, --version
    const std::string command =
        app.get_subcommands().empty() ? "" : app.get_subcommands()[0]->get_name() + " ";
    return report(ExitCode::bad_input, fmt::format("{}; see nanoday {}--help", error.what(), command));
  }
  return after_flushing(action());
}

}  // namespace
}  // namespace nanoday

int main(int argc, char** argv) {
  using nanoday::ExitCode;
  try {
    return nanoday::run_program(argc, argv);
  } catch (const nanoday::Error& error) {
    return nanoday::report(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return nanoday::report(ExitCode::failed_run, "out of memory; use a smaller system or another machine");
  } catch (const std::exception& error) {
    return nanoday::report(ExitCode::failed_run, fmt::format("internal error: {}", error.what()));
  }
}
