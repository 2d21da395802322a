// Systems that live on a machine: uploaded once, advanced there, looked at when somebody wants to see them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "atoms/forces.hpp"
#include "backend/backend.hpp"
#include "backend/resident_ranks.hpp"
#include "core/box.hpp"
#include "model/inference_plan.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nanoday {

enum class BathKind { none, nose_hoover, langevin, rescaling };

/// A heat bath as plain numbers, so that a machine can run it (md/thermostat.hpp holds the same things).
struct BathSettings {
  BathKind kind = BathKind::none;
  double kT = 0;   ///< [eV]
  double tau = 0;  ///< [ps]
  double degrees_of_freedom = 0;
  std::uint64_t seed = 1;
};

/// Everything about a run that does not change while it runs.
struct ResidentSettings {
  /// One per replica; replicas of one model have the same object. The models are of one architecture
  /// (model/architecture.hpp).
  std::vector<std::shared_ptr<const InferencePlan>> plans;
  Box box;
  double dt = 0;  ///< [ps]
  double skin = 2;
  int rebuild_every = 0;                           ///< 0: when an atom moved half the skin
  std::vector<BathSettings> bath{BathSettings{}};  ///< one per replica
  double max_move = 0.5;                           ///< farthest an atom may move in one step [Å]
  double lost_distance = 1e6;                      ///< open boxes [Å]
  std::shared_ptr<ResidentRanks> ranks;            ///< several ranks share the one system; null: one rank
};

/// What changes, and what a checkpoint holds.
struct ResidentState {
  Atoms atoms;            ///< local atoms only, memory order
  Array<Vec4> reference;  ///< (nlocal) positions at the last list build; empty: no list yet
  std::int64_t age = -1;  ///< evaluations done with the list; −1: none yet
  bool dealt = false;     ///< atoms come from another number of ranks and are not with their owners
  std::vector<double> bath;
  std::int64_t step = 0;
};

/// Scalars of the present step; energy and virial as asked for by its needs.
struct ResidentScalars {
  std::int64_t step = 0;
  double kinetic = 0;      ///< [eV]
  double energy = 0;       ///< [eV]
  double energy_long = 0;  ///< DPLR: the long-range part [eV]
  std::array<double, 9> virial{};
  std::vector<double> bath;
};

/// Independent systems (replicas; usually one) of equal composition on one machine, advanced together. They
/// share the box and the times of list builds, but nothing that moves. Or this rank's part of one system of
/// several ranks: load() takes any part of all atoms, sums and sound() are those of all ranks, and start(),
/// step(), scalars() and download() are collective.
class ResidentSystem {
 public:
  virtual ~ResidentSystem() = default;
  /// Where a replica begins; all of them, with equal ages, before start().
  virtual void load(int replica, const ResidentState& state) = 0;
  /// Forces at the present positions; once before the first step.
  virtual void start(Needs needs) = 0;
  /// One step of all replicas.
  virtual void step(Needs needs) = 0;
  /// False when start(), the last step() or the one before met something absurd; guards then look at the
  /// downloaded state.
  virtual bool sound() const = 0;
  virtual ResidentScalars scalars(int replica) = 0;
  /// Atoms in memory order, their forces, dipoles of DPLR models.
  virtual void download(int replica, Atoms& atoms, Forces& forces, Array<Vec4>& dipoles) = 0;
  /// (nlocal) positions at the last list build, memory order.
  virtual Array<Vec4> reference(int replica) = 0;
  /// Evaluations done with the list.
  virtual std::int64_t age() const = 0;
  /// Since load(), of all replicas together; the atom named is one of this replica, or −1.
  virtual EvaluationCounts counts(int replica) = 0;
  virtual std::int64_t rebuilds() const = 0;
  /// From now on steps book the time of their stages on the machine, at the cost of waiting for each step;
  /// off again, they run ahead of the host.
  virtual void time_stages(bool on) = 0;
  /// Several ranks: something to tell all of them, which travels with the next step(); heard() is then true
  /// on all of them when one has said it.
  virtual void say(bool flag) = 0;
  virtual bool heard() const = 0;
  /// How rows travel between the ranks' devices, for people; empty for one rank.
  virtual std::string exchange() const = 0;
  /// Most memory of the machine in use so far.
  virtual std::size_t peak_bytes() const = 0;
};

/// One replica's place in a resident system; no system: the host's arrays are the system.
struct ResidentShare {
  std::shared_ptr<ResidentSystem> system;
  int replica = 0;
  int n_replicas = 1;
};

}  // namespace nanoday
