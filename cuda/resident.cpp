// Runs that stay on the device. Ordinary steps copy nothing to the host but the signals it steers by.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/resident.hpp"

#include "core/error.hpp"
#include "cuda/resident_system.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday::NANODAY_GPU {
namespace {

/// Per-atom values of a run are nobody's business.
Needs of_system(const Needs& needs) { return {needs.energy, needs.virial, false, false}; }

}  // namespace

Resident::Resident(const ResidentSettings& settings, StageTimes& times)
    : settings_(settings), times_(times), long_stream_(true) {
  energy_ = make_engine(stream_, settings.plan);
  if (settings.plan->dplr) {
    wannier_ = make_engine(stream_, settings.plan->dplr->wannier);
    dplr_ = std::make_unique<DplrTerm>(stream_, *settings.plan, settings.box);
  }
  require(
      !dplr_ || n_replicas() == 1,
      "{} replicas of a model with a long-range part were asked for (the mesh is not batched over replicas); "
      "run them one by one",
      n_replicas());
  std::vector<double> kT;
  std::vector<std::uint64_t> seed;
  for (const BathSettings& bath : settings.bath) {
    kT.push_back(bath.kT);
    seed.push_back(bath.seed);
  }
  upload(stream_, bath_, settings.bath);
  upload(stream_, kT_, kT);
  upload(stream_, seed_, seed);
  stream_.synchronize();
}

double Resident::cutoff() const {
  const double rcut = settings_.plan->model->rcut;
  return settings_.skin +
         (settings_.plan->dplr ? std::max(rcut, settings_.plan->dplr->wannier->model->rcut) : rcut);
}

void Resident::rebuild() {
  const Trace trace(times_, Stage::neighbor);
  wrap_atoms(stream_, settings_.box, atoms_);
  sort_atoms(stream_, work_, 0.5 * cutoff(), atoms_);
  build_lists();
  copy_on_device(stream_, atoms_.reference.data(), atoms_.position.data(), atoms_.nlocal * sizeof(Vec4));
  age_ = 0;
  ++rebuilds_;
}

void Resident::build_lists() {
  build_ghosts(stream_, work_, settings_.box, cutoff(), atoms_);
  build_list(stream_, work_, settings_.plan->model->n_types(), cutoff(), false, atoms_, list_);
  energy_->deal(stream_, atoms_.type.data(), atoms_.nlocal);
  if (wannier_) {
    wannier_->deal(stream_, atoms_.type.data(), atoms_.nlocal);
    dplr_->deal(stream_, atoms_);
  }
  size_results();
  forget_parts();
}

void Resident::size_results() {
  const auto nall = static_cast<std::size_t>(atoms_.nall()), n = static_cast<std::size_t>(atoms_.nlocal);
  fixed_.resize(nall);
  centre_virial_.resize(n);
  atom_energy_.resize(n);
  if (!dplr_) return;
  dipole_.resize(n);
  fill_zero(stream_, dipole_.data(), n * sizeof(Vec4));  // types without a centroid keep this
  dplr_->prepare({true, true, false, false});
}

EngineTask Resident::task(Needs needs) const {
  EngineTask task;
  task.position = atoms_.position.data();
  task.list = list_.view();
  task.gradient.force = fixed_.data();
  task.gradient.centre_virial = needs.virial ? centre_virial_.data() : nullptr;
  task.signals = signals_.data();
  task.clock = clock_;
  return task;
}

void Resident::evaluate_dplr_start(Needs needs) {
  const Range range("wannier");
  EngineTask forward = task(needs);
  forward.fitting.dipole = dipole_.data();
  forward.fitting.want_gradient = false;
  forward.fitting.keep = wannier_->keeps_forward();
  wannier_->run(stream_, forward);
  dplr_->place(stream_, atoms_, dipole_.data(), signals_.data());
  long_stream_.wait_for(stream_);
  const Range mesh("pppm");
  const TimedStage timed(clock_, long_stream_, Stage::pppm);
  dplr_->solve(long_stream_, needs);
}

void Resident::evaluate_dplr_end(Needs needs, int time_steps) {
  const Range range("wannier_gradient");
  stream_.wait_for(long_stream_);
  dplr_->come_home(stream_, atoms_, dipole_.data(), state_.data(), settings_.dt, time_steps, fixed_.data(),
                   needs.virial ? centre_virial_.data() : nullptr,
                   needs.energy ? atom_energy_.data() : nullptr);
  EngineTask backward = task(needs);
  backward.fitting.cotangent = dplr_->cotangent();
  backward.fitting.resume = wannier_->keeps_forward();
  wannier_->run(stream_, backward);
}

/// Forces of local atoms at the present positions; energy and virial into state_ as needed.
void Resident::evaluate(Needs needs, int time_steps) {
  {
    const TimedStage timed(clock_, stream_, Stage::halo);
    update_ghosts(stream_, atoms_);
  }
  fill_zero(stream_, fixed_.data(), fixed_.size() * sizeof(*fixed_.data()));
  if (needs.energy) fill_zero(stream_, atom_energy_.data(), atom_energy_.size() * sizeof(double));
  if (needs.virial)
    fill_zero(stream_, centre_virial_.data(), centre_virial_.size() * sizeof(*centre_virial_.data()));
  if (dplr_) evaluate_dplr_start(needs);
  {
    const Range range("deep_potential");
    if (clock_ != nullptr && dplr_) clock_->beside().start(stream_);
    EngineTask short_range = task(needs);
    if (needs.energy) short_range.fitting.atom_energy = atom_energy_.data();
    energy_->run(stream_, short_range);
    if (clock_ != nullptr && dplr_) clock_->beside().stop(stream_);
  }
  if (dplr_) evaluate_dplr_end(needs, time_steps);
  const TimedStage timed(clock_, stream_, Stage::force_sum);
  fold_ghosts(stream_, atoms_, &(*fixed_.data())[0], 4);
  finish_forces(stream_, fixed_.data(), atoms_, signals_.data());
  if (needs.energy || needs.virial)
    sum_results(stream_, atoms_, needs.energy ? atom_energy_.data() : nullptr,
                needs.virial ? centre_virial_.data() : nullptr, state_.data());
}

void Resident::bath(bool after) {
  const BathKind kind = settings_.bath[0].kind;
  if (kind != BathKind::nose_hoover && !(after && kind == BathKind::rescaling)) return;
  sum_kinetic(stream_, atoms_, state_.data(), halt());
  advance_bath(stream_, bath_.data(), state_.data(), n_replicas(), settings_.dt, after, halt());
  scale_velocities(stream_, atoms_, state_.data(), halt());
}

/// BAOAB's middle: half drift, friction and noise, half drift.
void Resident::langevin_drift() {
  drift(stream_, atoms_, settings_.dt / 2, halt());
  sum_kinetic(stream_, atoms_, state_.data(), halt());
  book_heat(stream_, state_.data(), n_replicas(), -1, halt());
  ornstein_uhlenbeck(stream_, atoms_, state_.data(), std::exp(-settings_.dt / settings_.bath[0].tau),
                     kT_.data(), seed_.data(), halt());
  sum_kinetic(stream_, atoms_, state_.data(), halt());
  book_heat(stream_, state_.data(), n_replicas(), 1, halt());
  drift(stream_, atoms_, settings_.dt / 2, halt());
}

void Resident::first_half() {
  const Range range("integrate");
  const TimedStage timed(clock_, stream_, Stage::integrate);
  bath(false);
  kick(stream_, atoms_, settings_.dt / 2, halt());
  watch_motion(stream_, atoms_, settings_.dt, settings_.max_move, settings_.lost_distance,
               !settings_.box.periodic[0] || !settings_.box.periodic[1] || !settings_.box.periodic[2],
               signals_.data());
  if (settings_.bath[0].kind == BathKind::langevin)
    langevin_drift();
  else
    drift(stream_, atoms_, settings_.dt, halt());
  watch_displacement(stream_, atoms_, 0.5 * settings_.skin, signals_.data());
  copy_to_host(stream_, seen_.data(), signals_.data(), sizeof(Signals));
}

void Resident::second_half(Needs needs) {
  evaluate(needs, 1);
  const Range range("integrate");
  const TimedStage timed(clock_, stream_, Stage::integrate);
  kick(stream_, atoms_, settings_.dt / 2, halt());
  bath(true);
  if (needs.energy) sum_kinetic(stream_, atoms_, state_.data(), halt());
  count_step(stream_, state_.data(), n_replicas(), signals_.data());
}

/// Records on first use and whenever memory has moved.
void Resident::run_part(Part& part, const std::function<void()>& body) {
  if (part.graph.empty() || !part.graph.fresh()) {
    part.clock.clear();
    clock_ = timed_ ? &part.clock : nullptr;
    part.graph.record(stream_, body);
    clock_ = nullptr;
  }
  part.graph.launch(stream_);
}

Resident::Part& Resident::second_part() {
  return second_[(last_needs_.energy ? 1 : 0) + (last_needs_.virial ? 2 : 0)];
}

void Resident::forget_parts() {
  first_ = {};
  second_.clear();
}

void Resident::time_stages(bool on) {
  stream_.synchronize();
  timed_ = on;
  forget_parts();
}

/// What the two graphs of the last step took, stage by stage. The solver's time counts where it was not
/// hidden.
void Resident::book_timers() {
  stream_.synchronize();
  first_.clock.add_to(times_);
  second_part().clock.add_to(times_);
}

bool Resident::stale() const {
  return age_ < 0 || (settings_.rebuild_every > 0 && age_ >= settings_.rebuild_every) ||
         seen_[0].rebuild != 0;
}

void Resident::start(Needs needs) {
  upload_state();
  pending_.clear();
  if (age_ >= 0) {
    watch_displacement(stream_, atoms_, 0.5 * settings_.skin, signals_.data());
    copy_to_host(stream_, seen_.data(), signals_.data(), sizeof(Signals));
    stream_.synchronize();
  }
  if (stale()) rebuild();
  last_needs_ = of_system(needs);
  do {
    fill_zero(stream_, signals_.data(), sizeof(Signals));
    evaluate(last_needs_, 0);
    if (last_needs_.energy) sum_kinetic(stream_, atoms_, state_.data(), halt());
    copy_to_host(stream_, seen_.data(), signals_.data(), sizeof(Signals));
    stream_.synchronize();
  } while (repeat_with_room());
  ++age_;
}

/// After a halt: gives the exact plan the rows it asked for. Everything queued after the evaluation that
/// halted has done nothing, so that it can be queued again.
bool Resident::repeat_with_room() {
  if (seen_[0].halt == 0) return false;
  for (NetEngine* engine : {energy_.get(), wannier_.get()}) {
    if (engine == nullptr) continue;
    engine->make_room(engine->read_counts(stream_).exact_rows);
    engine->deal(stream_, atoms_.type.data(), atoms_.nlocal);
  }
  forget_parts();
  fill_zero(stream_, signals_.data(), sizeof(Signals));
  return true;
}

void Resident::step(Needs needs) {
  const auto first = [&] { run_part(first_, [&] { first_half(); }); };
  const auto second = [&] { run_part(second_part(), [&] { second_half(last_needs_); }); };
  first();
  stream_.synchronize();
  while (repeat_with_room()) {
    second();  // of the step before
    first();
    stream_.synchronize();
  }
  if (!sound()) return;
  if (stale()) {
    if (timed_) first_.clock.add_to(times_);  // its timers go with the graphs
    rebuild();
  }
  last_needs_ = of_system(needs);
  second();
  ++age_;
  if (timed_) book_timers();
}

std::unique_ptr<ResidentSystem> make_resident_system(const ResidentSettings& settings, StageTimes& times) {
  return std::make_unique<Resident>(settings, times);
}

}  // namespace nanoday::NANODAY_GPU
