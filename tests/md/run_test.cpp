// Whole runs: their files, and continuations that leave the same bytes behind.
// SPDX-License-Identifier: Apache-2.0
#include "md/run.hpp"

#include "core/error.hpp"
#include "io/text.hpp"
#include "md/run_folder.hpp"
#include "oracle/oracle_backend.hpp"
#include "reference/paths.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

namespace nanoday {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t k_steps = 24;
const MakeBackend k_oracle = [](const RunConfig&) { return make_oracle_backend(); };

class RunTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("nanoday-run-{}", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    write_water();
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// Eight water molecules on a lattice: a box smaller than the cutoff.
  void write_water() {
    std::ofstream file(folder_ / "water.xyz");
    file << "24\nLattice=\"6.22 0 0 0 6.22 0 0 0 6.22\" Properties=species:S:1:pos:R:3 pbc=\"T T T\"\n";
    for (int k = 0; k < 8; ++k) {
      const double x = 3.11 * (k & 1) + 0.3, y = 3.11 * (k >> 1 & 1) + 0.5, z = 3.11 * (k >> 2 & 1) + 0.7;
      const double s = k % 2 == 0 ? 1 : -1;
      file << fmt::format("O {} {} {}\nH {} {} {}\nH {} {} {}\n", x, y, z, x + 0.76, y + s * 0.59, z,
                          x - 0.76, y + s * 0.59, z);
    }
  }

  RunConfig config(const std::string& out, ThermostatKind kind = ThermostatKind::none) const {
    RunConfig c;
    c.model = reference::data_path("water_sea.pb");
    c.structure = (folder_ / "water.xyz").string();
    c.out = (folder_ / out).string();
    c.ensemble = kind == ThermostatKind::none ? Ensemble::nve : Ensemble::nvt;
    c.thermostat = kind;
    c.target = kind == ThermostatKind::none ? 0 : 330;
    c.temperature = 330;
    c.dt = 0.0002;
    c.steps = k_steps;
    c.every = 0.0004;
    c.thermo_every = 3;
    c.checkpoint_every = 5;
    c.table = TableKind::net;
    c.device = "oracle";
    c.skin = 0.1;
    return c;
  }

  void expect_same_files(const std::string& a, const std::string& b) const {
    for (const char* name : {"thermo.csv", "trajectory.extxyz", "msd.csv", "rdf.csv", "checkpoint.bin"})
      EXPECT_EQ(read_bytes((folder_ / a / name).string()), read_bytes((folder_ / b / name).string())) << name;
  }

  void append(const std::string& run, const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / run / name, std::ios::app) << text;
  }

  int resume_to(const std::string& run, std::int64_t steps) const {
    ResumeConfig c;
    c.folder = (folder_ / run).string();
    c.steps = steps;
    return resume(c, k_oracle);
  }

  fs::path folder_;
};

long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

TEST_F(RunTest, leaves_the_files_the_interface_names) {
  EXPECT_EQ(run(config("a"), k_oracle), 0);
  const auto text = [&](const char* name) { return read_bytes((folder_ / "a" / name).string()); };
  EXPECT_TRUE(text("thermo.csv")
                  .starts_with("step,time[ps],temperature[K],potential[eV],kinetic[eV],total[eV],conserved["
                               "eV],pressure[bar]"));
  EXPECT_EQ(lines(text("thermo.csv")), 1 + 1 + k_steps / 3);
  EXPECT_EQ(lines(text("trajectory.extxyz")), (1 + k_steps / 2) * 26);
  for (const char* name : {"msd.csv", "rdf.csv", "checkpoint.bin", "checkpoint.prev.bin", "run.resolved.toml",
                           "log.txt", "report.html"})
    EXPECT_GT(fs::file_size(folder_ / "a" / name), 0u) << name;
  EXPECT_EQ(resume({(folder_ / "a").string(), {}, {}, {}, {}}, k_oracle), 0);  // finished: says so
}

TEST_F(RunTest, replicas_are_the_runs_their_seeds_and_temperatures_would_give) {
  RunConfig both = config("both", ThermostatKind::langevin);
  both.replicas = 2;
  both.temperatures = {330, 400};
  ASSERT_EQ(run(both, k_oracle), 0);
  RunConfig second = config("second", ThermostatKind::langevin);
  second.seed = both.seed + 1;
  second.target = 400;
  ASSERT_EQ(run(config("first", ThermostatKind::langevin), k_oracle), 0);
  ASSERT_EQ(run(second, k_oracle), 0);
  expect_same_files("both/replica-001", "first");
  expect_same_files("both/replica-002", "second");
}

TEST_F(RunTest, replicas_continue_together_from_their_latest_common_step) {
  RunConfig whole = config("whole", ThermostatKind::rescaling);
  whole.replicas = 2;
  RunConfig part = whole;
  part.out = (folder_ / "part").string();
  part.steps = 15;
  ASSERT_EQ(run(whole, k_oracle), 0);
  ASSERT_EQ(run(part, k_oracle), 0);
  // As if killed between the two writes of the last checkpoint.
  fs::rename(folder_ / "part/replica-002/checkpoint.prev.bin", folder_ / "part/replica-002/checkpoint.bin");
  ASSERT_EQ(resume_to("part", k_steps), 0);
  for (const char* replica : {"replica-001", "replica-002"})
    expect_same_files(std::string("part/") + replica, std::string("whole/") + replica);
}

TEST_F(RunTest, replicas_need_a_temperature_each) {
  RunConfig c = config("a", ThermostatKind::langevin);
  c.replicas = 3;
  c.temperatures = {300, 310};
  EXPECT_THROW(run(c, k_oracle), InputError);
  EXPECT_FALSE(fs::exists(folder_ / "a"));
}

class RunContinuation : public RunTest, public testing::WithParamInterface<ThermostatKind> {};

TEST_P(RunContinuation, leaves_the_same_bytes_as_the_run_that_never_stopped) {
  ASSERT_EQ(run(config("whole", GetParam()), k_oracle), 0);
  RunConfig part = config("part", GetParam());
  part.steps = 13;
  ASSERT_EQ(run(part, k_oracle), 0);
  append("part", "thermo.csv", "14,rows after the checkpoint");
  append("part", "trajectory.extxyz", "half a frame");
  EXPECT_EQ(resume_to("part", k_steps), 0);
  expect_same_files("whole", "part");
}

INSTANTIATE_TEST_SUITE_P(AllBaths, RunContinuation,
                         testing::Values(ThermostatKind::none, ThermostatKind::nose_hoover,
                                         ThermostatKind::langevin, ThermostatKind::rescaling));

TEST_F(RunTest, goes_on_from_the_previous_checkpoint_when_the_last_is_damaged) {
  ASSERT_EQ(run(config("whole"), k_oracle), 0);
  RunConfig part = config("part");
  part.steps = 13;
  ASSERT_EQ(run(part, k_oracle), 0);
  append("part", "checkpoint.bin", "x");
  EXPECT_EQ(resume_to("part", k_steps), 0);
  expect_same_files("whole", "part");
  EXPECT_NE(read_bytes((folder_ / "part/log.txt").string()).find("warning: "), std::string::npos);
}

TEST_F(RunTest, a_signal_before_step_zero_leaves_a_folder_that_resumes) {
  ASSERT_EQ(run(config("whole"), k_oracle), 0);
  const MakeBackend interrupted = [](const RunConfig&) {
    std::raise(SIGTERM);
    return make_oracle_backend();
  };
  EXPECT_EQ(run(config("part"), interrupted), 1);
  EXPECT_EQ(lines(read_bytes((folder_ / "part/thermo.csv").string())), 2);
  EXPECT_EQ(resume_to("part", k_steps), 0);
  expect_same_files("whole", "part");
}

TEST_F(RunTest, a_full_disk_stops_it_with_the_checkpoint_intact) {
  ASSERT_EQ(run(config("whole"), k_oracle), 0);
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  const auto full = fs::file_size(folder_ / "whole/trajectory.extxyz");
  ASSERT_LT(fs::file_size(folder_ / "whole/checkpoint.bin"), full / 2);
  const rlimit small{full / 2, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(run(config("part"), k_oracle), RunError);
  setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_EQ(resume_to("part", k_steps), 0);
  expect_same_files("whole", "part");
}

TEST_F(RunTest, results_of_another_run_are_not_mixed_with_its_own) {
  RunConfig c = config("a");
  c.steps = 2;
  ASSERT_EQ(run(c, k_oracle), 0);
  EXPECT_THROW(run(c, k_oracle), InputError);
  c.overwrite = true;
  c.every = 0;
  EXPECT_EQ(run(c, k_oracle), 0);
  EXPECT_FALSE(fs::exists(folder_ / "a/trajectory.extxyz"));
}

TEST_F(RunTest, does_not_continue_with_another_model) {
  RunConfig c = config("a");
  c.model = (folder_ / "model.pb").string();
  c.steps = 2;
  fs::copy_file(reference::data_path("water_sea.pb"), c.model);
  ASSERT_EQ(run(c, k_oracle), 0);
  fs::copy_file(reference::data_path("water_sea_two.pb"), c.model, fs::copy_options::overwrite_existing);
  EXPECT_THROW(resume_to("a", 4), InputError);
}

TEST_F(RunTest, a_dipole_model_is_refused) {
  RunConfig c = config("a");
  c.model = reference::data_path("water_dw.pb");
  EXPECT_THROW(run(c, k_oracle), InputError);
  EXPECT_FALSE(fs::exists(folder_ / "a"));
}

}  // namespace
}  // namespace nanoday
