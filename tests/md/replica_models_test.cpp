// Replicas with models of their own: each is the run of its model, and continues as such.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "io/text.hpp"
#include "machines.hpp"
#include "md/run_options.hpp"
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

constexpr std::int64_t k_steps = 12;
const MakeBackend k_cpu = [](const RunConfig&) { return make_backend({.device = "cpu", .threads = 1}); };

class ReplicaModels : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / fmt::format("nanoday-replica-models-{}", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    std::ofstream(folder_ / "water.xyz") << reference::extxyz_text(reference::small_water(), {"O", "H"});
    reference::write_with_weights_times("water_sea.pb", 0.98, other_.string());
  }
  void TearDown() override { fs::remove_all(folder_); }

  RunConfig config(const std::string& out) const {
    RunConfig c;
    c.model = first_;
    c.structure = (folder_ / "water.xyz").string();
    c.out = (folder_ / out).string();
    c.ensemble = Ensemble::nvt;
    c.thermostat = ThermostatKind::langevin;
    c.target = c.temperature.emplace(330);
    c.dt = 0.0002;
    c.steps = k_steps;
    c.every = 0.0004;
    c.thermo_every = 3;
    c.checkpoint_every = 5;
    c.skin = 0.2;
    return c;
  }
  /// Three replicas of two models, dealt in turn.
  RunConfig three(const std::string& out) const {
    RunConfig c = config(out);
    c.replicas = 3;
    c.models = {first_, other_.string()};
    return c;
  }
  std::string refusal_of(const RunConfig& c) const {
    try {
      run(c, k_cpu);
    } catch (const InputError& error) {
      EXPECT_FALSE(fs::exists(c.out)) << "something was written before the refusal";
      return error.what();
    }
    return "";
  }
  void expect_same_files(const std::string& a, const std::string& b) const {
    for (const char* name : {"thermo.csv", "trajectory.extxyz", "checkpoint.bin"})
      EXPECT_EQ(read_bytes((folder_ / a / name).string()), read_bytes((folder_ / b / name).string())) << name;
  }

  const std::string first_ = reference::data_path("water_sea.pb");
  fs::path folder_ = fs::temp_directory_path() / fmt::format("nanoday-replica-models-{}", getpid());
  fs::path other_ = folder_ / "other.pb";
};

testing::AssertionResult says(const std::string& message, const std::string& words) {
  if (message.find(words) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << words << "' is not in: " << message;
}

TEST_F(ReplicaModels, are_dealt_in_turn_and_give_the_runs_of_each_model) {
  ASSERT_EQ(run(three("all"), k_cpu), 0);
  for (int r = 0; r < 3; ++r) {
    RunConfig one = config(fmt::format("alone-{}", r + 1));
    one.model = r == 1 ? other_.string() : first_;
    one.seed += static_cast<std::uint64_t>(r);
    ASSERT_EQ(run(one, k_cpu), 0);
    expect_same_files(fmt::format("all/replica-{:03}", r + 1), fmt::format("alone-{}", r + 1));
  }
}

TEST_F(ReplicaModels, are_continued_each_with_its_own_and_with_no_other) {
  ASSERT_EQ(run(three("whole"), k_cpu), 0);
  RunConfig part = three("part");
  part.steps = k_steps / 2;
  ASSERT_EQ(run(part, k_cpu), 0);
  ResumeConfig on;
  on.folder = part.out;
  on.steps = k_steps;
  const fs::path kept = folder_ / "kept.pb";
  fs::rename(other_, kept);
  reference::write_with_weights_times("water_sea.pb", 1.01, other_.string());
  try {
    resume(on, k_cpu);
    FAIL() << "went on with another model";
  } catch (const InputError& error) {
    EXPECT_TRUE(says(error.what(), "other.pb has the hash"));
  }
  fs::rename(kept, other_);
  ASSERT_EQ(resume(on, k_cpu), 0);
  for (const char* replica : {"replica-001", "replica-002", "replica-003"})
    expect_same_files(std::string("part/") + replica, std::string("whole/") + replica);
}

TEST_F(ReplicaModels, of_another_architecture_are_refused_before_anything_is_written) {
  RunConfig c = three("a");
  c.models[1] = reference::data_path("water_sea_two.pb");
  EXPECT_TRUE(says(refusal_of(c), "differ in start of the switch"));
}

TEST_F(ReplicaModels, begin_with_the_model_of_the_run_and_have_a_replica_each) {
  RunConfig c = three("a");
  c.models = {other_.string(), first_};
  EXPECT_TRUE(says(refusal_of(c), "--replica-models begins with"));
  c.models = {first_, other_.string(), other_.string(), first_};
  EXPECT_TRUE(says(refusal_of(c), "lists 4 models for 3 replicas"));
}

TEST_F(ReplicaModels, are_listed_on_the_command_line_and_in_files) {
  RunArguments typed;
  typed.inputs = {first_, (folder_ / "water.xyz").string()};
  typed.settings = {{"nvt", {"330"}},
                    {"steps", {"5"}},
                    {"replicas", {"2"}},
                    {"replica-models", {first_ + "," + other_.string()}}};
  const RunConfig from_command = make_run_config(typed);
  EXPECT_EQ(from_command.models, (std::vector<std::string>{first_, other_.string()}));
  const fs::path file = folder_ / "run.toml";
  std::ofstream(file) << fmt::format(
      "model = '{}'\nstructure = 'water.xyz'\nnvt = 330\nsteps = 5\nreplicas = 2\n"
      "replica-models = ['{}', 'other.pb']\n",
      first_, first_);
  RunArguments in_file;
  in_file.inputs = {file.string()};
  EXPECT_EQ(make_run_config(in_file).models, from_command.models) << "paths count from the file's folder";
}

}  // namespace
}  // namespace nanoday
