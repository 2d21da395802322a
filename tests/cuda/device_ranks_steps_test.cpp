// What steps of several ranks with a device each move and tell each other, and how they fail together.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cuda/device_counts.hpp"
#include "in_process.hpp"
#include "machine.hpp"
#include "md/guards.hpp"
#include "md/rank_trail.hpp"
#include "running.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

namespace nanoday {
namespace {

using namespace reference;

/// This rank's part of a run of water.
Running part_of_run(const std::shared_ptr<Transport>& ranks, const System& water, BathKind kind,
                    EvaluatorOptions options = {2.0, 0}, std::int64_t fast_atom = -1) {
  Atoms atoms = ranks::dealt(water, *ranks);
  draw_velocities(atoms, 330, 11, *ranks);
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    if (atoms.id[i] == fast_atom) atoms.velocity[i] = {3000, 0, 0, 0};
  Running r;
  r.backend = device_machine();
  const Plan plan = plan_of(model_named("water_sea.pb"), TableKind::quintic);
  r.evaluator = std::make_unique<Evaluator>(*r.backend, plan, water.box, std::move(atoms), options, ranks);
  const std::int64_t n = r.evaluator->natoms();
  r.simulation = std::make_unique<Simulation>(*r.evaluator, bath(kind, n), k_dt, degrees_of_freedom(n, true));
  return r;
}

class DeviceRankSteps : public testing::Test {
 protected:
  void SetUp() override { NANODAY_NEEDS_DEVICE(); }
};

TEST_F(DeviceRankSteps, move_the_rows_of_the_halo_and_their_signals_only) {
  constexpr std::int64_t k_ranks = 3, k_steps = 5;
  // Flags all agree on, twice, on their way through the host: rebuild, trouble, halt, and what somebody says.
  constexpr std::int64_t k_flags = 2 * 4 * 8, k_signals = 12;
  run_ranks(k_ranks, [&](Transport& transport) {
    const std::shared_ptr<Transport> ranks = transport.split(0);
    const Running r = part_of_run(ranks, small_water(), BathKind::none);
    r.simulation->start({});
    for (int k = 0; k < 3; ++k) r.simulation->step({});
    const std::int64_t rebuilds = r.simulation->resident()->rebuilds();
    ranks->barrier();
    const DeviceTraffic before = device_traffic();
    const Traffic sent_before = ranks->traffic();
    ranks->barrier();
    for (int k = 0; k < k_steps; ++k) r.simulation->step({});
    ranks->barrier();
    const DeviceTraffic after = device_traffic();
    ASSERT_EQ(r.simulation->resident()->rebuilds(), rebuilds);
    std::array<std::int64_t, 2> sent{ranks->traffic().node_bytes - sent_before.node_bytes,
                                     ranks->traffic().node_messages - sent_before.node_messages};
    ranks->all_reduce_sum(View<std::int64_t>(sent.data(), sent.size()));
    EXPECT_EQ(sent[1], k_steps * 2 * k_ranks * (k_ranks - 1)) << "one to each other rank, and one back";
    EXPECT_GT(sent[0], 0);
    EXPECT_EQ(sent[0] % (k_steps * 2 * static_cast<std::int64_t>(sizeof(Vec4))), 0) << "rows out, rows home";
    EXPECT_LE(sent[0],
              k_steps * 2 * (k_ranks - 1) * r.evaluator->natoms() * static_cast<std::int64_t>(sizeof(Vec4)))
        << "an atom goes to another rank at most once";
    EXPECT_EQ(after.bytes_to_host - before.bytes_to_host,
              sent[0] + k_steps * k_ranks * (k_flags + k_signals));
    EXPECT_EQ(after.bytes_to_device - before.bytes_to_device, sent[0] + k_steps * k_ranks * k_flags);
    EXPECT_EQ(after.allocations - before.allocations, 0);
    EXPECT_EQ(after.graph_launches - before.graph_launches, 0) << "messages need the host";
  });
}

TEST_F(DeviceRankSteps, tell_all_ranks_what_one_has_said) {
  run_ranks(3, [&](Transport& transport) {
    const std::shared_ptr<Transport> ranks = transport.split(0);
    const Running r = part_of_run(ranks, small_water(), BathKind::nose_hoover);
    r.simulation->start({});
    for (const bool said : {false, true, false}) {
      r.evaluator->say(said && ranks->rank() == 1);
      r.simulation->step({});
      EXPECT_EQ(r.evaluator->heard(), said);
    }
    EXPECT_NE(r.simulation->resident()->exchange().find("host memory"), std::string::npos);
  });
}

TEST_F(DeviceRankSteps, stop_on_all_ranks_and_one_names_the_atom_that_has_exploded) {
  std::mutex mutex;
  std::vector<std::int64_t> named;
  std::atomic<int> stopped{0};
  run_ranks(3, [&](Transport& transport) {
    const std::shared_ptr<Transport> ranks = transport.split(0);
    const Running r = part_of_run(ranks, small_water(), BathKind::none, {0.5, 0}, 7);
    try {
      r.simulation->start({});
      for (int k = 0; k < 3; ++k) r.simulation->step({});
    } catch (const AtomError& error) {
      const std::lock_guard lock(mutex);
      named.push_back(r.evaluator->atoms().id[error.atom()]);
      ++stopped;
    } catch (const RunError& error) {
      EXPECT_NE(std::string(error.what()).find("moves"), std::string::npos) << error.what();
      ++stopped;
    }
  });
  EXPECT_EQ(named, std::vector<std::int64_t>{7});
  EXPECT_EQ(stopped, 3);
}

TEST_F(DeviceRankSteps, end_when_one_rank_fails) {
  EXPECT_THROW(run_ranks(3,
                         [&](Transport& transport) {
                           const std::shared_ptr<Transport> ranks = transport.split(0);
                           const Running r = part_of_run(ranks, small_water(), BathKind::nose_hoover);
                           r.simulation->start({});
                           for (int k = 0; k < 4; ++k) {
                             if (k == 2 && ranks->rank() == 1) throw RunError("the disk is full");
                             r.simulation->step({});
                           }
                         }),
               RunError);
}

TEST_F(DeviceRankSteps, book_the_time_of_their_stages) {
  run_ranks(2, [&](Transport& transport) {
    const std::shared_ptr<Transport> ranks = transport.split(0);
    const Running r = part_of_run(ranks, small_water(), BathKind::langevin);
    r.simulation->start({});
    r.simulation->resident()->time_stages(true);
    r.backend->times().reset();
    for (int k = 0; k < 2; ++k) r.simulation->step({});
    for (const Stage stage : {Stage::integrate, Stage::halo, Stage::force_sum})
      EXPECT_GT(r.backend->times().seconds(stage), 0) << stage_name(stage);
  });
}

}  // namespace
}  // namespace nanoday
