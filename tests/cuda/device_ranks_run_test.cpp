// Whole runs of several ranks with a device each: the files of one rank, continued on any number of ranks.
// SPDX-License-Identifier: Apache-2.0
#include "in_process.hpp"
#include "io/temporary_folder.hpp"
#include "machine.hpp"
#include "md/run.hpp"
#include "md/water_run.hpp"
#include "reference/dplr.hpp"
#include "reference/structure_text.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

constexpr std::int64_t k_steps = 24, k_part = 13;
const MakeBackend k_device = [](const RunConfig& c) { return device_machine(c.reproducible); };

class DeviceRankRun : public testing::Test {
 protected:
  DeviceRankRun() {
    folder_.write("water.xyz", reference::extxyz_text(reference::small_water(), {"O", "H"}));
  }
  void SetUp() override { NANODAY_NEEDS_DEVICE(); }

  RunConfig config(const std::string& out, bool dplr, std::int64_t steps = k_steps) const {
    RunConfig c = test::water_run(folder_.file("water.xyz"), folder_.file(out), dplr);
    c.thermostat = ThermostatKind::nose_hoover;
    c.steps = steps;
    return c;
  }
  static void run_on(int n, const RunConfig& config) {
    run_ranks(n, [&](Transport& transport) { EXPECT_EQ(run(config, k_device, transport.split(0)), 0); });
  }
  void resume_on(int n, const std::string& out) const {
    ResumeConfig c;
    c.folder = folder_.file(out);
    c.steps = k_steps;
    run_ranks(n, [&](Transport& transport) { EXPECT_EQ(resume(c, k_device, transport.split(0)), 0); });
  }
  void expect_same(const std::string& a, const std::string& b, bool dplr) const {
    std::vector<std::string> names{"thermo.csv", "trajectory.extxyz", "msd.csv", "rdf.csv"};
    if (dplr) names.insert(names.end(), {"wannier.csv", "dipole.csv"});
    for (const std::string& name : names) {
      const std::string expected = folder_.read(a + "/" + name);
      EXPECT_GT(expected.size(), 30u) << name;
      EXPECT_EQ(expected, folder_.read(b + "/" + name)) << name;
    }
  }

  test::TemporaryFolder folder_;
};

TEST_F(DeviceRankRun, leaves_the_files_of_one_rank_and_says_how_ghosts_travel) {
  for (const bool dplr : {false, true}) {
    const std::string one = dplr ? "one-dplr" : "one", many = dplr ? "many-dplr" : "many";
    run_on(1, config(one, dplr));
    run_on(3, config(many, dplr));
    expect_same(one, many, dplr);
    EXPECT_NE(folder_.read(many + "/log.txt").find("ghosts travel from rank to rank by way of host memory"),
              std::string::npos);
  }
}

TEST_F(DeviceRankRun, continues_on_any_number_of_ranks) {
  for (const bool dplr : {false, true}) {
    const std::string whole = dplr ? "whole-dplr" : "whole";
    run_on(1, config(whole, dplr));
    for (const auto& [from, to] : {std::pair{1, 3}, {3, 1}, {2, 4}, {3, 3}}) {
      SCOPED_TRACE(fmt::format("from {} to {} ranks", from, to));
      const std::string out = fmt::format("part{}-{}-{}", from, to, dplr);
      run_on(from, config(out, dplr, k_part));
      resume_on(to, out);
      expect_same(whole, out, dplr);
    }
  }
}

}  // namespace
}  // namespace nanoday
