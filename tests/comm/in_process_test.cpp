// A rank of a process that fails: the others are released wherever they wait.
// SPDX-License-Identifier: Apache-2.0
#include "in_process.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace nanoday {
namespace {

struct Waiting {
  const char* name;
  std::function<void(Transport&)> wait;
};

class Release : public testing::TestWithParam<Waiting> {};

void receive(Transport& t) {
  std::vector<std::byte> one(1);
  t.wait(t.post_receive(1, 0, one));
}
void sum(Transport& t) {
  std::vector<double> values(3);
  t.all_reduce_sum(View<double>(values));
}
void sum_long(Transport& t) {
  std::vector<std::int64_t> values(5000);
  t.all_reduce_sum(View<std::int64_t>(values));
}
void largest(Transport& t) {
  std::vector<double> values(3);
  t.all_reduce_max(View<double>(values));
}
void broadcast(Transport& t) {
  std::vector<std::byte> one(1);
  t.broadcast(1, one);
}

INSTANTIATE_TEST_SUITE_P(waits, Release,
                         testing::Values(Waiting{"receive", receive}, Waiting{"sum", sum},
                                         Waiting{"sum_long", sum_long}, Waiting{"largest", largest},
                                         Waiting{"broadcast", broadcast},
                                         Waiting{"barrier", [](Transport& t) { t.barrier(); }},
                                         Waiting{"exchange", [](Transport& t) { t.exchange({}); }},
                                         Waiting{"split", [](Transport& t) { t.split(0); }},
                                         Waiting{"share", [](Transport& t) { t.share(8); }},
                                         Waiting{"node_barrier", [](Transport& t) { t.node_barrier(); }}),
                         [](const auto& info) { return info.param.name; });

/// Rank 1 fails at once, the others wait for it.
void fail_on_rank_1(const Waiting& waiting, Transport& whole, Transport& t, std::atomic<int>& released) {
  if (whole.rank() == 1) throw InputError("rank 1 has a reason");
  try {
    waiting.wait(t);
  } catch (const RunError& error) {
    EXPECT_STREQ(error.what(), k_another_rank_failed);
    ++released;
    throw;
  }
}

TEST_P(Release, frees_the_ranks_that_wait_for_one_that_fails_and_reports_its_reason) {
  std::atomic<int> released = 0;
  const auto body = [&](Transport& t) { fail_on_rank_1(GetParam(), t, t, released); };
  try {
    run_ranks(4, body);
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "rank 1 has a reason");
  }
  EXPECT_EQ(released, 3);
}

TEST_P(Release, frees_ranks_that_wait_in_a_world_split_off) {
  std::atomic<int> released = 0;
  const auto body = [&](Transport& t) {
    const auto part = t.split(0)->split(0);
    fail_on_rank_1(GetParam(), t, *part, released);
  };
  EXPECT_THROW(run_ranks(4, body), InputError);
  EXPECT_EQ(released, 3);
}

TEST(InProcess, frees_ranks_of_another_split_than_that_of_the_rank_that_fails) {
  std::atomic<int> released = 0;
  const auto body = [&](Transport& t) {
    const auto part = t.split(t.rank() < 2 ? 0 : 1);
    t.barrier();  // all have split
    const auto wait_for_ever = [](Transport& inner) {
      std::vector<std::byte> one(1);
      inner.wait(inner.post_receive(0, 0, one));
    };
    fail_on_rank_1({"", wait_for_ever}, t, *part, released);
  };
  EXPECT_THROW(run_ranks(4, body), InputError);
  EXPECT_EQ(released, 3);
}

TEST(InProcess, refuses_sums_and_broadcasts_of_arrays_that_differ_in_length) {
  const auto sum_differently = [](Transport& t) {
    std::vector<double> values(std::size_t(t.rank()) + 1);
    t.all_reduce_sum(View<double>(values));
  };
  EXPECT_THROW(run_ranks(3, sum_differently), RunError);
  const auto broadcast_differently = [](Transport& t) {
    std::vector<std::byte> values(std::size_t(t.rank()) + 1);
    t.broadcast(0, values);
  };
  EXPECT_THROW(run_ranks(3, broadcast_differently), RunError);
}

TEST(InProcess, needs_at_least_one_rank) {
  EXPECT_THROW(run_ranks(0, [](Transport&) {}), InputError);
}

}  // namespace
}  // namespace nanoday
