// Settings: quantities, run.toml, command-line options, run.resolved.toml.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_file.hpp"

#include "core/error.hpp"
#include "core/nearest_name.hpp"
#include "core/quantity.hpp"
#include "md/run_options.hpp"

#include <gtest/gtest.h>

#include <iterator>
#include <map>
#include <sstream>

namespace nanoday {
namespace {

/// The message of the InputError that `action` throws, or "no error".
template <class Action>
std::string message_of(Action&& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

RunConfig from_toml(const std::string& text) {
  RunConfig config;
  read_run_text(text, "run.toml", config);
  return config;
}

RunConfig from_options(std::vector<std::string> words) {
  CLI::App app;
  RunArguments arguments;
  add_run_options(app, arguments);
  std::reverse(words.begin(), words.end());  // CLI11 takes them last first
  app.parse(words);
  return make_run_config(arguments);
}

TEST(Quantity, units_mean_what_they_say) {
  EXPECT_EQ(parse_time("0.5fs", "--dt"), 0.0005);
  EXPECT_EQ(parse_time("10 ps", "--time"), 10);
  EXPECT_EQ(parse_time("1ns", "--time"), 1000);
  EXPECT_EQ(parse_time("2", "--time"), 2);
  EXPECT_EQ(parse_time("1e-3ps", "--time"), 0.001);
  EXPECT_EQ(parse_temperature("330K", "--nvt"), 330);
  EXPECT_EQ(parse_temperature("330", "--nvt"), 330);
  EXPECT_EQ(parse_length("0.2nm", "--skin"), 2);
  EXPECT_EQ(parse_length("2A", "--skin"), 2);
}

TEST(Quantity, anything_else_is_refused_by_name) {
  for (const char* text : {"", "fs", "1.5.2ps", "nan", "inf", "1e999", "--3", "0x10", "1ps2"})
    EXPECT_TRUE(says(message_of([&] { parse_time(text, "--dt"); }), "--dt")) << text;
  EXPECT_TRUE(says(message_of([] { parse_time("5 hours", "--time"); }), "unknown unit 'hours'"));
  EXPECT_TRUE(says(message_of([] { parse_temperature("20C", "--nvt"); }), "use one of K"));
  EXPECT_TRUE(says(message_of([] { parse_count("1.5", "--steps"); }), "whole number"));
  EXPECT_TRUE(says(message_of([] { parse_count("-1", "--steps"); }), "out of range"));
  EXPECT_TRUE(says(message_of([] { parse_count("99999999999999999999", "--seed"); }), "--seed"));
}

TEST(NearestName, is_the_one_with_fewest_edits) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(nearest_name("thermostatt", {"temperature", "thermostat", "time"}), "thermostat");
  EXPECT_EQ(nearest_name("x", {}), "");
}

TEST(RunFile, gives_the_same_config_as_the_options) {
  const RunConfig a = from_toml(
      "model = 'm.pb'\nstructure = 's.data'\nnvt = '330K'\nthermostat = 'csvr'\ndt = '0.5fs'\n"
      "time = '10ps'\nreplicate = [2, 1, 3]\ntypes = ['O', 'H']\nreproducible = true\nseed = 7\n");
  const RunConfig b =
      from_options({"m.pb", "s.data", "--nvt", "330", "--thermostat", "csvr", "--dt", "0.5fs", "--time",
                    "10ps", "--replicate", "2", "1", "3", "--types", "O,H", "--reproducible", "--seed", "7"});
  EXPECT_EQ(resolved_toml(a), resolved_toml(b));
  EXPECT_EQ(b.total_steps(), 20000);
  EXPECT_EQ(b.thermostat, ThermostatKind::rescaling);
  EXPECT_EQ(b.trajectory_stride(), 200);
  EXPECT_EQ(b.analysis_stride(), 40);
  EXPECT_EQ(b.folder(), "s.run");
  EXPECT_EQ(b.replicate, (std::array<int, 3>{2, 1, 3}));
}

TEST(RunFile, resolved_settings_read_back_equal) {
  RunConfig config = from_options({"m\"odd\\.pb",
                                   "s.data",
                                   "--nve",
                                   "--temperature",
                                   "0.1",
                                   "--dt",
                                   "0.3fs",
                                   "--steps",
                                   "7",
                                   "--every",
                                   "0",
                                   "--traj",
                                   "dump",
                                   "--precision",
                                   "mixed",
                                   "--table",
                                   "quintic",
                                   "--skin",
                                   "1.7",
                                   "--force-error",
                                   "3e-7",
                                   "--rebuild-every",
                                   "50",
                                   "--out",
                                   "o"});
  EXPECT_EQ(config.ensemble, Ensemble::nve);
  const std::string text = resolved_toml(config);
  const RunConfig again = from_toml(text);
  EXPECT_EQ(resolved_toml(again), text);
  EXPECT_EQ(again.dt, config.dt);
  EXPECT_EQ(again.force_error, 3e-7);
  EXPECT_EQ(again.steps, 7);
  EXPECT_EQ(again.trajectory, TrajectoryFormat::dump);
}

TEST(RunFile, settings_of_the_long_range_part_read_back_equal) {
  const std::string given =
      "m.pb s.data --nve --steps 1 --solver pppm --mesh 20 24 30 --order 7 --diff ad --mesh-error 3e-6 "
      "--pppm-threads off --fft pencil --lammps-constants --efield 0 -0.1 0.2 --efield-period 20fs --wannier "
      "w.pb "
      "--ion-charges O=6,H=1 --wannier-charges O=-8 --beta 0.35";
  std::istringstream words(given);
  const RunConfig config =
      from_options({std::istream_iterator<std::string>(words), std::istream_iterator<std::string>()});
  const std::string text = resolved_toml(config);
  const RunConfig again = from_toml(text);
  EXPECT_EQ(resolved_toml(again), text);
  EXPECT_EQ(again.long_range.method, LongRangeMethod::pppm);
  EXPECT_EQ(again.long_range.mesh, (std::array<int, 3>{20, 24, 30}));
  EXPECT_EQ(again.long_range.order, 7);
  EXPECT_EQ(again.long_range.differentiation, Differentiation::ad);
  EXPECT_EQ(again.long_range.mesh_error, 3e-6);
  EXPECT_EQ(again.long_range.threads, 0);
  EXPECT_EQ(again.long_range.fft, FftMethod::pencil);
  EXPECT_TRUE(again.long_range.lammps_constants);
  EXPECT_EQ(again.long_range.field.amplitude.y, -0.1);
  EXPECT_EQ(again.long_range.field.period, 0.02);
  EXPECT_TRUE(again.wannier.ends_with("/w.pb")) << again.wannier;
  EXPECT_EQ(again.charges.ion_charge, (std::map<std::string, double>{{"O", 6}, {"H", 1}}));
  EXPECT_EQ(again.charges.wannier_charge, (std::map<std::string, double>{{"O", -8}}));
  EXPECT_EQ(again.charges.beta, 0.35);
  EXPECT_FALSE(again.long_range_given.empty());
}

TEST(RunFile, cores_of_the_solver_read_back_equal_and_auto_leaves_the_mesh_to_the_program) {
  const RunConfig config =
      from_options({"m.pb", "s.data", "--nve", "--steps", "1", "--pppm-cores", "3", "--fft", "auto"});
  const RunConfig again = from_toml(resolved_toml(config));
  EXPECT_EQ(again.long_range.cores, 3);
  EXPECT_FALSE(again.long_range.fft);
}

TEST(RunFile, settings_of_the_long_range_part_are_left_out_where_the_model_decides) {
  const std::string text = resolved_toml(from_options({"m.pb", "s.data", "--nve", "--steps", "1"}));
  for (const char* name : {"solver", "mesh", "diff", "efield", "wannier", "charges", "beta", "pppm", "fft"})
    EXPECT_FALSE(says(text, name)) << name << '\n' << text;
  EXPECT_TRUE(from_toml(text).long_range_given.empty());
}

TEST(RunOptions, settings_of_the_long_range_part_are_checked) {
  const auto refused = [](std::vector<std::string> more) {
    std::vector<std::string> words{"m.pb", "s.data", "--nve", "--steps", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return message_of([&] { from_options(words); });
  };
  EXPECT_TRUE(says(refused({"--solver", "ewald"}), "use auto, pppm or direct"));
  EXPECT_TRUE(says(refused({"--diff", "fd"}), "use ik or ad"));
  EXPECT_TRUE(says(refused({"--order", "2"}), "from 3 to 7"));
  EXPECT_TRUE(says(refused({"--mesh", "0", "8", "8"}), "--mesh"));
  EXPECT_TRUE(says(refused({"--pppm-threads", "some"}), "--pppm-threads"));
  EXPECT_TRUE(says(refused({"--pppm-cores", "0"}), "--pppm-cores"));
  EXPECT_TRUE(says(refused({"--pppm-cores", "1", "--pppm-threads", "1"}), "give one"));
  EXPECT_TRUE(says(refused({"--fft", "fast"}), "use auto, local, replicated, reduction or pencil"));
  EXPECT_TRUE(says(refused({"--fft", "pencil", "--solver", "direct"}), "or --fft (it has no mesh)"));
  EXPECT_TRUE(says(refused({"--efield", "0", "0", "nan"}), "--efield"));
  EXPECT_TRUE(says(refused({"--efield", "0", "0", "1", "--efield-period", "0"}), "a period is positive"));
  EXPECT_TRUE(says(refused({"--ion-charges", "6"}), "names no element"));
  EXPECT_TRUE(says(refused({"--beta", "wide"}), "--beta"));
}

TEST(RunFile, an_unknown_key_comes_with_line_and_nearest_name) {
  const std::string text = message_of([] { from_toml("model = 'a'\n\ntermostat = 'nhc'\n"); });
  EXPECT_TRUE(says(text, "run.toml:3: unknown key 'termostat'")) << text;
  EXPECT_TRUE(says(text, "'thermostat'")) << text;
}

TEST(RunFile, errors_name_the_line) {
  EXPECT_TRUE(says(message_of([] { from_toml("dt = 1\ndt = "); }), "run.toml:2"));
  EXPECT_TRUE(says(message_of([] { from_toml("\ndt = '1 hour'"); }), "run.toml:2: dt has an unknown unit"));
  EXPECT_TRUE(
      says(message_of([] { from_toml("replicate = [1, 2]"); }), "run.toml:1: replicate has 2 values"));
  EXPECT_TRUE(says(message_of([] { from_toml("[nvt]\nx = 1"); }), "run.toml:1: nvt"));
  EXPECT_TRUE(says(message_of([] { from_toml("reproducible = 3"); }), "a switch is true or false"));
  EXPECT_TRUE(says(message_of([] { from_toml("nve = true\nnvt = 300"); }), "both nve and nvt"));
}

TEST(RunOptions, what_contradicts_or_is_missing_is_refused) {
  const auto refused = [](std::vector<std::string> more) {
    std::vector<std::string> words{"m.pb", "s.data"};
    words.insert(words.end(), more.begin(), more.end());
    return message_of([&] { from_options(words); });
  };
  EXPECT_TRUE(says(refused({"--nve", "--nvt", "300", "--steps", "1"}), "both --nve and --nvt"));
  EXPECT_TRUE(
      says(refused({"--thermostat", "nhc", "--nve", "--steps", "1"}), "--thermostat is given with --nve"));
  EXPECT_TRUE(says(refused({"--steps", "1"}), "no ensemble"));
  EXPECT_TRUE(says(refused({"--nve"}), "length of the run"));
  EXPECT_TRUE(says(refused({"--nve", "--steps", "1", "--time", "1ps"}), "both --steps and --time"));
  EXPECT_TRUE(says(refused({"--nve", "--steps", "1", "--dt", "0.5"}), "bare number is in ps"));
  EXPECT_TRUE(says(refused({"--nve", "--steps", "1", "--dt", "0"}), "--dt"));
  EXPECT_TRUE(says(refused({"--nvt", "0", "--steps", "1"}), "positive temperature"));
  EXPECT_TRUE(says(refused({"--nvt", "300", "--steps", "1", "--precision", "quick"}), "mixed or fast"));
  EXPECT_TRUE(says(refused({"--nvt", "300", "--steps", "1", "--table", "cubic"}), "lowrank, quintic or net"));
  EXPECT_TRUE(says(message_of([] { from_options({"m.pb", "--nve", "--steps", "1"}); }), "1 inputs"));
}

TEST(RunOptions, options_of_later_versions_are_unknown) {
  EXPECT_THROW(from_options({"m.pb", "s.data", "--nve", "--steps", "1", "--balance"}), CLI::ParseError);
  EXPECT_THROW(from_options({"m.pb", "s.data", "--npt", "300", "1"}), CLI::ParseError);
}

}  // namespace
}  // namespace nanoday
