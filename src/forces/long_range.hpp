// The long-range term of a DPLR model: Wannier centroids, their charges, and the forces that come home.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "backend/mesh_ranks.hpp"

#include <memory>

namespace nanoday {

/// C of the training program and of LAMMPS's metal units [eV·Å] (spec dplr.md 1.2).
inline constexpr double k_coulomb = 14.39964535475696995, k_coulomb_lammps = 14.399645;

/// Adds E_el and its derivatives to what the energy net gives (spec dplr.md 1.2, 1.3). A centroid is never an
/// atom: it belongs to the atom that carries it.
class LongRange {
 public:
  /// \param plan  with plan->dplr; box: all directions periodic. Throws InputError when the solver cannot be
  /// made.
  /// \param ranks that share the mesh; null: one rank
  /// \param nets  part of all ranks' nets that is evaluated here, where the solver is not divided as they are
  LongRange(Backend& backend, std::shared_ptr<const InferencePlan> plan, const Box& box,
            MeshRanks* ranks = nullptr, double nets = 1);

  /// Wannier net forward, then the solver is started: what the machine evaluates before finish() runs beside
  /// it. `atoms` as in args. Throws RunError (InputError at the first call) when a centroid is farther than
  /// 1 Å from its host.
  EvaluationCounts start(const EvaluationArgs& args, const Atoms& atoms);
  /// Adds energies, forces (all rows), virials to `forces`, which hold the energy net's results before ghosts
  /// went home.
  void finish(const EvaluationArgs& args, const Atoms& atoms, const Box& box, Forces& forces);

  /// Time that a field which depends on it is taken at [ps].
  void set_time(double time) { time_ = time; }

  const Model& wannier() const { return *dplr_.wannier->model; }
  /// Displacements of the centroids from their hosts, (nlocal) [Å]; zero for atoms without one.
  const Array<Vec4>& dipoles() const { return dipole_; }
  /// Charges of the last evaluation, x, y, z [Å], q [e]: ions in memory order, then centroids.
  View<const Vec4> charges() const { return charge_; }
  /// E_el and −Σ q E·x [eV], when the last evaluation needed the energy.
  double energy() const { return energy_; }
  double field_energy() const { return field_energy_; }

 private:
  std::int64_t owner_of(std::size_t k) const;  ///< local atom a charge belongs to
  void check_displacements(const Atoms& atoms);
  void place_charges(const Atoms& atoms);
  Vec3 field() const;
  void add_field(const Atoms& atoms, const Box& box, const Needs& needs, Forces& forces);
  void add_ions(Forces& forces) const;
  void add_site_sums(const LongRangeResult& result, const Needs& needs, Forces& forces) const;
  void add_chain_rule(const EvaluationArgs& args, Forces& forces);

  Backend& backend_;
  std::shared_ptr<const InferencePlan> plan_;
  const DplrPlan& dplr_;
  const DipoleCharge& charges_;
  std::unique_ptr<PreparedModel> prepared_;
  std::unique_ptr<LongRangeSolver> solver_;
  bool counts_totals_;  ///< this rank counts the solver's energy and virial, which are those of all ranks
  Array<Vec4> dipole_;
  Array<Vec4> charge_;              ///< ions in memory order, then centroids
  std::vector<std::int32_t> host_;  ///< local atom of every centroid
  Array<Vec4> site_force_;          ///< on every charge, field included
  Array<Vec4> cotangent_;           ///< (nlocal) minus the force on the atom's centroid
  Forces chain_;                    ///< forces through the Wannier net
  double energy_ = 0, field_energy_ = 0, time_ = 0;
  bool first_ = true;
};

}  // namespace nanoday
