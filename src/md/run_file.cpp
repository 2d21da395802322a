// Reads run.toml and writes run.resolved.toml.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_file.hpp"

#include "core/error.hpp"
#include "core/nearest_name.hpp"
#include "io/text.hpp"
#include "md/run_settings.hpp"
#include "md/toml_text.hpp"

#include <toml++/toml.h>

#include <filesystem>

namespace nanoday {
namespace {

namespace fs = std::filesystem;

std::string value_text(const toml::node& node, const std::string& label) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  throw InputError(
      fmt::format("{} has a value of a kind no setting takes (a table or a date); give a number, a "
                  "string, true or false, or a list of them",
                  label));
}

std::vector<std::string> value_texts(const toml::node& node, const std::string& label) {
  std::vector<std::string> values;
  if (const auto* list = node.as_array()) {
    for (const auto& each : *list) values.push_back(value_text(each, label));
  } else {
    values.push_back(value_text(node, label));
  }
  return values;
}

std::string unknown_key_text(const std::string& where, std::string_view key) {
  std::vector<std::string> known;
  for (const Setting& setting : run_settings()) known.emplace_back(setting.name);
  return fmt::format("{}: unknown key '{}' (no setting has this name); did you mean '{}'?", where, key,
                     nearest_name(key, known));
}

/// Paths in a file count from the file's folder.
void anchor(std::string& path, const fs::path& folder) {
  if (!path.empty() && fs::path(path).is_relative()) path = (folder / path).lexically_normal().string();
}

}  // namespace

void read_run_text(const std::string& text, const std::string& source, RunConfig& config) {
  toml::table table;
  try {
    table = toml::parse(text, source);
  } catch (const toml::parse_error& error) {
    throw InputError(fmt::format("{}:{}: not TOML ({}); correct the line", source, error.source().begin.line,
                                 error.description()));
  }
  const auto contradict = [&](const char* a, const char* b) {
    require(!(table.contains(a) && table.contains(b)),
            "{}: both {} and {} are given (they contradict); remove one", source, a, b);
  };
  contradict("nve", "nvt");
  contradict("steps", "time");
  for (const auto& [key, node] : table) {
    const std::string where = fmt::format("{}:{}", source, node.source().begin.line);
    const Setting* setting = find_setting(key.str());
    if (setting == nullptr) throw InputError(unknown_key_text(where, key.str()));
    const std::string label = fmt::format("{}: {}", where, key.str());
    apply_setting(*setting, config, value_texts(node, label), label);
  }
}

void read_run_file(const std::string& path, RunConfig& config) {
  read_run_text(read_bytes(path), path, config);
  const fs::path folder = fs::path(path).parent_path();
  for (std::string* each : {&config.model, &config.structure, &config.out, &config.wannier})
    anchor(*each, folder);
  for (std::string& model : config.models) anchor(model, folder);
}

std::string resolved_toml(const RunConfig& config) {
  RunConfig absolute = config;
  absolute.out = config.folder();
  const auto make_absolute = [](std::string& path) { path = fs::absolute(path).lexically_normal().string(); };
  for (std::string* path : {&absolute.model, &absolute.structure, &absolute.out}) make_absolute(*path);
  if (!absolute.wannier.empty()) make_absolute(absolute.wannier);
  for (std::string& path : absolute.models) make_absolute(path);
  std::string text = "# Every setting of this run. Times in ps, temperatures in K, lengths in Å.\n";
  for (const Setting& setting : run_settings()) {
    const std::string value = setting.toml(absolute);
    if (!value.empty()) text += fmt::format("{} = {}\n", setting.name, value);
  }
  return text;
}

}  // namespace nanoday
