// Several ranks whose exchange only queues work: a step is two graphs and has the bits of one that waits.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cuda/device_counts.hpp"
#include "cuda/host/host_launch.hpp"
#include "cuda/resident.hpp"
#include "device_exchange.hpp"
#include "halo.hpp"
#include "in_process.hpp"
#include "md/rank_trail.hpp"
#include "migration.hpp"
#include "reference/dplr.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

namespace nanoday {
namespace {

namespace gpu = nanoday::cuda_host;

constexpr Needs k_row{true, true, false, false};
constexpr int k_steps = 12;

/// As NCCL: messages are part of the stream, and are sent when it comes to them.
class QueuedExchange final : public DeviceExchange {
 public:
  explicit QueuedExchange(Transport& ranks) : ranks_(ranks) {}
  std::string name() const override { return "queued"; }
  bool capturable() const override { return true; }
  void exchange(DeviceQueue& queue, const std::vector<PeerBytes>& peers, const std::byte* sent,
                std::byte* received) override {
    gpu::submit_call(stream_of(queue), [this, peers, sent, received] {
      std::vector<Transport::Request> pending;
      const std::byte* from = sent;
      std::byte* to = received;
      for (const PeerBytes& peer : peers) {
        pending.push_back(ranks_.post_receive(peer.rank, 1, {to, peer.received}));
        pending.push_back(ranks_.post_send(peer.rank, 1, {from, peer.sent}));
        from += peer.sent;
        to += peer.received;
      }
      for (const auto request : pending) ranks_.wait(request);
    });
  }
  void sum(DeviceQueue& queue, View<std::uint64_t> words) override {
    gpu::submit_call(stream_of(queue), [this, words] {
      ranks_.all_reduce_sum(View<std::int64_t>(reinterpret_cast<std::int64_t*>(words.data()), words.size()));
    });
  }

 private:
  static gpu::Stream& stream_of(DeviceQueue& queue) { return *static_cast<gpu::Stream*>(queue.native()); }
  Transport& ranks_;
};

/// Fails once it is told to; notes how much device memory there was when it went.
class FailingExchange final : public DeviceExchange {
 public:
  struct Life {
    bool fails = false;
    int checks = 0;
    std::size_t bytes_at_end = 0;
  };
  FailingExchange(Transport& ranks, Life& life) : ranks_(ranks), life_(life) {}
  ~FailingExchange() override { life_.bytes_at_end = gpu::device_bytes(); }
  std::string name() const override { return "failing"; }
  bool capturable() const override { return true; }
  void exchange(DeviceQueue& queue, const std::vector<PeerBytes>& peers, const std::byte* sent,
                std::byte* received) override {
    ranks_.exchange(queue, peers, sent, received);
  }
  void sum(DeviceQueue& queue, View<std::uint64_t> words) override { ranks_.sum(queue, words); }
  void check() override {
    ++life_.checks;
    require_run(!life_.fails, "a connection broke; look at the network");
  }

 private:
  QueuedExchange ranks_;
  Life& life_;
};

using Connect = std::function<std::unique_ptr<DeviceExchange>(Transport&, const std::string&)>;

std::unique_ptr<DeviceExchange> queued_exchange(Transport& ranks, const std::string&) {
  return std::make_unique<QueuedExchange>(ranks);
}

/// Deals atoms without lending and order in space.
class PlainRanks final : public ResidentRanks {
 public:
  PlainRanks(Transport& ranks, const Box& box, double cutoff, Connect connect)
      : ranks_(ranks),
        box_(box),
        cutoff_(cutoff),
        connect_(std::move(connect)),
        halo_(ranks, HaloRoute::direct) {}
  std::unique_ptr<DeviceExchange> connect(const std::string& device) override {
    return connect_(ranks_, device);
  }
  HaloRows deal(Atoms& atoms) override {
    const View<const Vec4> local(atoms.position.data(), static_cast<std::size_t>(atoms.nlocal));
    const DomainGrid grid(domain_frame(box_, local, ranks_), ranks_.node_of());
    migrate(grid, ranks_, atoms);
    halo_.build(grid, box_, cutoff_, atoms);
    return halo_.rows();
  }
  HaloRows restore(Atoms&, Array<Vec4>&, bool) override {
    throw std::logic_error("no run of this test is continued");
  }

 private:
  Transport& ranks_;
  Box box_;
  double cutoff_;
  Connect connect_;
  Halo halo_;
};

struct Result {
  std::vector<Vec4> position, velocity, force;  ///< by id
  ResidentScalars scalars;
  std::int64_t rebuilds = 0;
  std::int64_t nodes = 0;  ///< of the graphs of a step on each rank, when no list was built
};

/// Water, loaded and not yet started.
std::unique_ptr<ResidentSystem> loaded_water(Transport& ranks, const reference::Plan& plan, BathKind bath,
                                             Connect connect, StageTimes& times) {
  const reference::System water = reference::small_water();
  ResidentSettings settings;
  settings.plans = {plan};
  settings.box = water.box;
  settings.dt = ranks::k_dt;
  settings.skin = 0.4;
  const double n = static_cast<double>(water.position.size());
  settings.bath = {ranks::bath_of(bath, 3 * n - 3)->settings()};
  const double rcut =
      std::max(plan->model->rcut, plan->dplr ? plan->dplr->wannier->model->rcut : plan->model->rcut);
  settings.ranks = std::make_shared<PlainRanks>(ranks, water.box, rcut + settings.skin, std::move(connect));
  auto system = gpu::make_resident_system(settings, true, times);
  ResidentState state;
  state.atoms = ranks::dealt(water, ranks);
  draw_velocities(state.atoms, 330, 5, ranks);
  state.atoms.image.resize(static_cast<std::size_t>(state.atoms.nlocal));
  state.bath = ranks::bath_of(bath, 3 * n - 3)->state();
  system->load(0, state);
  return system;
}

Result advance(Transport& transport, const reference::Plan& plan, BathKind bath, bool queued) {
  const std::shared_ptr<Transport> ranks = transport.split(0);
  StageTimes times;
  const auto system =
      loaded_water(*ranks, plan, bath, queued ? Connect(queued_exchange) : make_device_exchange, times);
  system->start(k_row);
  Result result;
  for (int step = 1; step <= k_steps; ++step) {
    ranks->barrier();
    const DeviceTraffic before = device_traffic();
    const std::int64_t rebuilds = system->rebuilds();
    ranks->barrier();
    system->step(step == k_steps ? k_row : Needs{});
    ranks->barrier();
    const DeviceTraffic after = device_traffic();
    if (step < 3 || step == k_steps || system->rebuilds() != rebuilds) continue;
    EXPECT_EQ(after.graph_launches - before.graph_launches, queued ? 2 * ranks->size() : 0);
    if (queued) {
      EXPECT_EQ(after.kernels - before.kernels, 0);
    }
    result.nodes = (after.graph_nodes - before.graph_nodes) / ranks->size();
  }
  EXPECT_TRUE(system->sound());
  result.scalars = system->scalars(0);
  result.rebuilds = system->rebuilds();
  Atoms atoms;
  Forces forces;
  Array<Vec4> dipoles;
  system->download(0, atoms, forces, dipoles);
  for (auto* const rows : {&result.position, &result.velocity, &result.force})
    rows->resize(reference::small_water().position.size());
  for (std::size_t i = 0; i < static_cast<std::size_t>(atoms.nlocal); ++i) {
    const auto id = static_cast<std::size_t>(atoms.id[i]);
    result.position[id] = atoms.position[i];
    result.velocity[id] = atoms.velocity[i];
    result.force[id] = forces.force[i];
  }
  return result;
}

/// Nodes of a step whose graphs hold its messages; what the queue gives must be what waiting gives.
std::int64_t compare(const reference::Plan& plan, BathKind bath) {
  std::int64_t nodes = 0;
  run_ranks(3, [&](Transport& transport) {
    const Result queued = advance(transport, plan, bath, true),
                 waited = advance(transport, plan, bath, false);
    EXPECT_GT(queued.rebuilds, 1);
    EXPECT_EQ(queued.rebuilds, waited.rebuilds);
    EXPECT_EQ(queued.scalars.kinetic, waited.scalars.kinetic);
    EXPECT_EQ(queued.scalars.energy, waited.scalars.energy);
    EXPECT_EQ(queued.scalars.virial, waited.scalars.virial);
    EXPECT_EQ(queued.scalars.bath, waited.scalars.bath);
    const auto same = [](const std::vector<Vec4>& a, const std::vector<Vec4>& b) {
      for (std::size_t i = 0; i < a.size(); ++i)
        EXPECT_TRUE(a[i].x == b[i].x && a[i].y == b[i].y && a[i].z == b[i].z) << "atom " << i;
    };
    same(queued.position, waited.position);
    same(queued.velocity, waited.velocity);
    same(queued.force, waited.force);
    if (transport.rank() == 0) nodes = queued.nodes;
  });
  return nodes;
}

// Ten more than on one rank: rows packed and sent, shares sent and added, and twice flags told, summed,
// heard.
TEST(DeviceRankGraphs, hold_messages_between_the_kernels_of_one_rank) {
  const auto plan = reference::plan_of(reference::model_named("water_sea.pb"), TableKind::lowrank);
  const std::int64_t alone = compare(plan, BathKind::none), coupled = compare(plan, BathKind::nose_hoover);
  EXPECT_GT(alone, 0);
  EXPECT_LE(alone, 16 + 10);
  EXPECT_GT(coupled, alone);
  EXPECT_LE(coupled, 19 + 10 + 2 * 2) << "sums over ranks, and what they decide";
}

TEST(DeviceRankGraphs, hold_the_sum_of_charge_meshes) {
  const auto model = reference::model_named("water_dplr.pb");
  const auto plan =
      reference::dplr_plan(model, reference::pppm_plan(*model, 12), {{0, 0, 0.05}, 0.01}, TableKind::lowrank);
  const std::int64_t nodes = compare(plan, BathKind::none);
  EXPECT_GT(nodes, 0);
  EXPECT_LE(nodes, 40 + 10 + 2) << "whether a charge has no place, and the sum";
}

// A kernel that waits for another rank would keep the memory from being freed.
TEST(DeviceRankGraphs, end_when_the_exchange_fails_and_give_it_up_before_their_memory) {
  const auto plan = reference::plan_of(reference::model_named("water_sea.pb"), TableKind::lowrank);
  const std::size_t bytes_before = gpu::device_bytes();
  for (const bool fails : {false, true}) {
    FailingExchange::Life life;
    std::size_t bytes_at_work = 0;
    const auto run = [&] {
      const auto ranks = make_self_transport();
      StageTimes times;
      const auto connect = [&](Transport& to, const std::string&) -> std::unique_ptr<DeviceExchange> {
        return std::make_unique<FailingExchange>(to, life);
      };
      const auto system = loaded_water(*ranks, plan, BathKind::nose_hoover, connect, times);
      system->start(k_row);
      const int checks = life.checks;
      system->step({});
      EXPECT_GT(life.checks, checks) << "a step waits for others";
      bytes_at_work = gpu::device_bytes();
      life.fails = fails;
      system->step({});
    };
    if (fails) {
      EXPECT_THROW(run(), RunError);
      EXPECT_EQ(life.bytes_at_end, bytes_at_work);
    } else {
      run();
      EXPECT_LT(life.bytes_at_end, bytes_at_work) << "graphs and their memory go first";
    }
    EXPECT_EQ(gpu::device_bytes(), bytes_before);
  }
}

}  // namespace
}  // namespace nanoday
