// The CUDA machine: arrays of the host in, results out. Runs that stay on the device are in resident.cpp.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/cuda_backend.hpp"

#include "atoms/exact_sum.hpp"
#include "core/error.hpp"
#include "core/units.hpp"
#include "cuda/device_counts.hpp"
#include "cuda/host_arrays.hpp"
#include "cuda/integrate.hpp"
#include "cuda/long_range.hpp"
#include "cuda/model_engine.hpp"
#include "cuda/neighbor_list.hpp"
#include "cuda/resident.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace nanoday::NANODAY_GPU {
namespace {

struct CudaModel final : PreparedModel {
  std::unique_ptr<NetEngine> engine;
  std::int64_t dealt_version = -1;  ///< of the neighbor list whose atoms the engine knows
};

/// Neighbor list of the host and its copy here.
class ListMirror {
 public:
  void refresh(Stream& stream, const NeighborList& list) {
    if (list.version == version_ && list.version != 0) return;
    device_.n_types = list.n_types;
    upload(stream, device_.offset, list.offset);
    upload(stream, device_.index, list.index);
    stream.synchronize();
    version_ = list.version;
  }
  ListView view() const { return device_.view(); }

 private:
  DeviceList device_;
  std::int64_t version_ = -1;
};

/// Sums over ranks by way of the host; none for one rank. What comes after waits for it: never in a graph.
SumWords sum_through_host(MeshRanks* ranks) {
  if (ranks == nullptr) return {};
  return [ranks](Stream& stream, std::uint64_t* words, std::size_t n) {
    std::vector<std::int64_t> host(n);
    copy_to_host(stream, host.data(), words, n * sizeof *words);
    stream.synchronize();
    ranks->sum(host);
    copy_to_device(stream, words, host.data(), n * sizeof *words);
    stream.synchronize();
  };
}

/// A solver whose charges come from the host.
class HostSolver final : public LongRangeSolver {
 public:
  HostSolver(const LongRangePlan& plan, StageTimes& times, MeshRanks* ranks)
      : solver_(make_solver(plan, 1, sum_through_host(ranks))),
        stream_(true),
        times_(times),
        waits_(ranks != nullptr) {}

  void start(const LongRangeArgs& args) override {
    const auto n = static_cast<std::int64_t>(args.charge.size());
    needs_ = args.needs;
    n_ = args.charge.size();
    solver_->prepare(n, args.needs);
    upload(stream_, charge_, args.charge);
    solver_->solve(stream_, charge_.data(), n, args.needs);
  }
  const LongRangeResult& finish() override {
    const Trace trace(times_, Stage::pppm);
    solver_->check(stream_);
    const LongRangeFields from = solver_->fields();
    std::array<double, 7> s{};
    result_.force.resize(n_);
    result_.atom_energy.resize(needs_.atom_energy ? n_ : 0);
    result_.atom_virial.resize(needs_.atom_virial ? n_ : 0);
    copy_to_host(stream_, s.data(), from.sums, sizeof s);
    copy_to_host(stream_, result_.force.data(), from.force, n_ * sizeof(Vec4));
    copy_to_host(stream_, result_.atom_energy.data(), from.atom_energy,
                 result_.atom_energy.size() * sizeof(double));
    copy_to_host(stream_, result_.atom_virial.data(), from.atom_virial,
                 result_.atom_virial.size() * sizeof(std::array<double, 9>));
    stream_.synchronize();
    result_.energy = needs_.energy || needs_.atom_energy ? s[0] : 0;
    result_.virial = {};
    if (needs_.virial || needs_.atom_virial)
      result_.virial = {s[1], s[2], s[3], s[2], s[4], s[5], s[3], s[5], s[6]};
    return result_;
  }

  double time_solves(const LongRangeArgs& args, int repeats) override {
    if (waits_) return LongRangeSolver::time_solves(args, repeats);
    start(args);
    finish();
    Graph graph;
    graph.record(stream_,
                 [&] { solver_->solve(stream_, charge_.data(), static_cast<std::int64_t>(n_), needs_); });
    graph.launch(stream_);
    DeviceTimer timer;
    timer.start(stream_);
    for (int k = 0; k < repeats; ++k) graph.launch(stream_);
    timer.stop(stream_);
    return timer.seconds() / repeats;
  }

 private:
  std::unique_ptr<DeviceSolver> solver_;
  Stream stream_;
  DeviceArray<Vec4> charge_;
  LongRangeResult result_;
  Needs needs_;
  std::size_t n_ = 0;
  StageTimes& times_;
  bool waits_;  ///< solving waits for other ranks: never part of a graph
};

class CudaBackend final : public Backend {
 public:
  CudaBackend(std::string device, bool by_id) : device_(std::move(device)), by_id_(by_id) {}

  std::string name() const override { return device_; }
  bool reproducible() const override { return true; }

  std::unique_ptr<PreparedModel> prepare(std::shared_ptr<const InferencePlan> plan) override {
    auto model = std::make_unique<CudaModel>();
    model->engine = make_engine(stream_, {std::move(plan)});
    return model;
  }

  std::vector<std::int32_t> spatial_order(View<const Vec4> position, double cell) override {
    DeviceAtoms atoms = only_positions(stream_, position);
    sort_atoms(stream_, work_, cell, atoms);
    std::vector<std::int64_t> id(position.size());
    download(stream_, id.data(), atoms.id, id.size());
    stream_.synchronize();
    return {id.begin(), id.end()};
  }

  void build_neighbor_list(const NeighborArgs& args, NeighborList& list) override {
    const DeviceAtoms atoms = all_atoms(stream_, args);
    DeviceList built;
    build_list(stream_, work_, args.n_types, args.cutoff, true, atoms, built);
    list.n_types = args.n_types;
    list.cutoff = args.cutoff;
    list.version = ++list_version_;
    list.offset.resize(static_cast<std::size_t>(args.nlocal * args.n_types + 1));
    download(stream_, list.offset.data(), built.offset, list.offset.size());
    stream_.synchronize();
    list.index.assign(static_cast<std::size_t>(list.n_pairs()) + 64, 0);  // spare entries, see NeighborList
    download(stream_, list.index.data(), built.index, static_cast<std::size_t>(list.n_pairs()));
    stream_.synchronize();
  }

  // The arrays lie on the host and only a number is asked for; resident systems watch on the device.
  double max_displacement2(View<const Vec4> position, View<const Vec4> reference) override {
    double most = 0;
    for (std::size_t i = 0; i < reference.size(); ++i) {
      const Vec3 d = xyz(position[i]) - xyz(reference[i]);
      if (!(dot(d, d) <= most)) most = dot(d, d);
      if (std::isnan(most)) break;
    }
    return most;
  }

  EvaluationCounts deep_potential(PreparedModel& model, const EvaluationArgs& args, Forces& forces) override {
    EngineTask task = task_of(args);
    prepare_results(args, forces);
    if (args.needs.energy || args.needs.atom_energy) task.fitting.atom_energy = atom_energy_.data();
    const EvaluationCounts counts = evaluate(model, args, task);
    collect(args, forces);
    return counts;
  }

  EvaluationCounts dipoles(PreparedModel& model, const EvaluationArgs& args, View<Vec4> dipole) override {
    EngineTask task = task_of(args);
    task.fitting.want_gradient = false;
    vectors_.resize(static_cast<std::size_t>(args.nlocal));
    fill_zero(stream_, vectors_.data(), vectors_.size() * sizeof(Vec4));
    task.fitting.dipole = vectors_.data();
    const EvaluationCounts counts = evaluate(model, args, task);
    download(stream_, dipole.data(), vectors_, vectors_.size());
    stream_.synchronize();
    return counts;
  }

  EvaluationCounts dipole_forces(PreparedModel& model, const EvaluationArgs& args, View<const Vec4> cotangent,
                                 Forces& forces) override {
    EvaluationArgs backward = args;
    backward.needs.energy = backward.needs.atom_energy = false;
    EngineTask task = task_of(backward);
    upload(stream_, vectors_, cotangent);
    task.fitting.cotangent = vectors_.data();
    prepare_results(backward, forces);
    const EvaluationCounts counts = evaluate(model, backward, task);
    collect(backward, forces);
    return counts;
  }

  std::unique_ptr<LongRangeSolver> make_long_range(const LongRangePlan& plan, MeshRanks* ranks) override {
    require(ranks == nullptr || !ranks->bricks(),
            "GPUs transform a whole mesh each (--fft reduction and pencil cut it into bricks); use --fft "
            "replicated");
    return std::make_unique<HostSolver>(plan, times_, ranks);
  }

  std::unique_ptr<ResidentSystem> make_resident(const ResidentSettings& settings) override {
    return make_resident_system(settings, by_id_, times_);
  }

  void kick(View<Vec4> velocity, View<const Vec4> force, View<const double> mass, double dt) override {
    DeviceAtoms atoms = moving_atoms(stream_, velocity, mass);
    upload(stream_, atoms.force, force);
    NANODAY_GPU::kick(stream_, atoms, dt, nullptr);
    read_back(stream_, atoms.velocity, velocity);
  }
  void drift(View<Vec4> position, View<const Vec4> velocity, double dt) override {
    DeviceAtoms atoms = only_positions(stream_, position);
    upload(stream_, atoms.velocity, velocity);
    NANODAY_GPU::drift(stream_, atoms, dt, nullptr);
    read_back(stream_, atoms.position, position);
  }
  void scale_velocities(View<Vec4> velocity, double factor) override {
    for (Vec4& v : velocity) v = padded(factor * xyz(v));
  }
  void ornstein_uhlenbeck(View<Vec4> velocity, View<const double> mass, View<const std::int64_t> id, double c,
                          double kT, std::uint64_t seed, std::uint64_t step) override {
    DeviceAtoms atoms = moving_atoms(stream_, velocity, mass);
    upload(stream_, atoms.id, id);
    SystemState state;
    state.step = static_cast<std::int64_t>(step) - 1;  // the kernel draws for the step to come
    DeviceArray<SystemState> states;
    DeviceArray<double> temperature;
    DeviceArray<std::uint64_t> seeds;
    const std::vector<SystemState> one_state{
        state};  // uploads read them until the stream has been waited for
    const std::vector<double> one_kT{kT};
    const std::vector<std::uint64_t> one_seed{seed};
    upload(stream_, states, one_state);
    upload(stream_, temperature, one_kT);
    upload(stream_, seeds, one_seed);
    stream_.synchronize();
    NANODAY_GPU::ornstein_uhlenbeck(stream_, atoms, states.data(), {c, temperature.data(), seeds.data()},
                                    nullptr);
    read_back(stream_, atoms.velocity, velocity);
  }
  AtomSum kinetic_energy(View<const Vec4> velocity, View<const double> mass) override {
    AtomSum sum{true, 0, {}};
    for (std::size_t i = 0; i < velocity.size(); ++i)
      sum.add(0.5 * mass[i] * dot(xyz(velocity[i]), xyz(velocity[i])) * units::k_mass_velocity2);
    return sum;
  }

 private:
  EngineTask task_of(const EvaluationArgs& args) {
    upload(stream_, position_, args.position);
    list_.refresh(stream_, *args.neighbors);
    EngineTask task;
    task.position = position_.data();
    task.list = list_.view();
    task.gradient.force = fixed_.data();
    return task;
  }

  /// Sizes and clears what kernels add to.
  void prepare_results(const EvaluationArgs& args, Forces& forces) {
    const std::size_t nall = args.position.size(), nlocal = static_cast<std::size_t>(args.nlocal);
    forces.fixed_point = true;
    forces.force.resize(nall);
    forces.fixed.resize(nall);
    fixed_.resize(nall);
    fill_zero(stream_, fixed_.data(), nall * sizeof(*fixed_.data()));
    if (args.needs.energy || args.needs.atom_energy) {
      atom_energy_.resize(nlocal);
      fill_zero(stream_, atom_energy_.data(), nlocal * sizeof(double));
    }
    if (args.needs.virial) {
      virial_.resize(std::size_t{9} * static_cast<std::size_t>(virial_slots(args.nlocal)));
      fill_zero(stream_, virial_.data(), virial_.size() * sizeof(FixedSum));
    }
    if (args.needs.atom_virial) {
      atom_virial_.resize(nall);
      fill_zero(stream_, atom_virial_.data(), nall * sizeof(*atom_virial_.data()));
    }
  }

  /// Runs the pass, again with more room where the exact plan had too little.
  EvaluationCounts evaluate(PreparedModel& prepared, const EvaluationArgs& args, EngineTask task) {
    auto& model = dynamic_cast<CudaModel&>(prepared);
    NetEngine& engine = *model.engine;
    task.gradient.force = fixed_.data();
    if (args.needs.virial) task.gradient.virial = {virial_.data(), nullptr, virial_slots(args.nlocal)};
    task.gradient.atom_virial = args.needs.atom_virial ? atom_virial_.data() : nullptr;
    if (model.dealt_version != args.neighbors->version || args.neighbors->version == 0) deal(model, args);
    for (;;) {
      engine.reset_counts(stream_);
      engine.run(stream_, task);
      const PassCounts seen = engine.read_counts(stream_);
      if (seen.exact_rows <= engine.room()) {
        require_run(
            seen.force_overflow == 0,
            "a pair force exceeds 4096 eV/Å or is not a number (the fixed-point sums cannot hold it); "
            "the structure has overlapping atoms or the run has exploded");
        return as_counts(seen);
      }
      engine.make_room(seen.exact_rows);
      deal(model, args);
      clear_again(args);
    }
  }
  void deal(CudaModel& model, const EvaluationArgs& args) {
    upload(stream_, type_, args.type);
    stream_.synchronize();
    model.engine->deal(stream_, work_, type_.data(), args.nlocal);
    model.dealt_version = args.neighbors->version;
  }
  void clear_again(const EvaluationArgs& args) {
    Forces unused;
    if (fixed_.size() == args.position.size()) prepare_results(args, unused);
  }

  void collect(const EvaluationArgs& args, Forces& forces) {
    const Needs& needs = args.needs;
    const auto nlocal = static_cast<std::size_t>(args.nlocal);
    download(stream_, forces.fixed.data(), fixed_, forces.fixed.size());
    std::vector<double> energy(needs.energy || needs.atom_energy ? nlocal : 0);
    download(stream_, energy.data(), atom_energy_, energy.size());
    std::vector<FixedSum> virial(needs.virial ? virial_.size() : 0);
    std::vector<std::array<std::int64_t, 9>> atom(needs.atom_virial ? forces.fixed.size() : 0);
    download(stream_, virial.data(), virial_, virial.size());
    download(stream_, atom.data(), atom_virial_, atom.size());
    stream_.synchronize();
    if (needs.energy) {
      ExactSum sum;
      for (const double e : energy) sum.add(e);
      forces.exact_energy = sum;
      forces.energy = sum.value();
    }
    if (needs.atom_energy) forces.atom_energy.assign(energy.begin(), energy.end());
    for (std::size_t c = 0; needs.virial && c < 9; ++c) {
      FixedSum sum;
      for (std::size_t k = c; k < virial.size(); k += 9) sum.add(virial[k]);
      forces.exact_virial[c] = ExactSum::from_limbs({static_cast<std::int64_t>(sum.low), sum.high, 0, 0});
      if (sum.misfits != 0) forces.exact_virial[c].add(value_of(sum));  // a NaN stays one over ranks
      forces.virial[c] = value_of(sum);
    }
    if (!needs.atom_virial) return;
    forces.atom_virial.resize(atom.size());
    for (std::size_t i = 0; i < atom.size(); ++i)
      for (int c = 0; c < 9; ++c)
        forces.atom_virial[i][c] = static_cast<double>(atom[i][c]) / k_fixed_point_scale;
  }

  std::string device_;
  bool by_id_;  ///< neighbors of resident systems, see make_resident_system()
  Stream stream_;
  RebuildWork work_;
  ListMirror list_;
  std::int64_t list_version_ = 0;
  DeviceArray<Vec4> position_, vectors_;
  DeviceArray<std::int32_t> type_;
  DeviceArray<std::array<std::int64_t, 4>> fixed_;
  DeviceArray<double> atom_energy_;
  DeviceArray<FixedSum> virial_;  ///< (slots, 9)
  DeviceArray<std::array<std::int64_t, 9>> atom_virial_;
};

}  // namespace

DeviceTraffic device_traffic() {
  const DeviceCounts& c = device_counts();
  return {c.bytes_to_host, c.bytes_to_device, c.kernels,       c.graph_launches,
          c.graph_nodes,   c.allocations,     c.graph_makings, c.graph_updates};
}

std::string gpu_name(int local_rank) {
  try {
    return open_device(local_rank);
  } catch (const InputError&) {
    return {};
  }
}

std::unique_ptr<Backend> make_cuda_backend(int local_rank, bool reproducible) {
  return std::make_unique<CudaBackend>(open_device(local_rank), reproducible);
}

}  // namespace nanoday::NANODAY_GPU
