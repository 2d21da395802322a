// Time: one velocity-Verlet step after another, with a thermostat and guards.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "forces/evaluator.hpp"
#include "md/observables.hpp"
#include "md/thermostat.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

namespace nanoday {

/// Advances the atoms of an Evaluator.
class Simulation {
 public:
  /// \param dt time step [ps]
  /// \param degrees_of_freedom for the temperature, see md/observables.hpp
  /// \param share its place in a resident system of several replicas; none: it makes one of its own where the
  /// machine has such. Replicas are started and stepped in turn, the first one first.
  Simulation(Evaluator& evaluator, std::unique_ptr<Thermostat> thermostat, double dt,
             double degrees_of_freedom, ResidentShare share = {});

  /// Hands the present state to a resident system; start() does it where nobody has. All replicas of a system
  /// are loaded before the first one starts.
  void load();

  /// Evaluates forces at the present positions; once before the first step.
  void start(Needs needs);

  /// One step. \param needs what besides forces will be read after it.
  /// Throws AtomError (md/guards.hpp) when an atom's motion is absurd; atoms then are where they were
  /// when that was seen.
  void step(Needs needs);

  /// Brings the evaluator's atoms, forces and dipoles to the present step, where a machine keeps them
  /// elsewhere. Throws as step().
  void show();

  /// `wait` is called before the evaluator's arrays are overwritten from the machine: somebody may be reading
  /// them still. Null: nobody.
  void before_arrays(std::function<void()> wait) { before_arrays_ = std::move(wait); }

  /// Values at the present step, of all ranks. Collective. \pre the last start() or step() asked for energy
  /// and virial.
  Observables observe() const;

  /// The system as a machine of its own keeps it; null where the evaluator's arrays are the system.
  ResidentSystem* resident() { return resident_.system.get(); }

  std::int64_t step_count() const { return step_; }
  double time() const { return static_cast<double>(step_) * dt_; }
  double dt() const { return dt_; }
  Evaluator& evaluator() { return evaluator_; }
  const Evaluator& evaluator() const { return evaluator_; }
  Thermostat& thermostat() { return *thermostat_; }
  const Thermostat& thermostat() const { return *thermostat_; }

  /// Continues from a checkpoint: the evaluator and thermostat hold the restored state already.
  void set_step(std::int64_t step) { step_ = step; }

 private:
  void step_resident(Needs needs);
  void look(bool arrays);
  void explain(std::int64_t next);
  void require_finite(std::int64_t next) const;
  void first_half(std::int64_t next);
  void second_half(std::int64_t next);
  void kick();
  void drift(double dt);
  void compute(Needs needs, std::int64_t next);

  Evaluator& evaluator_;
  std::unique_ptr<Thermostat> thermostat_;
  double dt_;
  double degrees_of_freedom_;
  std::int64_t step_ = 0;
  ResidentShare resident_;
  ResidentScalars scalars_;  ///< of resident_ when last looked at
  std::int64_t shown_ = -1;  ///< step whose arrays the evaluator shows
  bool loaded_ = false;
  std::function<void()> before_arrays_;
};

/// Places for replicas, one per bath, in a system of their own on the evaluator's machine. Empty places where
/// the machine has no such, and for a single bath, whose simulation makes its own.
/// \param plans of the replicas, see ResidentSettings; none: the evaluator's for all
std::vector<ResidentShare> resident_shares(Evaluator& evaluator, double dt,
                                           const std::vector<BathSettings>& baths,
                                           std::vector<std::shared_ptr<const InferencePlan>> plans = {});

}  // namespace nanoday
