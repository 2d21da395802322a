// Messages, sums and barriers among ranks: one body for every transport and number of ranks.
// SPDX-License-Identifier: Apache-2.0
#include "in_process.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <numeric>

namespace nanoday {
namespace {

using Body = std::function<void(Transport&)>;

struct World {
  const char* name;
  int n_ranks;
  std::function<void(const Body&)> run;
};

World in_process(const char* name, int n) {
  return {name, n, [n](const Body& body) { run_ranks(n, body); }};
}

class Transports : public testing::TestWithParam<World> {};

INSTANTIATE_TEST_SUITE_P(worlds, Transports,
                         testing::Values(World{"self", 1,
                                               [](const Body& body) { body(*make_self_transport()); }},
                                         in_process("in_process_1", 1), in_process("in_process_2", 2),
                                         in_process("in_process_4", 4), in_process("in_process_7", 7)),
                         [](const auto& info) { return info.param.name; });

View<const std::byte> bytes(const std::vector<int>& values) {
  return bytes_of(View<const int>(values.data(), values.size()));
}
View<std::byte> space(std::vector<int>& values) { return writable_bytes_of(View<int>(values)); }

TEST_P(Transports, numbers_its_ranks) {
  std::atomic<int> sum = 0, count = 0;
  GetParam().run([&](Transport& t) {
    EXPECT_EQ(t.size(), GetParam().n_ranks);
    sum += t.rank();
    ++count;
  });
  EXPECT_EQ(count, GetParam().n_ranks);
  EXPECT_EQ(sum, GetParam().n_ranks * (GetParam().n_ranks - 1) / 2);
}

TEST_P(Transports, carry_messages_from_everyone_to_everyone) {
  GetParam().run([](Transport& t) {
    std::vector<std::vector<int>> out(t.size()), in(t.size());
    std::vector<Transport::Request> requests;
    for (int r = 0; r < t.size(); ++r) {
      in[r].resize(r + 1);  // rank r sends r + 1 numbers
      requests.push_back(t.post_receive(r, 5, space(in[r])));
    }
    for (int r = 0; r < t.size(); ++r) {
      out[r].assign(t.rank() + 1, 100 * t.rank() + r);
      requests.push_back(t.post_send(r, 5, bytes(out[r])));
    }
    for (const auto request : requests) t.wait(request);
    for (int r = 0; r < t.size(); ++r) EXPECT_EQ(in[r], std::vector<int>(r + 1, 100 * r + t.rank()));
  });
}

TEST_P(Transports, keep_the_order_of_messages_with_one_tag_and_tell_tags_apart) {
  GetParam().run([](Transport& t) {
    const int next = (t.rank() + 1) % t.size(), previous = (t.rank() + t.size() - 1) % t.size();
    for (int k = 0; k < 50; ++k) {
      const std::vector<int> even{2 * k}, odd{2 * k + 1};
      t.wait(t.post_send(next, 1, bytes(odd)));
      t.wait(t.post_send(next, 0, bytes(even)));
    }
    for (int k = 0; k < 50; ++k) {
      std::vector<int> even(1), odd(1);
      t.wait(t.post_receive(previous, 0, space(even)));
      t.wait(t.post_receive(previous, 1, space(odd)));
      EXPECT_EQ(even[0], 2 * k);
      EXPECT_EQ(odd[0], 2 * k + 1);
    }
  });
}

TEST_P(Transports, carry_empty_messages) {
  GetParam().run([](Transport& t) {
    std::vector<int> nothing;
    const auto receive = t.post_receive(t.rank(), 9, space(nothing));
    t.wait(t.post_send(t.rank(), 9, bytes(nothing)));
    t.wait(receive);
    EXPECT_TRUE(nothing.empty());
  });
}

TEST_P(Transports, sum_integers_and_give_everyone_the_same_doubles) {
  const int n = GetParam().n_ranks;
  std::vector<double> seen(n);
  GetParam().run([&](Transport& t) {
    for (int round = 0; round < 20; ++round) {
      std::vector<std::int64_t> counts{1, t.rank(), std::int64_t(1) << 40};
      t.all_reduce_sum(View<std::int64_t>(counts));
      EXPECT_EQ(counts, (std::vector<std::int64_t>{n, n * (n - 1) / 2, n * (std::int64_t(1) << 40)}));
    }
    std::vector<double> values{0.1 * (t.rank() + 1)};
    t.all_reduce_sum(View<double>(values));
    seen[t.rank()] = values[0];
  });
  EXPECT_NEAR(seen[0], 0.1 * n * (n + 1) / 2, 1e-12);
  for (const double value : seen) EXPECT_EQ(value, seen[0]);
}

TEST_P(Transports, let_no_rank_pass_a_barrier_before_all_have_reached_it) {
  std::atomic<int> arrived = 0;
  GetParam().run([&](Transport& t) {
    for (int round = 1; round <= 20; ++round) {
      ++arrived;
      t.barrier();
      EXPECT_GE(arrived, round * t.size());
      t.barrier();
    }
  });
}

TEST_P(Transports, refuse_a_message_of_another_length_and_a_rank_that_does_not_exist) {
  const auto wrong_length = [](Transport& t) {
    std::vector<int> two{1, 2}, three(3);
    t.wait(t.post_send(t.rank(), 0, bytes(two)));
    t.wait(t.post_receive(t.rank(), 0, space(three)));
  };
  EXPECT_THROW(GetParam().run(wrong_length), RunError);
  const auto stranger = [](Transport& t) { t.post_receive(t.size(), 0, {}); };
  EXPECT_THROW(GetParam().run(stranger), RunError);
}

TEST(InProcess, releases_the_other_ranks_when_one_fails_and_reports_its_error) {
  const auto body = [](Transport& t) {
    if (t.rank() == 1) throw InputError("rank 1 has a reason");
    t.barrier();
  };
  try {
    run_ranks(4, body);
    FAIL() << "nothing was thrown";
  } catch (const InputError& error) {
    EXPECT_STREQ(error.what(), "rank 1 has a reason");
  }
}

}  // namespace
}  // namespace nanoday
