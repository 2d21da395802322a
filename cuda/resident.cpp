// Runs that stay on the device. Ordinary steps copy nothing to the host but the signals it steers by.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/resident.hpp"

#include "core/error.hpp"
#include "cuda/resident_system.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <stdexcept>
#include <utility>

namespace nanoday::NANODAY_GPU {
namespace {

/// Per-atom values of a run are nobody's business.
Needs of_system(const Needs& needs) { return {needs.energy, needs.virial, false, false}; }

/// The plans in the order of their first replica, and which of them each replica has.
std::vector<std::int32_t> number_models(const Plans& of_replicas, Plans& distinct) {
  std::vector<std::int32_t> model;
  for (const auto& plan : of_replicas) {
    const auto found = std::find(distinct.begin(), distinct.end(), plan);
    model.push_back(static_cast<std::int32_t>(found - distinct.begin()));
    if (found == distinct.end()) distinct.push_back(plan);
  }
  return model;
}

bool same_sum(const LongRangePlan& a, const LongRangePlan& b) {
  const bool constants = a.beta == b.beta && a.coulomb == b.coulomb && a.influence_4pi == b.influence_4pi;
  if (!constants || a.method != b.method) return false;
  if (a.method == LongRangeMethod::direct) return a.spacing == b.spacing;
  return a.mesh == b.mesh && a.order == b.order && a.differentiation == b.differentiation;
}

/// One solver serves all replicas.
void require_same_sum(const Plans& plans) {
  for (const auto& plan : plans)
    require(same_sum(plans[0]->dplr->solver, plan->dplr->solver),
            "the long-range parts of {} and {} differ in beta, solver or mesh (replicas on a GPU share one "
            "solver); give --beta, --solver and --mesh, or run the models one by one",
            plans[0]->model->source, plan->model->source);
}

}  // namespace

Resident::Resident(const ResidentSettings& settings, bool by_id, StageTimes& times)
    : settings_(settings), by_id_(by_id), times_(times), long_stream_(true), ranks_(settings.ranks.get()) {
  if (ranks_.several() && n_replicas() > 1)
    throw std::logic_error("replicas are advanced together on one rank");
  const std::vector<std::int32_t> model = number_models(settings.plans, plans_);
  energy_ = make_engine(stream_, plans_);
  if (plans_[0]->dplr) {
    require_same_sum(plans_);
    Plans wannier;
    for (const auto& plan : plans_) wannier.push_back(plan->dplr->wannier);
    wannier_ = make_engine(stream_, wannier);
    SumWords sum;
    if (ranks_.several())
      sum = [this](Stream& stream, std::uint64_t* words, std::size_t n) { ranks_.sum(stream, words, n); };
    dplr_ = std::make_unique<DplrTerm>(stream_, plans_, settings.box, n_replicas(), std::move(sum));
  }
  upload(stream_, model_, model);
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

/// Members go in reverse order: graphs, memory, exchange; a communicator waits for the graphs it is part of.
/// When an exception is on its way, a kernel may be waiting for a rank that never comes: graphs still go
/// first, which does not wait for those that run, but then the exchange, since freeing memory waits for the
/// device.
Resident::~Resident() {
  if (std::uncaught_exceptions() == 0) return;
  first_.graph = {};
  second_.clear();
  ranks_.abandon();
}

/// Returns when everything queued is done. Messages of other ranks may be part of it.
void Resident::finish_queue() {
  if (!ranks_.several()) return stream_.synchronize();
  queue_end_.set(stream_);
  ranks_.wait(queue_end_);
}

double Resident::cutoff() const {
  const InferencePlan& plan = *plans_[0];
  const double rcut = plan.model->rcut;
  return settings_.skin + (plan.dplr ? std::max(rcut, plan.dplr->wannier->model->rcut) : rcut);
}

void Resident::rebuild() {
  const Trace trace(times_, Stage::neighbor);
  wrap_atoms(stream_, settings_.box, atoms_);
  place_atoms();
  build_lists();
  copy_on_device(stream_, atoms_.reference.data(), atoms_.position.data(), atoms_.nlocal * sizeof(Vec4));
  fill_zero(stream_, signals_.data(), sizeof(Signals));  // what asked for it has been heard
  age_ = 0;
  ++rebuilds_;
}

/// Into an order in space, and ghosts behind them; with several ranks by way of the host, and each atom first
/// to the rank of its place.
void Resident::place_atoms() {
  if (!ranks_.several()) {
    sort_atoms(stream_, work_, 0.5 * cutoff(), atoms_);
    return build_ghosts(stream_, work_, settings_.box, cutoff(), atoms_);
  }
  Atoms atoms;
  fetch_rows(0, atoms_.nlocal, atoms);
  stream_.synchronize();
  const HaloRows rows = settings_.ranks->deal(atoms);
  upload_rows(atoms, rows);
}

/// \pre ghosts are there
void Resident::build_lists() {
  const int n_types = plans_[0]->model->n_types();
  build_list(stream_, work_, n_types, cutoff(), by_id_, atoms_, list_);
  if (plans_.size() > 1) {
    centre_.resize(static_cast<std::size_t>(atoms_.nlocal));
    number_centres(stream_, atoms_, n_types, model_.data(), centre_.data());
  }
  energy_->deal(stream_, work_, centres(), atoms_.nlocal);
  if (wannier_) {
    wannier_->deal(stream_, work_, centres(), atoms_.nlocal);
    dplr_->deal(stream_, atoms_, centres());
  }
  size_results();
  forget_parts();
}

void Resident::size_results() {
  const auto n = static_cast<std::size_t>(atoms_.nlocal);
  fixed_.resize(static_cast<std::size_t>(atoms_.nforces()));
  virial_.resize(std::size_t{9} * virial_slots(atoms_per_replica()) * settings_.bath.size());
  atom_energy_.resize(n);
  if (!dplr_) return;
  dipole_.resize(n);
  fill_zero(stream_, dipole_.data(), n * sizeof(Vec4));  // types without a centroid keep this
  dplr_->prepare({true, true, false, false});
}

Results Resident::results(Needs needs) const {
  const VirialSlots virial{virial_.data(), replicas(atoms_), virial_slots(atoms_per_replica())};
  return {fixed_.data(), needs.energy ? atom_energy_.data() : nullptr, needs.virial ? virial : VirialSlots{}};
}

EngineTask Resident::task(Needs needs) const {
  EngineTask task;
  task.position = atoms_.position.data();
  task.list = list_.view();
  task.gradient.force = fixed_.data();
  task.gradient.ghost_owner = atoms_.ghost_owner.data();
  task.gradient.nlocal = atoms_.nlocal;
  task.gradient.virial = results(needs).virial;
  task.cleared = true;
  task.signals = signals_.data();
  task.clock = clock_;
  return task;
}

void Resident::evaluate_dplr_start(Needs needs) {
  const Range range("wannier");
  EngineTask forward = task(needs);
  forward.fitting.dipole = dipole_.data();
  forward.fitting.halt = halt();
  forward.fitting.want_gradient = false;
  forward.fitting.keep = wannier_->keeps_forward();
  wannier_->run(stream_, forward);
  dplr_->place(stream_, atoms_, dipole_.data(), signals_.data());
  long_stream_.wait_for(stream_);
  const Range mesh("pppm");
  const TimedStage timed(clock_, long_stream_, Stage::pppm);
  dplr_->solve(long_stream_, needs, halt());
}

void Resident::evaluate_dplr_end(Needs needs, int time_steps) {
  const Range range("wannier_gradient");
  stream_.wait_for(long_stream_);
  dplr_->come_home(stream_, atoms_, dipole_.data(), state_.data(), settings_.dt, time_steps, results(needs));
  EngineTask backward = task(needs);
  backward.fitting.cotangent = dplr_->cotangent();
  backward.fitting.resume = wannier_->keeps_forward();
  backward.cleared = false;  // else the atoms the first pass gave away are still there
  backward.again = true;
  wannier_->run(stream_, backward);
}

/// Forces of local atoms at the present positions; energy and virial into state_ as needed.
void Resident::evaluate(Needs needs, int time_steps, const EvaluationEnd& end) {
  const Results to = results(needs);
  {
    const TimedStage timed(clock_, stream_, Stage::halo);
    ranks_.send_positions(stream_, atoms_);
    begin_evaluation(stream_, atoms_, to,
                     {energy_->exact_rows(), wannier_ ? wannier_->exact_rows() : ExactRows{}},
                     signals_.data());
  }
  if (dplr_) evaluate_dplr_start(needs);
  {
    const Range range("deep_potential");
    if (clock_ != nullptr && dplr_) clock_->beside().start(stream_);
    EngineTask short_range = task(needs);
    short_range.fitting.atom_energy = to.atom_energy;
    energy_->run(stream_, short_range);
    if (clock_ != nullptr && dplr_) clock_->beside().stop(stream_);
  }
  if (dplr_) evaluate_dplr_end(needs, time_steps);
  if (ranks_.several()) {
    const TimedStage timed(clock_, stream_, Stage::halo);
    ranks_.bring_home(stream_, atoms_, to.force);
    ranks_.agree(stream_, signals_.data());  // where one rank's exact plan halts, nobody moves an atom
  }
  const TimedStage timed(clock_, stream_, Stage::force_sum);
  finish_evaluation(stream_, atoms_, to, {energy_->counts(), wannier_ ? wannier_->counts() : nullptr}, end,
                    signals_.data());
  if (needs.energy || needs.virial)
    sum_results(stream_, atoms_, to.atom_energy, to.virial, state_.data(), halt(), &ranks_);
}

void Resident::advance(BathStage stage) {
  advance_bath(stream_, atoms_, bath_.data(), state_.data(), settings_.dt, stage, halt(), &ranks_);
}

void Resident::first_half() {
  const Range range("integrate");
  const TimedStage timed(clock_, stream_, Stage::integrate);
  const BathKind kind = settings_.bath[0].kind;
  const bool couple = kind == BathKind::nose_hoover, noise = kind == BathKind::langevin;
  const std::array<bool, 3>& periodic = settings_.box.periodic;
  const MotionLimits limits{settings_.dt, settings_.max_move, settings_.lost_distance, 0.5 * settings_.skin,
                            !periodic[0] || !periodic[1] || !periodic[2]};
  if (couple) advance(BathStage::before);
  begin_step(stream_, atoms_, couple ? state_.data() : nullptr, limits, noise, signals_.data());
  if (noise) {
    advance(BathStage::before_noise);
    noise_and_drift(stream_, atoms_, state_.data(),
                    {std::exp(-settings_.dt / settings_.bath[0].tau), kT_.data(), seed_.data()}, limits,
                    signals_.data());
    advance(BathStage::after_noise);
  }
  ranks_.agree(stream_, signals_.data());
  copy_to_host(stream_, seen_.data(), signals_.data(), sizeof(Signals));
}

void Resident::second_half(Needs needs) {
  const BathKind kind = settings_.bath[0].kind;
  const bool couple = kind == BathKind::nose_hoover || kind == BathKind::rescaling;
  evaluate(needs, 1, {settings_.dt / 2, couple ? nullptr : state_.data()});
  const Range range("integrate");
  const TimedStage timed(clock_, stream_, Stage::integrate);
  if (couple) {
    advance(BathStage::after);
    finish_coupling(stream_, atoms_, state_.data(), halt());
  }
  if (needs.energy) sum_kinetic(stream_, atoms_, state_.data(), halt(), &ranks_);
}

/// Records on first use and whenever memory has moved: after list builds, on all ranks at once, as NCCL wants
/// it. Where messages need the host, work is queued piece by piece.
void Resident::run_part(Part& part, const std::function<void()>& body) {
  const bool graphs = ranks_.capturable();
  if (!graphs || !part.graph.fresh()) {
    // The graph that is updated still records the old timers' events: they live until it has new ones.
    const StageClock before = std::exchange(part.clock, {});
    clock_ = timed_ ? &part.clock : nullptr;
    if (graphs)
      part.graph.record(stream_, body);
    else
      body();
    clock_ = nullptr;
  }
  if (graphs) part.graph.launch(stream_);
}

Resident::Part& Resident::second_part() {
  return second_[(last_needs_.energy ? 1 : 0) + (last_needs_.virial ? 2 : 0)];
}

/// What is recorded has the wrong sizes; with the right ones it will have the same kernels, mostly.
void Resident::forget_parts() {
  first_.graph.expire();
  for (auto& [needs, part] : second_) part.graph.expire();
}

void Resident::time_stages(bool on) {
  finish_queue();
  timed_ = on;
  forget_parts();
}

/// What the two graphs of the last step took, stage by stage. The solver's time counts where it was not
/// hidden.
void Resident::book_timers() {
  finish_queue();
  first_.clock.add_to(times_);
  second_part().clock.add_to(times_);
}

bool Resident::stale() const {
  return age_ < 0 || (settings_.rebuild_every > 0 && age_ >= settings_.rebuild_every) ||
         seen_[0].rebuild != 0;
}

void Resident::start(Needs needs) {
  finish_queue();
  upload_state();
  pending_.clear();
  if (age_ >= 0) {
    watch_displacement(stream_, atoms_, 0.5 * settings_.skin, signals_.data());
    ranks_.agree(stream_, signals_.data());
    copy_to_host(stream_, seen_.data(), signals_.data(), sizeof(Signals));
    finish_queue();
  }
  if (stale()) rebuild();
  last_needs_ = of_system(needs);
  do {
    fill_zero(stream_, signals_.data(), sizeof(Signals));
    evaluate(last_needs_, 0, {});
    if (last_needs_.energy) sum_kinetic(stream_, atoms_, state_.data(), halt(), &ranks_);
    ranks_.agree(stream_, signals_.data());
    copy_to_host(stream_, seen_.data(), signals_.data(), sizeof(Signals));
    finish_queue();
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
    engine->deal(stream_, work_, centres(), atoms_.nlocal);
  }
  forget_parts();
  fill_zero(stream_, signals_.data(), sizeof(Signals));
  return true;
}

/// True when the second half of a step may be queued before the host has seen what the first half led to:
/// the device then never waits for the host. If a rebuild turns out to be pending, that half has evaluated in
/// vain and left no trace. Large systems would lose more than the host's few microseconds by that; timers
/// would count it; and ranks would have to choose alike.
bool Resident::runs_ahead() const {
  const bool due = settings_.rebuild_every > 0 && age_ >= settings_.rebuild_every;
  return !timed_ && !due && !ranks_.several() && atoms_.nlocal <= k_ahead_atoms;
}

void Resident::step(Needs needs) {
  const auto first = [&] { run_part(first_, [&] { first_half(); }); };
  const auto second = [&](Needs of) {
    last_needs_ = of;
    run_part(second_part(), [&] { second_half(last_needs_); });
  };
  const Needs before = last_needs_, now = of_system(needs);
  bool ahead = runs_ahead();
  first();
  seen_up_to_here_.set(stream_);
  if (ahead) second(now);
  ranks_.wait(seen_up_to_here_);
  heard_ = ranks_.heard();
  while (repeat_with_room()) {
    ahead = false;
    second(before);
    first();
    finish_queue();
  }
  if (!sound()) {
    if (ahead) {  // nothing is queued that should do nothing
      fill_zero(stream_, &signals_.data()->halt, sizeof(Signals::halt));
      last_needs_ = before;
    }
    return;
  }
  if (stale()) {
    ahead = false;
    rebuild();
  }
  if (!ahead) second(now);
  ++age_;
  if (timed_) book_timers();
}

std::unique_ptr<ResidentSystem> make_resident_system(const ResidentSettings& settings, bool by_id,
                                                     StageTimes& times) {
  return std::make_unique<Resident>(settings, by_id, times);
}

}  // namespace nanoday::NANODAY_GPU
