// Command-line options made from the table of settings.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_options.hpp"

#include "core/error.hpp"
#include "core/quantity.hpp"
#include "md/run_file.hpp"
#include "md/run_settings.hpp"

#include <algorithm>

namespace nanoday {
namespace {

using Values = std::vector<std::string>;

void add_setting(CLI::App& app, RunArguments& arguments, const Setting& setting) {
  const std::string name = std::string("--") + setting.name;
  const std::string key = setting.name;
  if (setting.n_values == 0) {
    app.add_flag_callback(
        name, [&arguments, key] { arguments.settings.emplace_back(key, Values{}); }, setting.help);
    return;
  }
  const auto keep = [&arguments, key](const Values& values) { arguments.settings.emplace_back(key, values); };
  app.add_option_function<Values>(name, keep, setting.help)
      ->expected(setting.n_values)
      ->type_name(setting.unit);
}

bool given(const RunArguments& arguments, std::string_view name) {
  return std::any_of(arguments.settings.begin(), arguments.settings.end(),
                     [&](const auto& each) { return each.first == name; });
}

void refuse_both(const RunArguments& arguments, const char* a, const char* b) {
  require(!(given(arguments, a) && given(arguments, b)),
          "both --{} and --{} are given (they contradict); remove one", a, b);
}

/// --nve and --nvt come first: a bath typed before --nve must not be forgotten without a word.
void apply_all(const RunArguments& arguments, RunConfig& config) {
  for (const bool ensemble : {true, false})
    for (const auto& [name, values] : arguments.settings) {
      if ((name == "nve" || name == "nvt") != ensemble) continue;
      const Setting* setting = find_setting(name);
      require(setting != nullptr, "unknown option --{} (no setting has this name); see nanoday run --help",
              name);
      apply_setting(*setting, config, values, "--" + name);
    }
}

bool is_run_file(const std::string& path) { return path.ends_with(".toml"); }

void take_inputs(const RunArguments& arguments, RunConfig& config) {
  const auto& inputs = arguments.inputs;
  if (inputs.size() == 1 && is_run_file(inputs[0])) {
    read_run_file(inputs[0], config);
    return;
  }
  require(inputs.size() == 2,
          "{} inputs are given (a run takes a model and a structure, or one run.toml); write "
          "nanoday run MODEL STRUCTURE",
          inputs.size());
  config.model = inputs[0];
  config.structure = inputs[1];
}

void add_resume_option(CLI::App& app, RunArguments& arguments, const char* name, const char* unit,
                       const char* help) {
  const std::string key = name;
  const auto keep = [&arguments, key](const Values& values) { arguments.settings.emplace_back(key, values); };
  app.add_option_function<Values>("--" + key, keep, help)->expected(1)->type_name(unit);
}

}  // namespace

void add_run_options(CLI::App& app, RunArguments& arguments) {
  // More than two are refused later: here they would hide an unknown option that stands before them.
  app.add_option("inputs", arguments.inputs, "MODEL STRUCTURE, or one run.toml")
      ->required()
      ->expected(1, 1 << 20);
  for (const Setting& setting : run_settings())
    if (setting.kind != SettingKind::file) add_setting(app, arguments, setting);
}

void add_engine_options(CLI::App& app, RunArguments& arguments) {
  for (const Setting& setting : run_settings())
    if (setting.kind == SettingKind::engine) add_setting(app, arguments, setting);
}

RunConfig make_run_config(const RunArguments& arguments) {
  refuse_both(arguments, "nve", "nvt");
  refuse_both(arguments, "steps", "time");
  RunConfig config;
  take_inputs(arguments, config);
  apply_all(arguments, config);
  validate(config);
  return config;
}

RunConfig make_engine_config(const RunArguments& arguments) {
  RunConfig config;
  apply_all(arguments, config);
  validate_engine(config);
  return config;
}

void add_resume_options(CLI::App& app, RunArguments& arguments) {
  app.add_option("folder", arguments.inputs, "folder of the run to continue")->required()->expected(1);
  add_resume_option(app, arguments, "steps", "N", "new total number of steps");
  add_resume_option(app, arguments, "time", "10ps", "new total time");
  add_resume_option(app, arguments, "threads", "N", "threads [as before]");
  add_resume_option(app, arguments, "device", "auto|cpu|cuda", "machine [as before]");
}

ResumeConfig make_resume_config(const RunArguments& arguments) {
  refuse_both(arguments, "steps", "time");
  require(arguments.inputs.size() == 1, "{} folders are given (resume takes one); write nanoday resume DIR",
          arguments.inputs.size());
  ResumeConfig config;
  config.folder = arguments.inputs[0];
  for (const auto& [name, values] : arguments.settings) {
    const std::string& value = values.at(0);
    if (name == "steps") config.steps = parse_count(value, "--steps");
    if (name == "time") config.time = parse_time(value, "--time");
    if (name == "threads") config.threads = static_cast<int>(parse_count(value, "--threads", 0, 4096));
    if (name == "device") config.device = value;
  }
  return config;
}

}  // namespace nanoday
