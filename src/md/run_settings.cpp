// The table of settings: name, meaning, and how the value is written back.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_settings.hpp"

#include "core/error.hpp"
#include "core/quantity.hpp"
#include "halo_choice.hpp"
#include "md/long_range_settings.hpp"
#include "md/toml_text.hpp"

#include <array>
#include <sstream>
#include <utility>

namespace nanoday {
namespace {

using Values = std::vector<std::string>;
using Label = std::string;

template <class Enum>
using Names = std::array<std::pair<const char*, Enum>, 3>;

constexpr Names<ThermostatKind> k_thermostats{{{"nhc", ThermostatKind::nose_hoover},
                                               {"langevin", ThermostatKind::langevin},
                                               {"csvr", ThermostatKind::rescaling}}};
constexpr Names<Balance> k_balances{
    {{"auto", Balance::automatic}, {"off", Balance::off}, {"ring", Balance::ring}}};
constexpr Names<TableKind> k_tables{
    {{"lowrank", TableKind::lowrank}, {"quintic", TableKind::quintic}, {"net", TableKind::net}}};

template <class Enum>
Enum parse_name(const std::string& text, const Label& label, const Names<Enum>& names) {
  for (const auto& [name, value] : names)
    if (text == name) return value;
  throw InputError(fmt::format("{} is '{}' (unknown); use {}, {} or {}", label, text, names[0].first,
                               names[1].first, names[2].first));
}

template <class Enum>
std::string name_of(Enum value, const Names<Enum>& names) {
  for (const auto& [name, candidate] : names)
    if (value == candidate) return toml_string(name);
  return "";
}

bool parse_switch(const Values& values, const Label& label) {
  if (values.empty() || values[0] == "true") return true;
  require(values[0] == "false", "{} is '{}' (a switch is true or false); use one of them", label, values[0]);
  return false;
}

Values split_at_commas(const Values& values) {
  Values parts;
  for (const std::string& value : values)
    for (std::size_t begin = 0; begin <= value.size();) {
      const std::size_t end = std::min(value.find(',', begin), value.size());
      if (end > begin) parts.push_back(value.substr(begin, end - begin));
      begin = end + 1;
    }
  return parts;
}

void set_nve(RunConfig& c, const Values& v, const Label& label) {
  if (!parse_switch(v, label)) return;
  c.ensemble = Ensemble::nve;
  c.thermostat = ThermostatKind::none;
}

void set_nvt(RunConfig& c, const Values& v, const Label& label) {
  c.ensemble = Ensemble::nvt;
  c.target = parse_temperature(v[0], label);
  if (c.thermostat == ThermostatKind::none) c.thermostat = ThermostatKind::nose_hoover;
}

void set_halo(RunConfig& c, const Values& v, const Label& label) {
  c.halo.reset();
  for (int r = 0; r < k_halo_routes; ++r)
    if (v[0] == halo_name(static_cast<HaloRoute>(r))) c.halo = static_cast<HaloRoute>(r);
  require(c.halo || v[0] == "auto", "{} is '{}' (unknown); use auto, direct, by-node or staged", label, v[0]);
}

void set_precision(RunConfig& c, const Values& v, const Label& label) {
  for (const Precision known : {Precision::fp64, Precision::mixed, Precision::fast})
    if (v[0] == precision_name(known)) {
      c.precision = known;
      return;
    }
  throw InputError(fmt::format("{} is '{}' (unknown); use double, mixed or fast", label, v[0]));
}

void set_replica_temperatures(RunConfig& c, const Values& v, const Label& label) {
  c.temperatures.clear();
  std::stringstream list(v[0]);
  for (std::string one; std::getline(list, one, ',');)
    c.temperatures.push_back(parse_temperature(one, label));
}

void set_trajectory(RunConfig& c, const Values& v, const Label& label) {
  require(v[0] == "extxyz" || v[0] == "dump", "{} is '{}' (unknown); use extxyz or dump", label, v[0]);
  c.trajectory = v[0] == "dump" ? TrajectoryFormat::dump : TrajectoryFormat::extxyz;
}

void set_replicate(RunConfig& c, const Values& v, const Label& label) {
  for (int d = 0; d < 3; ++d) c.replicate[d] = static_cast<int>(parse_count(v[d], label, 1, 100000));
}

void set_steps(RunConfig& c, const Values& v, const Label& label) {
  c.steps = parse_count(v[0], label, 0);
  c.time.reset();
}

void set_time(RunConfig& c, const Values& v, const Label& label) {
  c.time = parse_time(v[0], label);
  c.steps.reset();
}

void set_seed(RunConfig& c, const Values& v, const Label& label) {
  c.seed = static_cast<std::uint64_t>(parse_count(v[0], label, 0));
}

std::string toml_list(const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::string text;
  for (const auto& name : names) text += fmt::format("{}{}", text.empty() ? "[" : ", ", toml_string(name));
  return text + ']';
}

std::string toml_replicate(const RunConfig& c) {
  return fmt::format("[{}, {}, {}]", c.replicate[0], c.replicate[1], c.replicate[2]);
}

std::string toml_switch(bool on) { return on ? "true" : "false"; }

using C = RunConfig;
using SK = SettingKind;

const Setting k_settings[] = {
    {"model", 1, SK::file, "FILE", "model file", [](C& c, const Values& v, const Label&) { c.model = v[0]; },
     [](const C& c) { return toml_string(c.model); }},
    {"structure", 1, SK::file, "FILE", "structure file",
     [](C& c, const Values& v, const Label&) { c.structure = v[0]; },
     [](const C& c) { return toml_string(c.structure); }},
    {"types", 1, SK::engine, "O,H", "elements of the structure file's types 1, 2, …",
     [](C& c, const Values& v, const Label&) { c.types = split_at_commas(v); },
     [](const C& c) { return toml_list(c.types); }},
    {"replicate", 3, SK::engine, "X Y Z", "copies of the structure along a, b, c [1 1 1]", set_replicate,
     toml_replicate},

    {"nve", 0, SK::run, "", "constant energy", set_nve,
     [](const C& c) { return c.ensemble == Ensemble::nve ? std::string("true") : std::string(); }},
    {"nvt", 1, SK::run, "T", "constant temperature T [K]", set_nvt,
     [](const C& c) { return c.ensemble == Ensemble::nvt ? toml_number(c.target) : std::string(); }},
    {"thermostat", 1, SK::run, "nhc|langevin|csvr", "bath of --nvt [nhc]",
     [](C& c, const Values& v, const Label& l) { c.thermostat = parse_name(v[0], l, k_thermostats); },
     [](const C& c) { return name_of(c.thermostat, k_thermostats); }},
    {"tau", 1, SK::run, "0.1ps", "time of the bath [0.1ps]",
     [](C& c, const Values& v, const Label& l) { c.tau = parse_time(v[0], l); },
     [](const C& c) { return toml_number(c.tau); }},
    {"temperature", 1, SK::run, "T", "initial velocities [T of --nvt, else the file's]",
     [](C& c, const Values& v, const Label& l) { c.temperature = parse_temperature(v[0], l); },
     [](const C& c) { return c.temperature ? toml_number(*c.temperature) : std::string(); }},
    {"dt", 1, SK::run, "0.5fs", "time step [0.5fs]; a bare number is in ps",
     [](C& c, const Values& v, const Label& l) { c.dt = parse_time(v[0], l); },
     [](const C& c) { return toml_number(c.dt); }},
    {"time", 1, SK::run, "10ps", "length of the run", set_time,
     [](const C& c) { return c.time ? toml_number(*c.time) : std::string(); }},
    {"steps", 1, SK::run, "N", "length of the run in steps", set_steps,
     [](const C& c) { return c.steps ? std::to_string(*c.steps) : std::string(); }},
    {"every", 1, SK::run, "0.1ps", "time between trajectory frames [0.1ps]; 0: no trajectory",
     [](C& c, const Values& v, const Label& l) { c.every = parse_time(v[0], l); },
     [](const C& c) { return toml_number(c.every); }},
    {"thermo-every", 1, SK::run, "N", "steps between rows of thermo.csv [20]",
     [](C& c, const Values& v, const Label& l) { c.thermo_every = parse_count(v[0], l, 1); },
     [](const C& c) { return std::to_string(c.thermo_every); }},
    {"checkpoint-every", 1, SK::run, "N", "steps between checkpoints [1000]",
     [](C& c, const Values& v, const Label& l) { c.checkpoint_every = parse_count(v[0], l, 1); },
     [](const C& c) { return std::to_string(c.checkpoint_every); }},
    {"traj", 1, SK::run, "extxyz|dump", "trajectory format [extxyz]", set_trajectory,
     [](const C& c) { return toml_string(c.trajectory == TrajectoryFormat::dump ? "dump" : "extxyz"); }},
    {"out", 1, SK::run, "DIR", "folder for the results [structure name + .run]",
     [](C& c, const Values& v, const Label&) { c.out = v[0]; },
     [](const C& c) { return toml_string(c.folder()); }},
    {"overwrite", 0, SK::run, "", "replace the results of an earlier run in that folder",
     [](C& c, const Values& v, const Label& l) { c.overwrite = parse_switch(v, l); },
     [](const C&) { return std::string(); }},

    {"device", 1, SK::engine, "auto|cpu|cuda|sve", "machine [auto]",
     [](C& c, const Values& v, const Label&) { c.device = v[0]; },
     [](const C& c) { return toml_string(c.device); }},
    {"precision", 1, SK::engine, "double|mixed|fast", "of nets and tables [double]", set_precision,
     [](const C& c) { return toml_string(precision_name(c.precision)); }},
    {"table", 1, SK::engine, "lowrank|quintic|net", "how embedding nets are evaluated [lowrank]",
     [](C& c, const Values& v, const Label& l) { c.table = parse_name(v[0], l, k_tables); },
     [](const C& c) { return name_of(c.table, k_tables); }},
    {"force-error", 1, SK::engine, "X", "rms force error lowrank may have, eV/Å [1e-6]",
     [](C& c, const Values& v, const Label& l) { c.force_error = parse_number(v[0], l); },
     [](const C& c) { return toml_number(c.force_error); }},
    {"threads", 1, SK::engine, "N", "threads [OMP_NUM_THREADS or all cores]",
     [](C& c, const Values& v, const Label& l) {
       c.threads = static_cast<int>(parse_count(v[0], l, 0, 4096));
     },
     [](const C& c) { return std::to_string(c.threads); }},
    {"balance", 1, SK::engine, "auto|off|ring",
     "lend atoms so that nodes have equally many and the ranks of a node equal work [auto]",
     [](C& c, const Values& v, const Label& l) { c.balance = parse_name(v[0], l, k_balances); },
     [](const C& c) { return name_of(c.balance, k_balances); }},
    {"halo", 1, SK::engine, "auto|direct|by-node|staged", "how ghosts travel between nodes [auto]", set_halo,
     [](const C& c) { return c.halo ? toml_string(halo_name(*c.halo)) : std::string(); }},
    {"reproducible", 0, SK::engine, "", "the same bits for any number of threads and ranks",
     [](C& c, const Values& v, const Label& l) { c.reproducible = parse_switch(v, l); },
     [](const C& c) { return toml_switch(c.reproducible); }},
    {"seed", 1, SK::engine, "N", "of random numbers [1]", set_seed,
     [](const C& c) { return std::to_string(c.seed); }},
    {"replicas", 1, SK::engine, "N", "independent systems advanced together, seeds apart [1]",
     [](C& c, const Values& v, const Label& l) {
       c.replicas = static_cast<int>(parse_count(v[0], l, 1, 100000));
     },
     [](const C& c) { return std::to_string(c.replicas); }},
    {"replica-temperatures", 1, SK::run, "T1,T2,…", "thermostat temperature of each replica, K [--nvt]",
     set_replica_temperatures,
     [](const C& c) {
       return c.temperatures.empty() ? std::string()
                                     : toml_string(fmt::format("{}", fmt::join(c.temperatures, ",")));
     }},
    {"replica-models", 1, SK::run, "A.pb,B.pb,…",
     "model files of the replicas, MODEL first, dealt in turn when fewer; all of one architecture",
     [](C& c, const Values& v, const Label&) { c.models = split_at_commas(v); },
     [](const C& c) { return toml_list(c.models); }},
    {"skin", 1, SK::engine, "2", "added to the cutoff of neighbor lists, Å [2]",
     [](C& c, const Values& v, const Label& l) { c.skin = parse_length(v[0], l); },
     [](const C& c) { return toml_number(c.skin); }},
    {"rebuild-every", 1, SK::engine, "N", "steps between neighbor lists [when an atom moved half the skin]",
     [](C& c, const Values& v, const Label& l) {
       c.rebuild_every = static_cast<int>(parse_count(v[0], l, 0, 1000000000));
     },
     [](const C& c) { return std::to_string(c.rebuild_every); }},
};

}  // namespace

std::span<const Setting> run_settings() {
  static const std::vector<Setting> all = [] {
    std::vector<Setting> both(std::begin(k_settings), std::end(k_settings));
    const auto more = long_range_settings();
    both.insert(both.end(), more.begin(), more.end());
    return both;
  }();
  return all;
}

const Setting* find_setting(std::string_view name) {
  for (const Setting& setting : run_settings())
    if (name == setting.name) return &setting;
  return nullptr;
}

void apply_setting(const Setting& setting, RunConfig& config, const std::vector<std::string>& values,
                   const std::string& label) {
  const auto expected = static_cast<std::size_t>(setting.n_values);
  const std::string_view name = setting.name;
  const bool list = name == "types" || name == "replica-models";
  const bool fits = setting.n_values == 0 ? values.size() <= 1 : list || values.size() == expected;
  require(fits, "{} has {} values (it takes {}); write {} {}", label, values.size(), expected, label,
          setting.unit);
  for (const std::string& value : values)
    require(!value.empty(), "{} is empty (it needs a value); write {} {}", label, label, setting.unit);
  if (is_long_range_setting(setting.name)) config.long_range_given = setting.name;
  setting.set(config, values, label);
}

}  // namespace nanoday
