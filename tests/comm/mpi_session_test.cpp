// Ranks that fail end the whole job and say why, once.
// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

namespace nanoday::testing {
namespace {

/// failing_ranks, which fails as it is told, on three ranks.
Outcome start(const std::string& how) { return run_program(how, NANODAY_MPIRUN " 3"); }

TEST(MpiSession, ends_with_0_when_no_rank_fails) {
  const Outcome outcome = start("none");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(times(outcome.out, "of 3 is done"), 3) << outcome.out;
}

TEST(MpiSession, says_a_reason_that_all_ranks_have_once) {
  const Outcome outcome = start("alike");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(times(outcome.err, "said: "), 1) << outcome.err;
  EXPECT_EQ(times(outcome.err, "said: no such file\n"), 1) << outcome.err;
}

TEST(MpiSession, waits_for_ranks_that_fail_a_little_later) {
  const Outcome outcome = start("late");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(times(outcome.err, "said: "), 1) << outcome.err;
}

TEST(MpiSession, says_the_reason_of_the_rank_that_has_one) {
  const Outcome outcome = start("differently");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(times(outcome.err, "said: "), 1) << outcome.err;
  EXPECT_EQ(times(outcome.err, "said: rank 1: disk full\n"), 1) << outcome.err;
}

TEST(MpiSession, ends_ranks_that_would_wait_for_ever) {
  const Outcome outcome = start("one");
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(times(outcome.err, "said: rank 1: lost an atom\n"), 1) << outcome.err;
  EXPECT_EQ(times(outcome.out, "is done"), 0);
}

TEST(MpiSession, fails_when_the_last_rank_fails_after_the_others_are_done) {
  const Outcome outcome = start("one_after_the_others");
  EXPECT_EQ(outcome.code, 5);
  EXPECT_EQ(times(outcome.err, "said: rank 1: disk full\n"), 1) << outcome.err;
}

TEST(MpiSession, is_one_rank_without_a_launcher) {
  EXPECT_EQ(run_program("none").out, "rank 0 of 1 is done\n");
  const Outcome outcome = run_program("alike");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err, "said: no such file\n");
}

}  // namespace
}  // namespace nanoday::testing
