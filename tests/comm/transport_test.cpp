// Messages, sums, exchanges, shared memory and worlds within worlds: one body for every transport.
// SPDX-License-Identifier: Apache-2.0
#include "comm/rank_worlds.hpp"
#include "core/error.hpp"
#include "transport_parts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace nanoday {
namespace {

class Transports : public testing::TestWithParam<RankWorld> {};

INSTANTIATE_TEST_SUITE_P(worlds, Transports, testing::ValuesIn(rank_worlds()),
                         [](const auto& info) { return info.param.name; });

using Ints = std::vector<int>;

View<const std::byte> bytes(const Ints& values) {
  return bytes_of(View<const int>(values.data(), values.size()));
}
View<std::byte> space(Ints& values) { return writable_bytes_of(View<int>(values)); }

std::vector<std::byte> packed(const Ints& values) {
  const auto b = bytes(values);
  return {b.begin(), b.end()};
}
Ints unpacked(const std::vector<std::byte>& b) {
  Ints values(b.size() / sizeof(int));
  std::copy(b.begin(), b.end(), writable_bytes_of(View<int>(values)).begin());
  return values;
}

TEST_P(Transports, numbers_its_ranks_and_nodes) {
  const RankWorld& world = GetParam();
  world.run([&](Transport& t) {
    ASSERT_EQ(t.size(), world.n_ranks);
    Ints seen(world.n_ranks, 0);
    std::vector<std::int64_t> count(world.n_ranks, 0);
    count[t.rank()] = 1;
    t.all_reduce_sum(View<std::int64_t>(count));
    EXPECT_EQ(count, std::vector<std::int64_t>(world.n_ranks, 1));
    EXPECT_EQ(t.node_of(), nodes_in_order(world.n_ranks, world.ranks_per_node));
    EXPECT_NE(t.name().find(std::to_string(world.n_ranks) + " rank"), std::string::npos) << t.name();
  });
}

TEST_P(Transports, carry_messages_from_everyone_to_everyone) {
  GetParam().run([](Transport& t) {
    std::vector<Ints> out(t.size()), in(t.size());
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
    for (int r = 0; r < t.size(); ++r) EXPECT_EQ(in[r], Ints(r + 1, 100 * r + t.rank()));
  });
}

TEST_P(Transports, keep_the_order_of_messages_with_one_tag_and_tell_tags_apart) {
  GetParam().run([](Transport& t) {
    const int next = (t.rank() + 1) % t.size(), previous = (t.rank() + t.size() - 1) % t.size();
    for (int k = 0; k < 50; ++k) {
      const Ints even{2 * k}, odd{2 * k + 1};
      t.wait(t.post_send(next, 1, bytes(odd)));
      t.wait(t.post_send(next, 0, bytes(even)));
    }
    for (int k = 0; k < 50; ++k) {
      Ints even(1), odd(1);
      t.wait(t.post_receive(previous, 0, space(even)));
      t.wait(t.post_receive(previous, 1, space(odd)));
      EXPECT_EQ(even[0], 2 * k);
      EXPECT_EQ(odd[0], 2 * k + 1);
    }
  });
}

TEST_P(Transports, match_messages_in_the_order_of_posting_however_they_are_waited_for) {
  GetParam().run([](Transport& t) {
    const int next = (t.rank() + 1) % t.size(), previous = (t.rank() + t.size() - 1) % t.size();
    Ints first(1), second(1);
    const auto one = t.post_receive(previous, 3, space(first));
    const auto two = t.post_receive(previous, 3, space(second));
    const Ints a{11}, b{22};
    const auto send_a = t.post_send(next, 3, bytes(a)), send_b = t.post_send(next, 3, bytes(b));
    for (const auto request : {two, one, send_b, send_a}) t.wait(request);
    EXPECT_EQ(first, a);
    EXPECT_EQ(second, b);
  });
}

TEST_P(Transports, carry_empty_and_long_messages) {
  GetParam().run([](Transport& t) {
    const int next = (t.rank() + 1) % t.size(), previous = (t.rank() + t.size() - 1) % t.size();
    for (const int length : {0, 1 << 20}) {
      Ints out(length), in(length);
      std::iota(out.begin(), out.end(), t.rank());
      const auto receive = t.post_receive(previous, 9, space(in));
      const auto send = t.post_send(next, 9, bytes(out));
      t.wait(receive);
      t.wait(send);
      for (int k = 0; k < length; k += 1000) ASSERT_EQ(in[k], previous + k);
    }
  });
}

TEST_P(Transports, count_messages_and_bytes_to_the_own_node_and_to_others) {
  const RankWorld& world = GetParam();
  world.run([&](Transport& t) {
    const Ints three{1, 2, 3};
    std::vector<Ints> in(t.size(), Ints(3));
    std::vector<Transport::Request> requests;
    for (int r = 0; r < t.size(); ++r) {
      requests.push_back(t.post_receive(r, 0, space(in[r])));
      requests.push_back(t.post_send(r, 0, bytes(three)));
    }
    for (const auto request : requests) t.wait(request);
    t.barrier();
    t.exchange({});
    const auto& nodes = t.node_of();
    const auto inside = std::count(nodes.begin(), nodes.end(), nodes[t.rank()]);
    EXPECT_EQ(t.traffic().node_messages, inside);
    EXPECT_EQ(t.traffic().node_bytes, 12 * inside);
    EXPECT_EQ(t.traffic().messages, t.size() - inside);
    EXPECT_EQ(t.traffic().bytes, 12 * (t.size() - inside));
  });
}

TEST_P(Transports, sum_integers_modulo_two_to_the_64) {
  const std::int64_t n = GetParam().n_ranks;
  GetParam().run([&](Transport& t) {
    const std::int64_t largest = std::numeric_limits<std::int64_t>::max();
    for (int round = 0; round < 20; ++round) {
      std::vector<std::int64_t> values{1, t.rank(), std::int64_t(1) << 40, largest, -largest - 1};
      t.all_reduce_sum(View<std::int64_t>(values));
      const auto un = static_cast<std::uint64_t>(n);
      EXPECT_EQ(values[0], n);
      EXPECT_EQ(values[1], n * (n - 1) / 2);
      EXPECT_EQ(values[2], n * (std::int64_t(1) << 40));
      EXPECT_EQ(values[3], static_cast<std::int64_t>(un * static_cast<std::uint64_t>(largest)));
      EXPECT_EQ(values[4], static_cast<std::int64_t>(un << 63));
    }
    View<std::int64_t> nothing;
    t.all_reduce_sum(nothing);
  });
}

/// A number that only exact order of summation brings back: spread over 40 binades.
double term(int rank, std::size_t k) {
  return std::ldexp(1.0 + 0.37 * double((rank * 7919 + int(k % 1000)) % 97),
                    (rank * 13 + int(k % 29)) % 41 - 20);
}

double sum_of_terms(int n_ranks, std::size_t k) {
  double sum = term(0, k);
  for (int r = 1; r < n_ranks; ++r) sum += term(r, k);
  return sum;
}

TEST_P(Transports, sum_a_few_doubles_in_rank_order) {
  GetParam().run([](Transport& t) {
    for (const std::size_t length : {0, 1, 2, 255, 256}) {
      std::vector<double> values(length);
      for (std::size_t k = 0; k < length; ++k) values[k] = term(t.rank(), k);
      t.all_reduce_sum(View<double>(values));
      for (std::size_t k = 0; k < length; ++k)
        ASSERT_EQ(values[k], sum_of_terms(t.size(), k)) << "element " << k;
    }
  });
}

TEST_P(Transports, sum_many_doubles_to_the_same_bits_everywhere) {
  GetParam().run([](Transport& t) {
    for (const std::size_t length : {257, 70001}) {
      std::vector<double> values(length);
      for (std::size_t k = 0; k < length; ++k) values[k] = term(t.rank(), k);
      t.all_reduce_sum(View<double>(values));
      std::vector<double> largest = values, smallest = values;
      for (double& value : smallest) value = -value;
      t.all_reduce_max(View<double>(largest));
      t.all_reduce_max(View<double>(smallest));
      for (std::size_t k = 0; k < length; ++k) {
        // At most 8 positive terms, so 7 roundings whatever their order.
        ASSERT_NEAR(values[k], sum_of_terms(t.size(), k), 7 * 2.3e-16 * values[k]) << "element " << k;
        ASSERT_EQ(largest[k], -smallest[k]) << "element " << k;
      }
    }
  });
}

TEST_P(Transports, find_the_largest_and_let_nan_win) {
  GetParam().run([](Transport& t) {
    const double infinity = std::numeric_limits<double>::infinity(), nan = std::nan("");
    const int last = t.size() - 1;
    std::vector<double> values{
        double(t.rank()),          -double(t.rank()) - 1,         t.rank() == last ? nan : infinity,
        t.rank() == 0 ? nan : 1.0, t.rank() == last ? 0.0 : -0.0, -infinity};
    t.all_reduce_max(View<double>(values));
    EXPECT_EQ(values[0], last);
    EXPECT_EQ(values[1], -1);
    EXPECT_TRUE(std::isnan(values[2]));
    EXPECT_TRUE(std::isnan(values[3]));
    EXPECT_FALSE(std::signbit(values[4]));
    EXPECT_EQ(values[5], -infinity);
    std::vector<double> many(3000);
    for (std::size_t k = 0; k < many.size(); ++k) many[k] = int(k) % t.size() == t.rank() ? double(k) : -1;
    t.all_reduce_max(View<double>(many));
    for (std::size_t k = 0; k < many.size(); ++k) ASSERT_EQ(many[k], double(k));
  });
}

TEST_P(Transports, broadcast_from_any_rank) {
  GetParam().run([](Transport& t) {
    for (int root = 0; root < t.size(); ++root)
      for (const int length : {0, 1, 10000}) {
        Ints values(length, t.rank());
        t.broadcast(root, space(values));
        EXPECT_EQ(values, Ints(length, root));
      }
  });
}

TEST_P(Transports, exchange_parcels_of_sizes_that_nobody_knows) {
  GetParam().run([](Transport& t) {
    for (int round = 0; round < 5; ++round) {
      // Rank a sends to b when (a + 2 b + round) is not a multiple of 3; some parcels are empty.
      const auto sends = [&](int a, int b) { return (a + 2 * b + round) % 3 != 0; };
      const auto content = [&](int a, int b) { return Ints((a * b) % 4 * 1000, 100 * a + b + round); };
      std::vector<Parcel> out;
      for (int b = t.size() - 1; b >= 0; --b)
        if (sends(t.rank(), b)) out.push_back({b, packed(content(t.rank(), b))});
      const auto in = t.exchange(std::move(out));
      std::size_t k = 0;
      for (int a = 0; a < t.size(); ++a) {
        if (!sends(a, t.rank())) continue;
        ASSERT_LT(k, in.size());
        EXPECT_EQ(in[k].rank, a);
        EXPECT_EQ(unpacked(in[k].bytes), content(a, t.rank()));
        ++k;
      }
      EXPECT_EQ(k, in.size());
    }
  });
}

TEST_P(Transports, do_not_mix_an_exchange_with_messages_under_way) {
  GetParam().run([](Transport& t) {
    const int next = (t.rank() + 1) % t.size(), previous = (t.rank() + t.size() - 1) % t.size();
    const Ints out{t.rank()};
    Ints in(1);
    const auto receive = t.post_receive(previous, 0, space(in));
    const auto parcels = t.exchange({{next, packed({-5, t.rank()})}});
    t.wait(t.post_send(next, 0, bytes(out)));
    t.wait(receive);
    EXPECT_EQ(in[0], previous);
    ASSERT_EQ(parcels.size(), 1u);
    EXPECT_EQ(unpacked(parcels[0].bytes), (Ints{-5, previous}));
  });
}

TEST_P(Transports, let_no_rank_pass_a_barrier_before_all_of_its_node_have_reached_it) {
  GetParam().run([](Transport& t) {
    const auto segment = t.share(rank_in_node(t.node_of(), t.rank()) == 0 ? sizeof(int) : 0);
    const auto ranks = std::count(t.node_of().begin(), t.node_of().end(), t.node_of()[t.rank()]);
    const std::atomic_ref<int> arrived(*reinterpret_cast<int*>(segment->part(0).data()));
    for (int round = 1; round <= 20; ++round) {
      ++arrived;
      round % 2 == 0 ? t.barrier() : t.node_barrier();
      EXPECT_GE(arrived.load(), round * ranks);
      t.barrier();
    }
  });
}

TEST_P(Transports, share_memory_within_a_node) {
  GetParam().run([](Transport& t) {
    const auto& nodes = t.node_of();
    const int me = rank_in_node(nodes, t.rank());
    const auto ranks = int(std::count(nodes.begin(), nodes.end(), nodes[t.rank()]));
    for (int round = 0; round < 3; ++round) {
      const auto length = [&](int k) { return std::size_t((k * 1000 + round) % 3000); };
      const auto segment = t.share(length(me));
      for (const std::byte b : segment->part(me)) ASSERT_EQ(b, std::byte{0});
      std::fill(segment->part(me).begin(), segment->part(me).end(), std::byte(t.rank() + 1));
      t.node_barrier();
      for (int r = 0; r < t.size(); ++r) {
        if (nodes[r] != nodes[t.rank()]) continue;
        const auto part = segment->part(rank_in_node(nodes, r));
        ASSERT_EQ(part.size(), length(rank_in_node(nodes, r)));
        for (const std::byte b : part) ASSERT_EQ(b, std::byte(r + 1));
      }
      t.node_barrier();
      EXPECT_THROW(segment->part(ranks), RunError);
    }
  });
}

TEST_P(Transports, split_into_worlds_with_messages_of_their_own) {
  GetParam().run([](Transport& t) {
    const int color = t.rank() % 3, members = (t.size() - color + 2) / 3;
    const auto part = t.split(color);
    ASSERT_EQ(part->size(), members);
    EXPECT_EQ(part->rank(), t.rank() / 3);
    const Ints out{10 * t.rank()}, out_part{t.rank()};
    const int next = (t.rank() + 1) % t.size(), previous = (t.rank() + t.size() - 1) % t.size();
    const int next_part = (part->rank() + 1) % members;
    const int previous_part = (part->rank() + members - 1) % members;
    Ints in(1), in_part(1);
    const auto send = t.post_send(next, 4, bytes(out));
    const auto send_part = part->post_send(next_part, 4, bytes(out_part));
    part->wait(part->post_receive(previous_part, 4, space(in_part)));
    t.wait(t.post_receive(previous, 4, space(in)));
    t.wait(send);
    part->wait(send_part);
    EXPECT_EQ(in[0], 10 * previous);
    EXPECT_EQ(in_part[0], 3 * previous_part + color);
    std::vector<std::int64_t> sum{1, t.rank()};
    part->all_reduce_sum(View<std::int64_t>(sum));
    EXPECT_EQ(sum[0], members);
    EXPECT_EQ(sum[1], 3 * members * (members - 1) / 2 + members * color);
    EXPECT_EQ(t.traffic().messages + t.traffic().node_messages, 1);
    EXPECT_EQ(part->traffic().messages + part->traffic().node_messages, 1);
  });
}

TEST_P(Transports, split_again_and_again_and_keep_nodes) {
  GetParam().run([](Transport& t) {
    for (int round = 0; round < 3; ++round) {
      const auto copy = t.split(7);
      EXPECT_EQ(copy->rank(), t.rank());
      EXPECT_EQ(copy->node_of(), t.node_of());
      const auto alone = copy->split(t.rank());
      EXPECT_EQ(alone->size(), 1);
      EXPECT_EQ(alone->node_of(), Ints{0});
      const auto node = copy->split(t.node_of()[t.rank()]);
      EXPECT_EQ(node->rank(), rank_in_node(t.node_of(), t.rank()));
      EXPECT_EQ(node->node_of(), Ints(node->size(), 0));
      const auto segment = node->share(sizeof(int));
      const int value = 1 + round;
      std::memcpy(segment->part(node->rank()).data(), &value, sizeof value);
      node->barrier();
      for (int r = 0; r < node->size(); ++r) {
        int seen = 0;
        std::memcpy(&seen, segment->part(r).data(), sizeof seen);
        EXPECT_EQ(seen, value);
      }
      node->barrier();
    }
  });
}

TEST_P(Transports, refuse_a_message_of_another_length_and_a_rank_that_does_not_exist) {
  for (const int length : {1, 3}) {
    const auto wrong_length = [&](Transport& t) {
      Ints two{1, 2}, other(length);
      const auto receive = t.post_receive(t.rank(), 0, space(other));
      t.wait(t.post_send(t.rank(), 0, bytes(two)));
      t.wait(receive);
    };
    EXPECT_THROW(GetParam().run(wrong_length), RunError);
  }
  const auto stranger = [](Transport& t) { t.post_receive(t.size(), 0, {}); };
  EXPECT_THROW(GetParam().run(stranger), RunError);
  const auto parcel = [](Transport& t) { t.exchange({{-1, {}}}); };
  EXPECT_THROW(GetParam().run(parcel), RunError);
}

TEST(TransportParts, number_nodes_in_order_of_their_first_ranks) {
  EXPECT_EQ(numbered({5, 2, 5, 9, 2}), (Ints{0, 1, 0, 2, 1}));
  EXPECT_EQ(nodes_in_order(7, 3), (Ints{0, 0, 0, 1, 1, 1, 2}));
  EXPECT_EQ(nodes_in_order(3, 0), (Ints{0, 0, 0}));
  EXPECT_THROW(nodes_in_order(3, -1), InputError);
  EXPECT_EQ(rank_in_node({0, 1, 0, 0, 1}, 3), 2);
  EXPECT_EQ(ranks_and_nodes({0, 0, 1}), "3 ranks on 2 nodes");
  EXPECT_EQ(ranks_and_nodes({0}), "1 rank on 1 node");
}

}  // namespace
}  // namespace nanoday
