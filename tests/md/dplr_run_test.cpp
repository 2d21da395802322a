// Runs of DPLR models: their files, continuations that leave the same bytes, and any number of threads.
// SPDX-License-Identifier: Apache-2.0
#include "md/run.hpp"

#include "core/error.hpp"
#include "io/text.hpp"
#include "machines.hpp"
#include "md/checkpoint.hpp"
#include "md/simulation.hpp"
#include "reference/dplr.hpp"
#include "reference/structure_text.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>

namespace nanoday {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t k_steps = 60, k_half = 30;
const MakeBackend k_cpu = [](const RunConfig& c) {
  return make_backend({.device = "cpu", .threads = c.threads, .reproducible = c.reproducible});
};

class DplrRun : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("nanoday-dplr-run-{}", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::ofstream(folder_ / "water.xyz") << reference::extxyz_text(reference::small_water(), {"O", "H"});
  }
  void TearDown() override { fs::remove_all(folder_); }

  /// Two threads, one of them with the mesh beside the nets, a thermostat and a field that swings.
  RunConfig config(const std::string& out) const {
    RunConfig c;
    c.model = reference::data_path("water_dplr.pb");
    c.structure = (folder_ / "water.xyz").string();
    c.out = (folder_ / out).string();
    c.ensemble = Ensemble::nvt;
    c.thermostat = ThermostatKind::langevin;
    c.target = 330;
    c.temperature = 330;
    c.tau = 0.01;
    c.dt = 0.0005;
    c.steps = k_steps;
    c.every = 0.005;
    c.thermo_every = 5;
    c.checkpoint_every = k_half;
    c.table = TableKind::quintic;
    c.device = "cpu";
    c.threads = 2;
    c.skin = 0.3;
    c.long_range.method = LongRangeMethod::pppm;
    c.long_range.threads = 1;
    c.long_range.field = {{0, 0, 0.05}, 0.04};
    return c;
  }

  std::string bytes(const std::string& run, const std::string& name) const {
    return read_bytes((folder_ / run / name).string());
  }

  static std::vector<std::string> results() {
    return {"thermo.csv",  "trajectory.extxyz", "msd.csv",     "rdf.csv",
            "wannier.csv", "dipole.csv",        "infrared.csv"};
  }
  void expect_same_results(const std::string& a, const std::string& b) const {
    for (const std::string& name : results()) EXPECT_EQ(bytes(a, name), bytes(b, name)) << name;
  }

  /// The run as it was when its checkpoint before the last was taken.
  void copy_as_of_half(const std::string& run, const std::string& copy) const {
    fs::copy(folder_ / run, folder_ / copy, fs::copy_options::recursive);
    fs::rename(folder_ / copy / k_previous_checkpoint_file, folder_ / copy / k_checkpoint_file);
  }

  int resumed(const std::string& run, std::optional<int> threads = {}) const {
    ResumeConfig c;
    c.folder = (folder_ / run).string();
    c.threads = threads;
    return resume(c, k_cpu);
  }

  fs::path folder_;
};

TEST_F(DplrRun, leaves_the_files_of_wannier_centroids) {
  ASSERT_EQ(run(config("a"), k_cpu), 0);
  for (const std::string& name : results()) EXPECT_FALSE(bytes("a", name).empty()) << name;
  const std::string wannier = bytes("a", "wannier.csv"), dipole = bytes("a", "dipole.csv");
  EXPECT_GT(std::count(wannier.begin(), wannier.end(), '\n'), 1);
  EXPECT_GT(std::count(dipole.begin(), dipole.end(), '\n'), 1);
  const std::string resolved = bytes("a", "run.resolved.toml");
  for (const char* line : {"solver = \"pppm\"", "pppm-threads = 1", "efield = [", "efield-period = 0.04"})
    EXPECT_NE(resolved.find(line), std::string::npos) << line << '\n' << resolved;
}

TEST_F(DplrRun, plain_models_leave_none_of_them) {
  RunConfig c = config("a");
  c.model = reference::data_path("water_sea.pb");
  c.steps = 2;
  ASSERT_EQ(run(c, k_cpu), 0);
  for (const char* name : {"wannier.csv", "dipole.csv", "infrared.csv"})
    EXPECT_FALSE(fs::exists(folder_ / "a" / name)) << name;
}

/// Ways to evaluate and to couple to a bath.
struct Mode {
  const char* name;
  ThermostatKind bath;
  TableKind table;
  Precision precision;
  bool reproducible;
};

class DplrContinuation : public DplrRun, public testing::WithParamInterface<Mode> {
 protected:
  RunConfig moded(const std::string& out) const {
    RunConfig c = config(out);
    c.thermostat = GetParam().bath;
    c.table = GetParam().table;
    c.precision = GetParam().precision;
    c.reproducible = GetParam().reproducible;
    return c;
  }
};

INSTANTIATE_TEST_SUITE_P(
    modes, DplrContinuation,
    testing::Values(
        Mode{"net_double", ThermostatKind::langevin, TableKind::net, Precision::fp64, false},
        Mode{"quintic_mixed", ThermostatKind::langevin, TableKind::quintic, Precision::mixed, false},
        Mode{"lowrank_double", ThermostatKind::nose_hoover, TableKind::lowrank, Precision::fp64, false},
        Mode{"lowrank_mixed", ThermostatKind::rescaling, TableKind::lowrank, Precision::mixed, false},
        Mode{"lowrank_double_reproducible", ThermostatKind::nose_hoover, TableKind::lowrank, Precision::fp64,
             true}),
    [](const auto& info) { return info.param.name; });

// Whole and part share the first half: how threads are divided is measured when a run starts.
TEST_P(DplrContinuation, leaves_the_same_bytes_as_the_run_that_never_stopped) {
  ASSERT_EQ(run(moded("whole"), k_cpu), 0);
  copy_as_of_half("whole", "part");
  ASSERT_EQ(find_checkpoint((folder_ / "part").string(), *make_self_transport()).checkpoint.step, k_half);
  EXPECT_EQ(resumed("part"), 0);
  expect_same_results("whole", "part");
  EXPECT_EQ(bytes("whole", k_checkpoint_file), bytes("part", k_checkpoint_file));
}

TEST_P(DplrContinuation, of_a_continuation_too) {
  RunConfig c = moded("whole");
  c.long_range.method = LongRangeMethod::direct;
  c.checkpoint_every = 20;
  ASSERT_EQ(run(c, k_cpu), 0);
  copy_as_of_half("whole", "part");
  ResumeConfig further;
  further.folder = (folder_ / "part").string();
  further.steps = 47;
  EXPECT_EQ(resume(further, k_cpu), 0);
  further.steps = k_steps;
  EXPECT_EQ(resume(further, k_cpu), 0);
  expect_same_results("whole", "part");
}

TEST_F(DplrRun, reproducible_runs_do_not_depend_on_threads) {
  for (const LongRangeMethod method : {LongRangeMethod::pppm, LongRangeMethod::direct}) {
    RunConfig c = config("one");
    c.reproducible = true;
    c.overwrite = true;
    c.long_range.method = method;
    c.long_range.threads.reset();
    c.threads = 1;
    ASSERT_EQ(run(c, k_cpu), 0);
    c.out = config("other").out;
    for (const int threads : {2, 5}) {
      SCOPED_TRACE(threads);
      c.threads = threads;
      ASSERT_EQ(run(c, k_cpu), 0);
      expect_same_results("one", "other");
    }
  }
}

TEST_F(DplrRun, a_reproducible_run_continues_on_other_threads) {
  RunConfig c = config("whole");
  c.reproducible = true;
  c.threads = 4;
  c.long_range.threads = 3;
  ASSERT_EQ(run(c, k_cpu), 0);
  for (const int threads : {1, 2, 7}) {
    SCOPED_TRACE(threads);
    const std::string part = fmt::format("part{}", threads);
    copy_as_of_half("whole", part);
    EXPECT_EQ(resumed(part, threads), 0);
    expect_same_results("whole", part);
  }
}

TEST_F(DplrRun, a_run_with_another_wannier_net_keeps_it_and_notices_a_change) {
  RunConfig c = config("a");
  c.wannier = (folder_ / "net.pb").string();
  c.charges.beta = 0.5;
  c.steps = 4;
  c.checkpoint_every = 2;
  fs::copy_file(reference::data_path("water_dw.pb"), c.wannier);
  ASSERT_EQ(run(c, k_cpu), 0);
  copy_as_of_half("a", "part");
  EXPECT_EQ(resumed("part"), 0);
  EXPECT_EQ(bytes("a", "trajectory.extxyz"), bytes("part", "trajectory.extxyz"));
  fs::rename(folder_ / "a" / k_previous_checkpoint_file, folder_ / "a" / k_checkpoint_file);
  fs::copy_file(std::string(NANODAY_SOURCE_DIR) + "/examples/models/water-dw.pb", c.wannier,
                fs::copy_options::overwrite_existing);
  try {
    resumed("a");
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("it is another model"), std::string::npos) << error.what();
  }
}

TEST_F(DplrRun, the_field_swings_with_the_time_of_the_simulation) {
  constexpr double k_dt = 0.0005, k_period = 0.013;
  const auto backend = k_cpu(config("a"));
  const auto model = reference::model_named("water_dplr.pb");
  const auto solver = reference::fine_direct(*model);
  const Vec3 amplitude{0, 0.02, 0.05};
  const reference::System water = reference::small_water();
  Evaluator swinging(*backend, reference::dplr_plan(model, solver, {amplitude, k_period}), water.box,
                     reference::atoms_of(water), {1.0, 0});
  Evaluator constant(*backend, reference::dplr_plan(model, solver, {amplitude, 0}), water.box,
                     reference::atoms_of(water), {1.0, 0});
  Simulation simulation(swinging, make_no_thermostat(), k_dt, 1);
  simulation.start(reference::k_everything);
  EXPECT_EQ(swinging.long_range()->field_energy(), 0);
  for (int step = 1; step <= 20; ++step) {
    simulation.step(reference::k_everything);
    constant.atoms() = swinging.atoms();
    constant.invalidate();
    constant.compute(reference::k_everything);
    const double expected =
        std::sin(2 * std::numbers::pi * step * k_dt / k_period) * constant.long_range()->field_energy();
    EXPECT_NEAR(swinging.long_range()->field_energy(), expected, 1e-12 + 1e-10 * std::fabs(expected)) << step;
  }
}

TEST_F(DplrRun, what_does_not_fit_is_refused_before_anything_is_written) {
  const auto refused = [&](auto change) {
    RunConfig c = config("a");
    change(c);
    EXPECT_THROW(run(c, k_cpu), InputError);
    EXPECT_FALSE(fs::exists(folder_ / "a"));
  };
  refused([](RunConfig& c) { c.long_range.mesh = {2, 2, 2}; });
  refused([](RunConfig& c) { c.long_range.threads = 2; });
  refused([](RunConfig& c) { c.charges.ion_charge = {{"O", 5}}; });
  refused([](RunConfig& c) { c.wannier = "absent.pb"; });
}

}  // namespace
}  // namespace nanoday
