// `nanoday info`: what a model file holds; or which machines there are.
// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include "core/error.hpp"
#include "machines.hpp"
#include "model/model_file.hpp"
#include "model/model_info.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <string>

namespace nanoday {
namespace {

constexpr const char* k_examples = R"(Examples:
  nanoday info water.pb
  nanoday info water.pb --json
  nanoday info --devices)";

struct InfoArguments {
  std::string model;
  bool json = false;
  bool devices = false;
};

int info(const InfoArguments& arguments) {
  if (arguments.devices) {
    for (const auto& [name, sentence] : available_devices()) fmt::print("{:<8} {}\n", name, sentence);
    return 0;
  }
  require(!arguments.model.empty(), "info needs a model (none was given); try: nanoday info water.pb");
  const Model model = read_model(arguments.model);
  std::string text = arguments.json ? model_info_json(model) : model_info_text(model);
  while (text.ends_with('\n')) text.pop_back();
  fmt::print("{}\n", text);
  return 0;
}

}  // namespace

void add_info_command(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("info", "what a model file holds");
  command->footer(k_examples);
  auto arguments = std::make_shared<InfoArguments>();
  command->add_option("MODEL", arguments->model, "model file (.pb)");
  command->add_flag("--json", arguments->json, "print JSON and nothing else");
  command->add_flag("--devices", arguments->devices, "list the machines this build can use here");
  command->callback([arguments, &action] { action = [arguments] { return info(*arguments); }; });
}

}  // namespace nanoday
