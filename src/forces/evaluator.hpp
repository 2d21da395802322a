// Positions in, forces out: keeps ghosts and neighbor lists current and calls the machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/resident.hpp"
#include "domain_grid.hpp"
#include "forces/long_range.hpp"
#include "halo.hpp"
#include "halo_choice.hpp"
#include "lending.hpp"
#include "transport.hpp"

#include <array>
#include <memory>
#include <optional>

namespace nanoday {

struct EvaluatorOptions {
  double skin = 2.0;      ///< [Å] beyond the model's cutoff
  int rebuild_every = 0;  ///< steps between list builds; 0: when an atom moved half the skin
  Balance balance = Balance::automatic;
  std::optional<HaloRoute> halo = {};  ///< none: the fastest, see comm/halo_choice.hpp
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
  bool said() const { return said_; }
  bool heard() const { return heard_; }
  /// What a resident system, which carries it there, has heard.
  void hear(bool flag) { heard_ = flag; }
  std::int64_t rebuilds() const { return rebuilds_; }
  /// What the last list build lent between ranks, by the work that the list before told.
  const Lending& lending() const { return lending_; }
  /// Forces the next compute() to rebuild (after the caller moved atoms by hand).
  void invalidate() {
    age_ = -1;
    listed_ = false;
  }

  /// What a checkpoint must hold so that a resumed run sees the same lists: positions at the last build
  /// (wrapped, memory order), images at that time are those of the atoms, and evaluations done since. A run
  /// that repeats the checkpointed evaluation after restore() hands back an age one less.
  struct ListState {
    Array<Vec4> reference;
    std::int64_t age = -1;
    std::optional<HaloRoute> halo = {};  ///< how ghosts travelled, which orders sums of doubles
  };
  ListState list_state() const;
  /// How ghosts travel between nodes; none before the first list build.
  const std::optional<HaloChoice>& halo_choice() const { return halo_choice_; }
  /// Systems of their own on the machine, with this one's plan, box and rules; null where the machine works
  /// on the arrays here. With several ranks one system of all of them, which must not outlive this;
  /// collective. `settings` holds what the evaluator does not know: dt, baths and limits of motion.
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
  void adopt(const ListState& state, bool dealt = false);
  /// Rebuilds the list exactly as it was; atoms() must hold the checkpoint's arrays in memory order.
  /// \param dealt the arrays come from a run on another number of ranks: atoms first move to their owners
  void restore(const ListState& state, bool dealt = false);

 private:
  class OtherRanks;

  void make_long_range();
  bool stale();
  bool own_stale();
  void rebuild();
  void choose_domains();
  void deal_and_list();
  void deal_atoms();
  bool lends() const;
  Array<Vec4> work_of_atoms() const;
  void sort_in_space(Array<Vec4>* further = nullptr);
  void return_to_build(Array<Vec4>& now, bool dealt);
  void check_dealable() const;
  void choose_halo_route();
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
  std::unique_ptr<Lender> lender_;  ///< several ranks only
  std::vector<double> share_;       ///< (ranks of the node) of its nets' work; empty: equal ones
  bool listed_ = false;             ///< list_ is one of these atoms in this order
  Lending lending_;
  Halo halo_;
  std::optional<HaloChoice> halo_choice_;
  NeighborList list_;
  Forces forces_;
  Array<Vec4> dipoles_;
  Array<Vec4> reference_;
  std::int64_t age_ = -1;  ///< evaluations done with this list; −1: none yet
  std::int64_t rebuilds_ = 0;
  std::vector<std::uint8_t> interior_;  ///< (nlocal) 1 where no candidate is a ghost; of this list
  EvaluationCounts counts_;
  bool said_ = false, heard_ = false;
  bool dealt_ = false;    ///< a resident system begins with atoms of another number of ranks
  bool mirrors_ = false;  ///< the arrays here show a resident system's
};

}  // namespace nanoday
