// Launchers are known by their environment, and copies that do not know of each other are refused.
// SPDX-License-Identifier: Apache-2.0
#include "launcher.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace nanoday {
namespace {

Launch launch_in(const std::map<std::string, std::string>& environment) {
  return find_launcher([&](const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? nullptr : found->second.c_str();
  });
}

TEST(Launcher, is_known_by_the_number_of_processes_that_it_started) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "PMI_SIZE", "JSM_NAMESPACE_SIZE",
                           "SLURM_STEP_NUM_TASKS"}) {
    const Launch launch = launch_in({{name, "12"}});
    EXPECT_TRUE(launch.launched) << name;
    EXPECT_EQ(launch.size, 12) << name;
  }
}

TEST(Launcher, is_known_by_other_signs_when_it_does_not_say_how_many) {
  for (const char* name : {"PMIX_RANK", "PMI_RANK", "PALS_RANKID"}) {
    const Launch launch = launch_in({{name, "0"}});
    EXPECT_TRUE(launch.launched) << name;
    EXPECT_EQ(launch.size, 0) << name;
  }
  EXPECT_TRUE(launch_in({{"PMI_SIZE", "many"}, {"PMI_RANK", "0"}}).launched);
}

TEST(Launcher, nearest_to_the_process_is_believed) {
  EXPECT_EQ(launch_in({{"SLURM_STEP_NUM_TASKS", "3"}, {"OMPI_COMM_WORLD_SIZE", "1"}}).size, 1);
}

TEST(Launcher, is_none_in_a_plain_shell_and_in_a_batch_script) {
  EXPECT_FALSE(launch_in({}).launched);
  EXPECT_FALSE(launch_in({{"SLURM_NTASKS", "8"}, {"SLURM_PROCID", "0"}}).launched);
}

TEST(Launcher, of_another_mpi_is_refused) {
  EXPECT_THROW(check_launch({true, 4}, 1, true), InputError);
  EXPECT_NO_THROW(check_launch({true, 4}, 4, true));
  EXPECT_NO_THROW(check_launch({true, 1}, 1, true));
  EXPECT_NO_THROW(check_launch({true, 0}, 1, true));
  EXPECT_NO_THROW(check_launch({}, 1, true));
}

TEST(Launcher, of_several_processes_is_refused_by_a_build_without_mpi) {
  EXPECT_THROW(check_launch({true, 4}, 1, false), InputError);
  EXPECT_NO_THROW(check_launch({true, 1}, 1, false));
}

}  // namespace
}  // namespace nanoday
