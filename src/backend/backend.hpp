// What a machine must be able to do: the seam between physics and hardware.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "atoms/forces.hpp"
#include "atoms/neighbor_list.hpp"
#include "backend/long_range.hpp"
#include "backend/mesh_ranks.hpp"
#include "core/box.hpp"
#include "core/timer.hpp"
#include "model/inference_plan.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// A machine's own form of an InferencePlan (packed weights, tables in its memory).
class PreparedModel {
 public:
  virtual ~PreparedModel() = default;
};

/// Neighbor search input: all atoms (local first), candidates wanted for the local ones.
struct NeighborArgs {
  View<const Vec4> position;      ///< (nall) [Å]
  View<const std::int32_t> type;  ///< (nall)
  View<const std::int64_t> id;    ///< (nall), orders candidates in reproducible mode
  std::int64_t nlocal = 0;
  int n_types = 0;
  double cutoff = 0;  ///< rcut + skin [Å]
};

/// What was met while evaluating; a caller reports or stops.
struct EvaluationCounts {
  std::int64_t outside_table =
      0;  ///< neighbors whose s̃ lay outside the table (net evaluated, or table continued)
  std::int64_t sel_overflow = 0;         ///< atoms with more than sel neighbors of a type (nearest sel kept)
  std::int64_t first_outside_atom = -1;  ///< local index of the first such atom, or −1
  double smallest_distance = 0;  ///< smallest distance among neighbors outside the table [Å], 0 when none
};

struct ResidentSettings;
class ResidentSystem;

/// Ghosts on their way while an evaluation has begun.
class GhostArrival {
 public:
  virtual ~GhostArrival() = default;
  /// Returns when the positions of all ghosts are in their rows; called once, by one thread.
  virtual void wait() = 0;
};

/// Input and output of one model evaluation.
struct EvaluationArgs {
  View<const Vec4> position;      ///< (nall) [Å]
  View<const std::int32_t> type;  ///< (nall)
  std::int64_t nlocal = 0;
  const NeighborList* neighbors = nullptr;
  Needs needs;
  GhostArrival* ghosts = nullptr;       ///< rows of ghosts become valid by its wait(); null: they are
  View<const std::uint8_t> interior{};  ///< (nlocal) with `ghosts`: 1 where no candidate is a ghost
};

/// One machine. Operations work on whole arrays; each is named after what the equations define, so a
/// machine may fuse what lies between. All results land in the caller's arrays.
class Backend {
 public:
  virtual ~Backend() = default;

  /// What it is, for people: "cpu (AVX-512, 2 threads)".
  virtual std::string name() const = 0;
  /// Threads its evaluations run on.
  virtual int threads() const { return 1; }
  /// True when mixed plans' faint products (LowRankChoice::n_single) are multiplied with 16 bits here; else a
  /// plan that allows it has not been measured.
  virtual bool multiplies_faint() const { return false; }
  /// True when sums are 64-bit fixed point, hence independent of their order.
  virtual bool reproducible() const = 0;

  /// True when deep_potential() evaluates interior atoms while ghosts travel (EvaluationArgs::ghosts); other
  /// machines are only given ghosts that have arrived.
  virtual bool overlaps_ghosts() const { return false; }

  virtual std::unique_ptr<PreparedModel> prepare(std::shared_ptr<const InferencePlan> plan) = 0;

  /// Permutation that makes neighbors in space neighbors in memory: new[k] = old[order[k]].
  /// `cell` is the bin width [Å]. Depends on positions only, not on threads.
  virtual std::vector<std::int32_t> spatial_order(View<const Vec4> position, double cell) = 0;
  virtual void build_neighbor_list(const NeighborArgs& args, NeighborList& list) = 0;
  /// max |x − reference|² [Å²]; NaN positions give a NaN.
  virtual double max_displacement2(View<const Vec4> position, View<const Vec4> reference) = 0;

  /// Energy model: adds nothing, overwrites `forces` (all nall rows of what `needs` asks); sizes force and
  /// fixed.
  virtual EvaluationCounts deep_potential(PreparedModel& model, const EvaluationArgs& args,
                                          Forces& forces) = 0;
  /// Dipole model: vectors of local atoms, (nlocal) [Å]; zero for types that carry none.
  virtual EvaluationCounts dipoles(PreparedModel& model, const EvaluationArgs& args, View<Vec4> dipole) = 0;
  /// Vector-Jacobian product of dipoles(): overwrites `forces` with −Σ_i cotangent_i · ∂μ_i/∂x (all rows),
  /// virial and per-atom virial as the needs say (sign as for an energy Σ_i cotangent_i · μ_i).
  virtual EvaluationCounts dipole_forces(PreparedModel& model, const EvaluationArgs& args,
                                         View<const Vec4> cotangent, Forces& forces) = 0;

  /// \param ranks the others who hold parts of the charges, null when there is one rank; must outlive the
  /// solver. Making and evaluating are then collective: every rank gives its own charges (with the same
  /// needs) and gets their forces. Throws InputError for plans or ranks this machine has no solver for.
  virtual std::unique_ptr<LongRangeSolver> make_long_range(const LongRangePlan& plan,
                                                           MeshRanks* ranks = nullptr) = 0;

  /// Whether it solves on meshes in bricks (MeshRanks::bricks()).
  virtual bool solves_bricks() const { return false; }

  /// Systems that are advanced where they live (backend/resident.hpp); null on machines whose arrays are the
  /// host's own.
  virtual std::unique_ptr<ResidentSystem> make_resident(const ResidentSettings& settings);

  /// v += f/m · dt; masses in u, so the unit factor is applied here. All (nlocal).
  virtual void kick(View<Vec4> velocity, View<const Vec4> force, View<const double> mass, double dt) = 0;
  /// x += v · dt.
  virtual void drift(View<Vec4> position, View<const Vec4> velocity, double dt) = 0;
  virtual void scale_velocities(View<Vec4> velocity, double factor) = 0;
  /// v ← c·v + sqrt((1−c²) kT/m) ξ with ξ normal deviates from the counter (seed, step, id). kT in eV.
  virtual void ornstein_uhlenbeck(View<Vec4> velocity, View<const double> mass, View<const std::int64_t> id,
                                  double c, double kT, std::uint64_t seed, std::uint64_t step) = 0;
  /// Σ ½ m v² of these atoms [eV].
  virtual AtomSum kinetic_energy(View<const Vec4> velocity, View<const double> mass) = 0;

  /// Measured multiply-adds per second of the whole machine on the fitting net's shapes: the peak that shares
  /// of it refer to. 0 when the machine does not know.
  virtual double peak_multiply_adds(Precision) { return 0; }

  StageTimes& times() { return times_; }

 protected:
  StageTimes times_;
};

/// Turns fixed-point sums of local atoms into `force`; no-op otherwise. Called after ghosts went home.
void finish(Forces& forces, std::int64_t nlocal);

}  // namespace nanoday
