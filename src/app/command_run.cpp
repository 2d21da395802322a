// `nanoday run` and `nanoday resume`: molecular dynamics from a model and a structure, and its continuation.
// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include "app/engine.hpp"
#include "md/run.hpp"

#include <memory>
#include <string>

namespace nanoday {
namespace {

constexpr const char* k_run_examples = R"(Examples:
  nanoday run water.pb water.data --nvt 330 --dt 0.5fs --time 10ps
  nanoday run copper.pb POSCAR --nve --temperature 300 --dt 1fs --steps 1000 --replicate 4 4 4
  nanoday run run.toml)";
constexpr const char* k_resume_examples = R"(Examples:
  nanoday resume water.run
  nanoday resume water.run --time 20ps)";

struct Typed {
  RunArguments arguments;
  std::string isa = "auto";
};

MakeBackend backend_maker(const std::string& isa) {
  return [isa](const RunConfig& config) { return machine_of(config, isa); };
}

}  // namespace

void add_run_command(CLI::App& app, Action& action, MpiSession& ranks) {
  CLI::App* command = app.add_subcommand("run", "molecular dynamics: NVE, or NVT with --nvt T");
  command->footer(k_run_examples);
  auto typed = std::make_shared<Typed>();
  add_run_options(*command, typed->arguments);
  add_isa_option(*command, typed->isa);
  command->callback([typed, &action, &ranks] {
    action = [typed, &ranks] {
      return run(make_run_config(typed->arguments), backend_maker(typed->isa), ranks.world());
    };
  });
}

void add_resume_command(CLI::App& app, Action& action, MpiSession& ranks) {
  CLI::App* command = app.add_subcommand("resume", "continue a run exactly where it stopped");
  command->footer(k_resume_examples);
  auto typed = std::make_shared<Typed>();
  add_resume_options(*command, typed->arguments);
  add_isa_option(*command, typed->isa);
  command->callback([typed, &action, &ranks] {
    action = [typed, &ranks] {
      return resume(make_resume_config(typed->arguments), backend_maker(typed->isa), ranks.world());
    };
  });
}

}  // namespace nanoday
