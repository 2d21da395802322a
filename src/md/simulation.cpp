// One MD step, top to bottom.
// SPDX-License-Identifier: Apache-2.0
#include "md/simulation.hpp"

#include "agreement.hpp"
#include "md/guards.hpp"
#include "md/neighborhood.hpp"

#include <utility>

namespace nanoday {

namespace {

/// Systems of their own on the evaluator's machine, one per bath; null where the machine has no such.
std::unique_ptr<ResidentSystem> make_resident(Evaluator& evaluator, double dt,
                                              std::vector<BathSettings> baths,
                                              std::vector<std::shared_ptr<const InferencePlan>> plans = {}) {
  ResidentSettings settings;
  settings.plans = std::move(plans);
  settings.dt = dt;
  settings.bath = std::move(baths);
  settings.max_move = k_max_move;
  settings.lost_distance = k_lost_distance;
  return evaluator.make_resident(std::move(settings));
}

/// Collective: true on all ranks when it is on one.
bool on_any(Transport& ranks, bool here) {
  double flag = here ? 1 : 0;
  ranks.all_reduce_max(View<double>(&flag, 1));
  return flag > 0;
}

}  // namespace

std::vector<ResidentShare> resident_shares(Evaluator& evaluator, double dt,
                                           const std::vector<BathSettings>& baths,
                                           std::vector<std::shared_ptr<const InferencePlan>> plans) {
  std::vector<ResidentShare> shares(baths.size());
  if (baths.size() < 2) return shares;
  const std::shared_ptr<ResidentSystem> system = make_resident(evaluator, dt, baths, std::move(plans));
  if (!system) return shares;
  const int n = static_cast<int>(baths.size());
  for (int r = 0; r < n; ++r) shares[r] = {system, r, n};
  return shares;
}

Simulation::Simulation(Evaluator& evaluator, std::unique_ptr<Thermostat> thermostat, double dt,
                       double degrees_of_freedom, ResidentShare share)
    : evaluator_(evaluator),
      thermostat_(std::move(thermostat)),
      dt_(dt),
      degrees_of_freedom_(degrees_of_freedom),
      resident_(std::move(share)) {
  if (!resident_.system) resident_.system = make_resident(evaluator_, dt, {thermostat_->settings()});
}

void Simulation::load() {
  if (resident() == nullptr || loaded_) return;
  ResidentState state = evaluator_.resident_state();
  state.bath = thermostat_->state();
  state.step = step_;
  resident_.system->load(resident_.replica, state);
  loaded_ = true;
}

void Simulation::start(Needs needs) {
  if (resident() == nullptr) return compute(needs, step_);
  load();
  if (resident_.replica == 0) resident_.system->start(needs);
  if (!resident_.system->sound()) explain(step_);
  show();
}

void Simulation::step(Needs needs) {
  const std::int64_t next = step_ + 1;
  if (resident() != nullptr) return step_resident(needs);
  first_half(next);      // v += f·dt/2m ;  x += v·dt
  compute(needs, next);  // lists when stale, ghosts, forces
  second_half(next);     // v += f·dt/2m
  step_ = next;
}

// The machine watches motion and forces itself; what it found is explained from its arrays.
void Simulation::step_resident(Needs needs) {
  resident_.system->say(evaluator_.said());
  if (resident_.replica == 0) resident_.system->step(needs);
  evaluator_.hear(resident_.system->heard());
  if (!resident_.system->sound()) explain(step_ + 1);
  ++step_;
  if (!needs.energy) return;
  look(false);
  if (!resident_.system->sound()) explain(step_);  // met by the forces of this very step
}

void Simulation::show() {
  if (resident() == nullptr || shown_ == step_) return;
  look(true);
  const bool here = !resident_.system->sound() || first_unsound_atom(evaluator_) >= 0;
  if (on_any(evaluator_.ranks(), here)) explain(step_);
  together(evaluator_.ranks(), [&] { check_motion(evaluator_, dt_, step_); });
  shown_ = step_;
}

void Simulation::look(bool arrays) {
  if (arrays && before_arrays_) before_arrays_();
  const Trace trace(evaluator_.backend().times(), Stage::output);
  scalars_ = resident_.system->scalars(resident_.replica);
  scalars_.bath.resize(thermostat_->state().size());
  thermostat_->restore(scalars_.bath);
  evaluator_.mirror(resident_, scalars_, arrays);
}

/// Names what went wrong in this replica, on the rank that sees it; the others fail with it. Only the last
/// replica speaks when it was nowhere to be seen.
void Simulation::explain(std::int64_t next) {
  look(true);
  together(evaluator_.ranks(), [&] { require_finite(next); });
  evaluator_.show_images();
  together(evaluator_.ranks(), [&] {
    check_motion(evaluator_, dt_, next);
    check_table_range(evaluator_, 0, next);
    check_centroids(evaluator_, next);
  });
  if (resident_.replica + 1 < resident_.n_replicas) return;
  throw RunError(
      fmt::format("step {}: a pair of atoms repels with more than the machine can sum, or an atom "
                  "moved absurdly far (the run has exploded); shorten --dt, or start from a relaxed "
                  "structure",
                  next));
}

void Simulation::require_finite(std::int64_t next) const {
  const std::int64_t atom = first_unsound_atom(evaluator_);
  if (atom < 0) return;
  throw AtomError(fmt::format("step {}, {}: a position or force is not a finite number (the run has "
                              "exploded); shorten --dt, or start from a relaxed structure",
                              next, atom_label(evaluator_, atom)),
                  atom);
}

void Simulation::first_half(std::int64_t next) {
  Backend& backend = evaluator_.backend();
  const Trace trace(backend.times(), Stage::integrate);
  const MovingAtoms moving{backend, evaluator_.atoms(), evaluator_.ranks()};
  thermostat_->before(moving, next);
  kick();
  check_motion(evaluator_, dt_, step_);  // before atoms move: what is dumped is what went wrong
  if (thermostat_->splits_drift()) {
    drift(dt_ / 2);
    thermostat_->middle(moving, next);
    drift(dt_ / 2);
  } else {
    drift(dt_);
  }
}

void Simulation::second_half(std::int64_t next) {
  Backend& backend = evaluator_.backend();
  const Trace trace(backend.times(), Stage::integrate);
  kick();
  thermostat_->after({backend, evaluator_.atoms(), evaluator_.ranks()}, next);
  check_motion(evaluator_, dt_, next);  // so that nothing absurd is ever written
}

void Simulation::kick() {
  Atoms& atoms = evaluator_.atoms();
  const View<const Vec4> force = View<const Vec4>(evaluator_.forces().force).subview(0, atoms.nlocal);
  evaluator_.backend().kick(atoms.velocity, force, atoms.mass, dt_ / 2);
}

void Simulation::drift(double dt) {
  Atoms& atoms = evaluator_.atoms();
  evaluator_.backend().drift(View<Vec4>(atoms.position).subview(0, atoms.nlocal), atoms.velocity, dt);
}

void Simulation::compute(Needs needs, std::int64_t next) {
  const std::int64_t outside = evaluator_.counts().outside_table;
  try {
    evaluator_.set_time(static_cast<double>(next) * dt_);
    evaluator_.compute(needs);
  } catch (const RunError& error) {
    const std::int64_t atom = first_unsound_atom(evaluator_);
    if (atom < 0) throw RunError(fmt::format("step {}: {}", next, error.what()));
    throw AtomError(fmt::format("step {}, {}: {}", next, atom_label(evaluator_, atom), error.what()), atom);
  }
  check_table_range(evaluator_, outside, next);
}

Observables Simulation::observe() const {
  const MovingAtoms moving{evaluator_.backend(), evaluator_.atoms(), evaluator_.ranks()};
  Observables o;
  o.step = step_;
  o.time = time();
  o.kinetic = resident_.system ? scalars_.kinetic : moving.kinetic_energy();
  o.temperature = temperature_of(o.kinetic, degrees_of_freedom_);
  o.potential = evaluator_.forces().energy;
  o.total = o.potential + o.kinetic;
  o.conserved = o.total + thermostat_->energy();
  o.pressure = pressure_of(o.kinetic, evaluator_.forces().virial, evaluator_.box());
  return o;
}

}  // namespace nanoday
