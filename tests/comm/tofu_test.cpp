// Tests of Tofu's barrier gates on a simulated uTofu: the wiring of gates, the cutting into operations,
// refusals. SPDX-License-Identifier: Apache-2.0
#include "tofu.hpp"

#include "core/error.hpp"
#include "in_process.hpp"
#include "ring_sum.hpp"

#include <gtest/gtest.h>
#include <utofu.h>

#include <random>
#include <vector>

namespace nanoday {
namespace {

using Words = std::vector<std::uint64_t>;

Words random_words(std::size_t n, int seed) {
  std::mt19937_64 random(seed);
  Words words(n);
  for (auto& word : words) word = random();
  return words;
}

TEST(TofuGates, sum_over_rings_of_any_length_again_and_again) {
  for (const int n_ranks : {2, 3, 5, 8})
    run_ranks(n_ranks, [&](Transport& t) {
      GateRingSum ring(make_tofu_gates(t));
      for (int round = 0; round < 5; ++round)
        for (const std::size_t n : {1, 6, 7, 100}) {
          const auto seed = [&](int rank) { return 1000 * round + rank; };
          Words words = random_words(n, seed(t.rank())), expected(n);
          for (int r = 0; r < n_ranks; ++r)
            for (std::size_t k = 0; k < n; ++k) expected[k] += random_words(n, seed(r))[k];
          ring.sum(words);
          ASSERT_EQ(words, expected);
        }
      t.barrier();  // gates are given back when no packet is on its way
    });
  EXPECT_EQ(utofu_stand_in_gates(), 0u);
}

TEST(TofuGates, take_two_rings_at_once) {
  run_ranks(6, [](Transport& t) {
    const auto row = t.split(t.rank() / 3), column = t.split(t.rank() % 3);
    GateRingSum along_row(make_tofu_gates(*row)), along_column(make_tofu_gates(*column));
    Words one{1};
    along_row.sum(one);
    EXPECT_EQ(one[0], 3u);
    along_column.sum(one);
    EXPECT_EQ(one[0], 6u);
    t.barrier();
  });
}

TEST(TofuGates, refuse_interfaces_with_less_room) {
  utofu_stand_in_words = 5;
  EXPECT_THROW(run_ranks(2, [](Transport& t) { make_tofu_gates(t); }), RunError);
  utofu_stand_in_words = 6;
}

}  // namespace
}  // namespace nanoday
