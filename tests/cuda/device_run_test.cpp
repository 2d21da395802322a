// Whole runs on the device: files written while it steps on, continuations and replicas that leave the same
// bytes. SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cuda/machine.hpp"
#include "io/text.hpp"
#include "md/gas_run.hpp"
#include "md/run.hpp"
#include "reference/dplr.hpp"
#include "reference/model_variants.hpp"
#include "reference/structure_text.hpp"

#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace nanoday {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t k_steps = 24, k_half = 12;
const MakeBackend k_device = [](const RunConfig&) { return device_machine(); };

class DeviceRun : public testing::Test {
 protected:
  void SetUp() override {
    NANODAY_NEEDS_DEVICE();
    folder_ = fs::temp_directory_path() / fmt::format("nanoday-device-run-{}", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::ofstream(folder_ / "water.xyz") << reference::extxyz_text(reference::small_water(), {"O", "H"});
  }
  void TearDown() override { fs::remove_all(folder_); }

  RunConfig config(const std::string& out, const char* model = "water_sea.pb") const {
    RunConfig c;
    c.model = reference::data_path(model);
    c.structure = (folder_ / "water.xyz").string();
    c.out = (folder_ / out).string();
    c.ensemble = Ensemble::nvt;
    c.thermostat = ThermostatKind::langevin;
    c.target = 330;
    c.temperature = 330;
    c.tau = 0.02;
    c.dt = 0.0005;
    c.steps = k_steps;
    c.every = 0.0015;
    c.thermo_every = 2;
    c.checkpoint_every = k_half;
    c.table = TableKind::quintic;
    c.skin = 0.4;
    c.reproducible = true;
    return c;
  }

  void expect_same_files(const std::string& a, const std::string& b) const {
    for (const char* name : {"thermo.csv", "trajectory.extxyz", "msd.csv", "rdf.csv", "checkpoint.bin"})
      EXPECT_EQ(read_bytes((folder_ / a / name).string()), read_bytes((folder_ / b / name).string())) << name;
  }
  void expect_continuation(RunConfig whole, RunConfig part) const {
    ASSERT_EQ(run(whole, k_device), 0);
    part.steps = k_half;
    ASSERT_EQ(run(part, k_device), 0);
    ResumeConfig on;
    on.folder = part.out;
    on.steps = k_steps;
    ASSERT_EQ(resume(on, k_device), 0);
  }

  fs::path folder_;
};

TEST_F(DeviceRun, a_continuation_leaves_the_same_bytes) {
  expect_continuation(config("whole"), config("part"));
  expect_same_files("whole", "part");
}

TEST_F(DeviceRun, a_continuation_of_a_long_range_run_leaves_the_same_bytes) {
  expect_continuation(config("whole", "water_dplr.pb"), config("part", "water_dplr.pb"));
  expect_same_files("whole", "part");
  for (const char* name : {"dipole.csv", "wannier.csv"})
    EXPECT_EQ(read_bytes((folder_ / "whole" / name).string()),
              read_bytes((folder_ / "part" / name).string()));
}

TEST_F(DeviceRun, replicas_continue_to_the_same_bytes) {
  RunConfig whole = config("whole"), part = config("part");
  whole.replicas = part.replicas = 2;
  expect_continuation(whole, part);
  expect_same_files("whole/replica-001", "part/replica-001");
  expect_same_files("whole/replica-002", "part/replica-002");
  EXPECT_NE(read_bytes((folder_ / "whole/replica-001/thermo.csv").string()),
            read_bytes((folder_ / "whole/replica-002/thermo.csv").string()));
}

TEST_F(DeviceRun, goes_on_with_tables_chosen_again) {
  const std::string gas = (folder_ / "gas.xyz").string();
  std::ofstream(gas) << test::thin_gas();
  const auto of = [&](const char* out, std::int64_t steps) {
    RunConfig c = test::gas_run(gas, (folder_ / out).string());
    c.replicas = 2;
    c.steps = steps;
    return c;
  };
  ASSERT_EQ(run(of("whole", 60), k_device), 0);
  const std::string log = read_bytes((folder_ / "whole/replica-001/log.txt").string());
  EXPECT_NE(log.find("chosen again where the atoms are now"), std::string::npos) << log;
  EXPECT_NE(log.find("continued at step 50"), std::string::npos) << log;
  ASSERT_EQ(run(of("part", 50), k_device), 0);
  ResumeConfig on;
  on.folder = (folder_ / "part").string();
  on.steps = 60;
  ASSERT_EQ(resume(on, k_device), 0);
  expect_same_files("whole/replica-001", "part/replica-001");
  expect_same_files("whole/replica-002", "part/replica-002");
}

TEST_F(DeviceRun, long_range_replicas_of_two_models_continue_to_the_same_bytes) {
  const std::string other = (folder_ / "other.pb").string();
  reference::write_with_weights_times("water_dplr.pb", 1.01, other);
  RunConfig whole = config("whole", "water_dplr.pb"), part = config("part", "water_dplr.pb");
  for (RunConfig* c : {&whole, &part}) {
    c->replicas = 2;
    c->models = {c->model, other};
  }
  expect_continuation(whole, part);
  for (const char* replica : {"replica-001", "replica-002"}) {
    const std::string name = replica;
    expect_same_files("whole/" + name, "part/" + name);
    for (const char* file : {"dipole.csv", "wannier.csv"})
      EXPECT_EQ(read_bytes((folder_ / "whole" / name / file).string()),
                read_bytes((folder_ / "part" / name / file).string()));
  }
}

}  // namespace
}  // namespace nanoday
