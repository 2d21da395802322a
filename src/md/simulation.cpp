// One MD step, top to bottom.
// SPDX-License-Identifier: Apache-2.0
#include "md/simulation.hpp"

#include "md/guards.hpp"
#include "md/neighborhood.hpp"

#include <utility>

namespace nanoday {

Simulation::Simulation(Evaluator& evaluator, std::unique_ptr<Thermostat> thermostat, double dt,
                       double degrees_of_freedom)
    : evaluator_(evaluator),
      thermostat_(std::move(thermostat)),
      dt_(dt),
      degrees_of_freedom_(degrees_of_freedom) {}

void Simulation::start(Needs needs) { compute(needs, step_); }

void Simulation::step(Needs needs) {
  const std::int64_t next = step_ + 1;
  first_half(next);      // v += f·dt/2m ;  x += v·dt
  compute(needs, next);  // lists when stale, ghosts, forces
  second_half(next);     // v += f·dt/2m
  step_ = next;
}

void Simulation::first_half(std::int64_t next) {
  Backend& backend = evaluator_.backend();
  const Trace trace(backend.times(), Stage::integrate);
  Atoms& atoms = evaluator_.atoms();
  thermostat_->before(backend, atoms, next);
  kick();
  check_motion(evaluator_, dt_, step_);  // before atoms move: what is dumped is what went wrong
  if (thermostat_->splits_drift()) {
    drift(dt_ / 2);
    thermostat_->middle(backend, atoms, next);
    drift(dt_ / 2);
  } else {
    drift(dt_);
  }
}

void Simulation::second_half(std::int64_t next) {
  Backend& backend = evaluator_.backend();
  const Trace trace(backend.times(), Stage::integrate);
  kick();
  thermostat_->after(backend, evaluator_.atoms(), next);
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
  const Atoms& atoms = evaluator_.atoms();
  Observables o;
  o.step = step_;
  o.time = time();
  o.kinetic = evaluator_.backend().kinetic_energy(atoms.velocity, atoms.mass);
  o.temperature = temperature_of(o.kinetic, degrees_of_freedom_);
  o.potential = evaluator_.forces().energy;
  o.total = o.potential + o.kinetic;
  o.conserved = o.total + thermostat_->energy();
  o.pressure = pressure_of(o.kinetic, evaluator_.forces().virial, evaluator_.box());
  return o;
}

}  // namespace nanoday
