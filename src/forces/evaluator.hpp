// Positions in, forces out: keeps ghosts and neighbor lists current and calls the machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/resident.hpp"
#include "domain_grid.hpp"
#include "forces/long_range.hpp"
#include "halo.hpp"
#include "lending.hpp"
#include "transport.hpp"

#include <array>
#include <memory>

namespace nanoday {

struct EvaluatorOptions {
  double skin = 2.0;      ///< [Å] beyond the model's cutoff
  int rebuild_every = 0;  ///< steps between list builds; 0: when an atom moved half the skin
  Balance balance = Balance::automatic;
};

/// Owns one rank's atoms of a system and everything needed to evaluate a model on them. With several ranks
/// every method that computes is collective, and results are those of all ranks where nothing else is said.
class Evaluator {
 public:
  /// \param atoms local atoms only (nlocal set; position, type, id, velocity, mass, image filled); which rank
  /// holds which does not matter, they move to their owners
  /// \param ranks none: one rank
  Evaluator(Backend& backend, std::shared_ptr<const InferencePlan> plan, const Box& box, Atoms atoms,
            EvaluatorOptions options, std::shared_ptr<Transport> ranks = nullptr);

  /// Evaluates the model at the present positions: rebuilds lists when stale (atoms are then wrapped, move to
  /// the ranks that own their places and are reordered: `atoms().id` tells who is who), otherwise only moves
  /// the ghosts.
  /// \param needs what besides forces will be read; for dipole models forces are not computed
  /// Throws RunError when a position is not finite.
  void compute(Needs needs);

  /// Dipole models: forces() = −Σ_i c_i · ∂μ_i/∂x for cotangents c in memory order. Call after compute().
  void compute_dipole_forces(View<const Vec4> cotangent, Needs needs);

  /// Time [ps] at which a field that depends on it is taken by the next compute().
  void set_time(double time);

  const Model& model() const { return *plan_->model; }
  const InferencePlan& plan() const { return *plan_; }
  Backend& backend() { return backend_; }
  const Box& box() const { return box_; }
  Transport& ranks() const { return *ranks_; }
  /// Atoms of all ranks.
  std::int64_t natoms() const { return natoms_; }
  Atoms& atoms() { return atoms_; }
  const Atoms& atoms() const { return atoms_; }
  const Forces& forces() const { return forces_; }
  /// (nlocal) [Å], memory order; dipole models: the dipoles; DPLR models: displacements of Wannier centroids.
  const Array<Vec4>& dipoles() const { return long_range_ && !mirrors_ ? long_range_->dipoles() : dipoles_; }
  /// DPLR models; null otherwise.
  const LongRange* long_range() const { return long_range_.get(); }
  const NeighborList& neighbors() const { return list_; }
  /// Of this rank, summed over all evaluations since construction; first_outside_atom is here the atom's
  /// index in the input.
  const EvaluationCounts& counts() const { return counts_; }
  /// Of all ranks. Collective.
  EvaluationCounts all_counts() const;
  /// Something to tell all ranks: it travels with the next compute(); heard() is true on all of them when one
  /// has said it.
  void say(bool flag) { said_ = flag; }
  bool heard() const { return heard_; }
  std::int64_t rebuilds() const { return rebuilds_; }
  /// What the last list build lent between ranks.
  const Lending& lending() const { return lending_; }
  /// Forces the next compute() to rebuild (after the caller moved atoms by hand).
  void invalidate() { age_ = -1; }

  /// What a checkpoint must hold so that a resumed run sees the same lists: positions at the last build
  /// (wrapped, memory order), images at that time are those of the atoms, and evaluations done since. A run
  /// that repeats the checkpointed evaluation after restore() hands back an age one less.
  struct ListState {
    Array<Vec4> reference;
    std::int64_t age = -1;
  };
  ListState list_state() const { return {reference_, age_}; }
  /// Systems of their own on the machine, with this one's plan, box and rules; null where the machine works
  /// on the arrays here, and with several ranks, whose ghosts travel between host arrays. `settings` holds
  /// what the evaluator does not know: dt, baths and limits of motion.
  std::unique_ptr<ResidentSystem> make_resident(ResidentSettings settings);
  /// Where a resident system begins.
  ResidentState resident_state() const;
  /// Shows here what a resident system holds: energy and virial, and when asked atoms, forces, dipoles, list
  /// state and counts.
  void mirror(const ResidentShare& resident, const ResidentScalars& scalars, bool arrays);
  /// Periodic images of the atoms, for those who look at a neighborhood; resident systems keep theirs apart.
  /// \pre positions are finite
  void show_images();
  /// As restore(), for a resident system that builds the list itself.
  void adopt(const ListState& state);
  /// Rebuilds the list exactly as it was; atoms() must hold the checkpoint's arrays in memory order.
  /// \param dealt the arrays come from a run on another number of ranks: atoms first move to their owners
  void restore(const ListState& state, bool dealt = false);

 private:
  bool stale();
  bool own_stale();
  void rebuild();
  void choose_domains();
  void deal_atoms();
  void sort_in_space(Array<Vec4>* further = nullptr);
  void build_list();
  bool ghosts_travel_beside() const;
  void find_interior();
  void count(const EvaluationCounts& seen);
  double cutoff() const;  ///< of the nets, the larger one [Å]

  Backend& backend_;
  std::shared_ptr<Transport> ranks_;
  std::shared_ptr<const InferencePlan> plan_;
  std::unique_ptr<PreparedModel> prepared_;
  std::unique_ptr<MeshRanks> mesh_ranks_;  ///< several ranks only; the long-range part uses it
  std::unique_ptr<LongRange> long_range_;
  Box box_;
  Atoms atoms_;
  EvaluatorOptions options_;
  std::int64_t natoms_ = 0;
  std::unique_ptr<DomainGrid> domains_;
  Lending lending_;
  Halo halo_;
  NeighborList list_;
  Forces forces_;
  Array<Vec4> dipoles_;
  Array<Vec4> reference_;
  std::int64_t age_ = -1;  ///< evaluations done with this list; −1: none yet
  std::int64_t rebuilds_ = 0;
  std::vector<std::uint8_t> interior_;  ///< (nlocal) 1 where no candidate is a ghost; of this list
  EvaluationCounts counts_;
  bool said_ = false, heard_ = false;
  bool mirrors_ = false;  ///< the arrays here show a resident system's
};

}  // namespace nanoday
