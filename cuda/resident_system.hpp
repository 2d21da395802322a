// What a resident system holds in device memory, and the parts of its step.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/resident.hpp"
#include "cuda/dplr.hpp"
#include "cuda/integrate.hpp"
#include "cuda/model_engine.hpp"
#include "cuda/neighbor_list.hpp"
#include "cuda/ranks.hpp"

#include <functional>
#include <map>
#include <memory>
#include <vector>

namespace nanoday::NANODAY_GPU {

/// Systems up to this size queue ahead of the host: an evaluation in vain at every rebuild, some twenty
/// microseconds per thousand atoms and forty steps, costs less than a wait of the device at every step
/// (estimated, not measured).
inline constexpr std::int64_t k_ahead_atoms = 16384;

/// A step is two graphs: up to the new positions, after which the host decides about the lists, and from the
/// forces on.
class Resident final : public ResidentSystem {
 public:
  /// \param by_id as make_resident_system()
  Resident(const ResidentSettings& settings, bool by_id, StageTimes& times);
  ~Resident() override;
  Resident(const Resident&) = delete;
  Resident& operator=(const Resident&) = delete;

  void load(int replica, const ResidentState& state) override;
  void start(Needs needs) override;
  void step(Needs needs) override;
  bool sound() const override { return seen_[0].trouble == 0; }
  ResidentScalars scalars(int replica) override;
  void download(int replica, Atoms& atoms, Forces& forces, Array<Vec4>& dipoles) override;
  Array<Vec4> reference(int replica) override;
  std::int64_t age() const override { return age_; }
  EvaluationCounts counts(int replica) override;
  std::int64_t rebuilds() const override { return rebuilds_; }
  void time_stages(bool on) override;
  void say(bool flag) override { ranks_.say(flag); }
  bool heard() const override { return heard_; }
  std::string exchange() const override { return ranks_.name(); }
  std::size_t peak_bytes() const override { return device_peak_bytes(); }

 private:
  // Parts of a step, queued on stream_.
  void first_half();
  void second_half(Needs needs);
  void advance(BathStage stage);
  void evaluate(Needs needs, int time_steps, const EvaluationEnd& end);
  void evaluate_dplr_start(Needs needs);
  void evaluate_dplr_end(Needs needs, int time_steps);
  EngineTask task(Needs needs) const;
  Results results(Needs needs) const;

  void upload_state();
  void upload_systems();
  void upload_rows(const Atoms& atoms, const HaloRows& rows);
  void fetch_rows(std::int64_t first, std::int64_t n, Atoms& atoms);
  int n_replicas() const { return static_cast<int>(settings_.bath.size()); }
  std::int64_t atoms_per_replica() const { return atoms_.nlocal / n_replicas(); }
  bool stale() const;
  bool runs_ahead() const;
  bool repeat_with_room();
  void rebuild();
  void place_atoms();
  void build_lists();
  void size_results();
  double cutoff() const;
  const std::int32_t* centres() const { return plans_.size() > 1 ? centre_.data() : atoms_.type.data(); }
  /// A recorded part of a step, and the timers in it.
  struct Part {
    StageClock clock;  ///< outlives the graph that records its events
    Graph graph;
  };
  void run_part(Part& part, const std::function<void()>& body);
  void forget_parts();
  Part& second_part();
  void book_timers();
  const std::uint32_t* halt() const { return &signals_.data()->halt; }
  SystemState read_state(int replica);
  void finish_queue();

  ResidentSettings settings_;
  bool by_id_;
  Plans plans_;  ///< of the models, each once
  StageTimes& times_;
  Stream stream_, long_stream_;
  DeviceRanks ranks_;
  DeviceAtoms atoms_;
  DeviceList list_;
  RebuildWork work_;
  std::unique_ptr<NetEngine> energy_, wannier_;
  std::unique_ptr<DplrTerm> dplr_;
  DeviceArray<std::int32_t> model_;   ///< (replicas) which of plans_; several models only, as the next
  DeviceArray<std::int32_t> centre_;  ///< (nlocal) model·nt + type

  DeviceArray<std::array<std::int64_t, 4>> fixed_;
  DeviceArray<FixedSum> virial_;  ///< (replicas, slots, 9)
  DeviceArray<double> atom_energy_;
  DeviceArray<Vec4> dipole_;
  DeviceArray<SystemState> state_;
  DeviceArray<BathSettings> bath_;
  DeviceArray<double> kT_;
  DeviceArray<std::uint64_t> seed_;
  DeviceArray<Signals> signals_;
  PinnedArray<Signals> seen_{1};
  Mark seen_up_to_here_;  ///< seen_ is up to date
  Mark queue_end_;        ///< of finish_queue()

  Part first_;
  std::map<int, Part> second_;  ///< by needs
  bool timed_ = false, heard_ = false;
  StageClock* clock_ = nullptr;         ///< of the part being recorded, when timed
  std::vector<ResidentState> pending_;  ///< loaded and not yet uploaded
  Needs last_needs_;
  std::int64_t age_ = -1;
  std::int64_t rebuilds_ = 0;
};

}  // namespace nanoday::NANODAY_GPU
