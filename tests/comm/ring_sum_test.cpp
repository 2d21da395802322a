// Tests of sums over rings: by transport and by barrier gates in software, with the hardware's limits.
// SPDX-License-Identifier: Apache-2.0
#include "ring_sum.hpp"

#include "core/error.hpp"
#include "in_process.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace nanoday {
namespace {

using Words = std::vector<std::uint64_t>;

Words random_words(std::size_t n, int rank) {
  std::mt19937_64 random(100 + rank);
  Words words(n);
  for (auto& word : words) word = random();  // all 64 bits: sums wrap around
  return words;
}

Words expected_sum(std::size_t n, int n_ranks) {
  Words sum(n);
  for (int r = 0; r < n_ranks; ++r)
    for (std::size_t k = 0; k < n; ++k) sum[k] += random_words(n, r)[k];
  return sum;
}

TEST(RingSum, wraps_around_alike_by_transport_and_by_gates) {
  for (const int n_ranks : {1, 2, 3, 5, 8})
    for (const std::size_t n : {0, 1, 5, 6, 7, 36, 37, 100}) {
      const Words expected = expected_sum(n, n_ranks);
      run_ranks(n_ranks, [&](Transport& t) {
        Words words = random_words(n, t.rank()), again = words;
        TransportRingSum(t.split(0)).sum(words);
        EXPECT_EQ(words, expected);
        GateRingSum gates(make_software_gates(t.split(0)));
        gates.sum(again);
        EXPECT_EQ(again, expected);
      });
    }
}

TEST(RingSum, gates_take_the_operations_and_rounds_that_were_counted_beforehand) {
  run_ranks(3, [](Transport& t) {
    GateRingSum gates(make_software_gates(t.split(0)));
    Words words(86 * 6 - 2);
    gates.sum(words);
    EXPECT_EQ(gates.count().operations, 86);
    EXPECT_EQ(gates.count().rounds, 15);
    words.resize(1);
    gates.sum(words);
    EXPECT_EQ(gates.count().operations, 87);
    EXPECT_EQ(gates.count().rounds, 16);
  });
}

TEST(GateCount, of_a_transform_is_that_of_the_design) {
  // b³ points per node, a ring of P: b² lines of bP complex values, two 32-bit integers per word, six words
  // per operation: 2b³P/12 operations; over six interfaces 1.8 P rounds for b = 4.
  struct Case {
    int b, nodes;
    std::int64_t operations, rounds;
  };
  for (const Case& c : {Case{4, 4, 43, 8}, Case{4, 8, 86, 15}, Case{4, 12, 128, 22}, Case{4, 20, 214, 36}}) {
    const std::size_t words = static_cast<std::size_t>(c.b) * c.b * c.b * c.nodes;
    const GateCount count = gate_count(words, BarrierGates::k_words, 6);
    EXPECT_EQ(count.operations, c.operations);
    EXPECT_EQ(count.rounds, c.rounds);
    EXPECT_NEAR(count.operations, 2.0 * c.b * c.b * c.b * c.nodes / 12, 1);
    EXPECT_NEAR(count.rounds, 1.8 * c.nodes, 1);
    // Without packing, as doubles: four times as many.
    EXPECT_NEAR(gate_count(2 * words, BarrierGates::k_doubles, 6).operations, 4.0 * count.operations, 4);
  }
}

TEST(SoftwareGates, refuse_what_the_hardware_refuses) {
  const auto gates = make_software_gates(make_self_transport());
  Words six(6), seven(7), none;
  EXPECT_THROW(gates->start(0, seven), RunError);
  EXPECT_THROW(gates->start(0, none), RunError);
  gates->start(0, six);
  EXPECT_THROW(gates->start(0, six), RunError);  // still busy
  EXPECT_THROW(gates->finish(0, seven), RunError);
  EXPECT_NO_THROW(gates->start(1, six));
  EXPECT_NO_THROW(gates->finish(0, six));
  EXPECT_NO_THROW(gates->start(0, six));
}

}  // namespace
}  // namespace nanoday
