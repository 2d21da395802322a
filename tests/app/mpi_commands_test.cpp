// The program under mpirun: what is said is said once, and commands of one rank refuse several.
// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

namespace nanoday::testing {
namespace {

Outcome run_on_two(const std::string& arguments) { return run_program(arguments, NANODAY_MPIRUN " 2"); }

TEST(MpiCommands, help_and_version_are_printed_once) {
  const Outcome version = run_on_two("--version");
  EXPECT_EQ(version.code, 0) << version.err;
  EXPECT_EQ(version.out, run_program("--version").out);
  EXPECT_EQ(run_on_two("--help").out, run_program("--help").out);
}

TEST(MpiCommands, of_one_rank_refuse_several) {
  for (const std::string command : {"eval a.pb b.data", "check a.pb b.data", "info a.pb"}) {
    const Outcome outcome = run_on_two(command);
    EXPECT_EQ(outcome.code, 2) << command;
    const std::string name = command.substr(0, command.find(' '));
    EXPECT_EQ(times(outcome.err, "nanoday: nanoday " + name +
                                     " runs on one rank (it does not share its work); "
                                     "start it without mpirun\n"),
              1)
        << outcome.err;
  }
}

TEST(MpiCommands, say_once_what_is_wrong_for_all_ranks) {
  const Outcome usage = run_on_two("run a.pb b.data --nve --steps 5 --npt 3");
  EXPECT_EQ(usage.code, 2);
  EXPECT_EQ(times(usage.err, "nanoday: "), 1) << usage.err;
  const Outcome missing = run_on_two("run no-such-file.pb b.data --nve --steps 5");
  EXPECT_EQ(missing.code, 2);
  EXPECT_EQ(times(missing.err, "no-such-file.pb"), 1) << missing.err;
}

TEST(MpiCommands, refuse_to_be_copies_that_do_not_know_of_each_other) {
  const Outcome outcome = run_program("info a.pb", "PMI_SIZE=4 PMI_RANK=0");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(times(outcome.err, "nanoday: started as 4 processes"), 1) << outcome.err;
}

}  // namespace
}  // namespace nanoday::testing
