// One mesh per node: what it costs in messages and memory, and that nobody waits for a rank that is gone.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cpu/pppm.hpp"
#include "machines.hpp"
#include "reference/charges.hpp"
#include "reference/long_range_cases.hpp"
#include "reference/ranks.hpp"
#include "replicated_mesh.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <memory>

namespace nanoday {
namespace {

using namespace reference;

/// Passes everything on and counts sums, also those of worlds split off.
class CountedTransport final : public Transport {
 public:
  CountedTransport(Transport& transport, std::atomic<int>& sums) : transport_(transport), sums_(sums) {}
  int rank() const override { return transport_.rank(); }
  int size() const override { return transport_.size(); }
  const std::vector<int>& node_of() const override { return transport_.node_of(); }
  std::string name() const override { return transport_.name(); }
  Request post_send(int to, int tag, View<const std::byte> bytes) override {
    count(to, bytes.size());
    return transport_.post_send(to, tag, bytes);
  }
  Request post_receive(int from, int tag, View<std::byte> bytes) override {
    return transport_.post_receive(from, tag, bytes);
  }
  void wait(Request request) override { transport_.wait(request); }
  void all_reduce_sum(View<std::int64_t> values) override {
    ++sums_;
    transport_.all_reduce_sum(values);
  }
  void all_reduce_sum(View<double> values) override {
    ++sums_;
    transport_.all_reduce_sum(values);
  }
  void all_reduce_max(View<double> values) override {
    ++sums_;
    transport_.all_reduce_max(values);
  }
  void broadcast(int root, View<std::byte> bytes) override { transport_.broadcast(root, bytes); }
  std::vector<Parcel> exchange(std::vector<Parcel> outgoing) override {
    return transport_.exchange(std::move(outgoing));
  }
  void barrier() override { transport_.barrier(); }
  std::unique_ptr<Transport> split(int color) override {
    owned_.push_back(transport_.split(color));
    return std::make_unique<CountedTransport>(*owned_.back(), sums_);
  }
  std::unique_ptr<SharedSegment> share(std::size_t bytes) override { return transport_.share(bytes); }
  void node_barrier() override { transport_.node_barrier(); }

 private:
  Transport& transport_;
  std::atomic<int>& sums_;
  std::vector<std::unique_ptr<Transport>> owned_;
};

LongRangePlan plan_of_test() { return mesh_plan(shifted_box(), 0.4, {16, 15, 18}, 5); }

Array<Vec4> charges_of(const Transport& ranks) {
  const auto all = random_charges(shifted_box(), 60, 9);
  Array<Vec4> mine;
  for (std::size_t i = std::size_t(ranks.rank()); i < all.size(); i += std::size_t(ranks.size()))
    mine.push_back(all[i]);
  return mine;
}

TEST(NodePppm, costs_one_sum_of_the_leaders_and_a_word_from_and_to_each_of_the_others) {
  for (const auto& [n, per_node] : {std::pair{6, 3}, {8, 4}, {5, 2}, {3, 0}, {4, 1}}) {
    SCOPED_TRACE(std::to_string(n) + " ranks, " + std::to_string(per_node) + " per node");
    std::atomic<int> sums = 0;
    std::atomic<std::int64_t> inside = 0, between = 0;
    const auto body = [&](Transport& transport) {
      CountedTransport counted(transport, sums);
      const auto ranks = make_replicated_mesh(counted);
      const auto solver = cpu::make_pppm(plan_of_test(), 1, true, cpu::instruction_set("auto"), ranks.get());
      LongRangeResult result;
      for (int k = 0; k < 5; ++k)
        solve_on(*solver, {charges_of(transport), {true, true, false, false}}, 1, result);
      inside += counted.traffic().node_messages;
      between += counted.traffic().messages;
    };
    run_ranks(n, body, per_node);
    const auto node_of = nodes_in_order(n, per_node);
    const int nodes = node_of.back() + 1;
    EXPECT_EQ(sums, 5 * nodes) << "every leader takes part in one sum per solve";
    EXPECT_EQ(inside, 5 * 2 * (n - nodes));
    EXPECT_EQ(between, 0);
  }
}

TEST(NodePppm, is_one_mesh_per_node) {
  const LongRangePlan plan = plan_of_test();
  const auto bytes_on = [&](int n, int per_node) {
    std::vector<std::size_t> bytes(std::size_t(n), 0);
    const auto body = [&](Transport& transport) {
      const auto ranks = make_replicated_mesh(transport);
      const auto solver = cpu::make_pppm(plan, 1, true, cpu::instruction_set("auto"), ranks.get());
      bytes[std::size_t(transport.rank())] = dynamic_cast<const cpu::Pppm&>(*solver).bytes();
    };
    run_ranks(n, body, per_node);
    return bytes;
  };
  const auto alone = bytes_on(4, 1), together = bytes_on(4, 4);
  const std::size_t plane = cpu::mesh_layout(plan.mesh).plane_size() * sizeof(std::int64_t);
  for (const std::size_t bytes : alone) EXPECT_EQ(bytes, alone[0]);
  EXPECT_EQ(together[0], alone[0]);
  for (int rank = 1; rank < 4; ++rank) EXPECT_LE(together[std::size_t(rank)], plane);
  EXPECT_GT(together[0], 16 * 15 * 18 * (3 * sizeof(double) + sizeof(std::int64_t)));
}

TEST(NodePppm, a_rank_that_fails_at_any_point_leaves_nobody_waiting) {
  for (const int failing : {0, 1, 3})
    for (const int when : {0, 1, 2}) {
      SCOPED_TRACE("rank " + std::to_string(failing) + " at " + std::to_string(when));
      const auto body = [&](Transport& transport) {
        const auto ranks = make_replicated_mesh(transport);
        const auto backend = make_backend({.device = "cpu", .threads = 2, .reproducible = true});
        LongRangePlan plan = plan_of_test();
        plan.threads = 1;
        const auto solver = backend->make_long_range(plan, ranks.get());
        const auto charge = charges_of(transport);
        for (int step = 0; step < 3; ++step) {
          if (transport.rank() == failing && step == 1 && when == 0) throw RunError("the lights went out");
          solver->start({charge, {}});
          if (transport.rank() == failing && step == 1 && when == 1) throw RunError("the lights went out");
          solver->finish();
          if (transport.rank() == failing && step == 1 && when == 2) throw RunError("the lights went out");
        }
      };
      try {
        run_ranks(4, body, 2);
        FAIL() << "nobody failed";
      } catch (const RunError& error) {
        EXPECT_STREQ(error.what(), "the lights went out");
      }
    }
}

// Threads of the leader run the transforms between start() and finish(), whatever the others do meanwhile.
TEST(NodePppm, gives_the_bits_of_one_rank_through_the_machine_with_any_threads_beside_nets) {
  const LongRangePlan one_rank = plan_of_test();
  const Array<Vec4> all = random_charges(one_rank.box, 60, 9);
  LongRangeResult expected;
  solve_on(*solver_of(one_rank, 1, nullptr), {all, k_all_long_range}, 1, expected);
  for (const int threads : {0, 1, 2}) {
    LongRangePlan plan = one_rank;
    plan.threads = threads;
    const auto body = [&](Transport& transport) {
      const auto ranks = make_replicated_mesh(transport);
      const auto backend = make_backend({.device = "cpu", .threads = 3, .reproducible = false});
      const auto solver = backend->make_long_range(plan, ranks.get());
      EXPECT_TRUE(ranks->shares_nodes());
      const auto charge = charges_of(transport);
      for (int step = 0; step < 2; ++step) {
        solver->start({charge, k_all_long_range});
        const LongRangeResult& result = solver->finish();
        EXPECT_EQ(result.energy, expected.energy);
        EXPECT_EQ(result.virial, expected.virial);
        for (std::size_t k = 0; k < charge.size(); ++k) {
          const std::size_t i = std::size_t(transport.rank()) + k * std::size_t(transport.size());
          EXPECT_EQ(norm(xyz(result.force[k]) - xyz(expected.force[i])), 0);
          EXPECT_EQ(result.atom_energy[k], expected.atom_energy[i]);
          EXPECT_EQ(result.atom_virial[k], expected.atom_virial[i]);
        }
      }
    };
    run_ranks(6, body, 3);
  }
}

}  // namespace
}  // namespace nanoday
