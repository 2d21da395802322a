// The settings of a run by name: one table serves the command line, run.toml and run.resolved.toml.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// Where a setting may be given.
enum class SettingKind { file, engine, run };  ///< run.toml only; any command; run only

/// One setting: how it is typed, what it means, how it is written back.
struct Setting {
  const char* name;  ///< without dashes
  int n_values;      ///< 0: a switch; 3: three values
  SettingKind kind;
  const char* unit;  ///< shown in help: "T", "N", "0.5fs"
  const char* help;
  void (*set)(RunConfig& config, const std::vector<std::string>& values, const std::string& label);
  std::string (*toml)(const RunConfig& config);  ///< TOML value; "" when the setting is absent
};

/// All settings, in the order they are shown.
std::span<const Setting> run_settings();

/// Setting of a name, or nullptr.
const Setting* find_setting(std::string_view name);

/// Applies one setting. \param label how messages call it ("--dt", "run.toml:3: dt")
/// Throws InputError on a wrong number of values or a value without meaning.
void apply_setting(const Setting& setting, RunConfig& config, const std::vector<std::string>& values,
                   const std::string& label);

}  // namespace nanoday
