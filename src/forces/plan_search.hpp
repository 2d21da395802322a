// Chooses a plan for a model on the user's structure and measures its force error there.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "forces/dplr_plan.hpp"
#include "model/plan_builder.hpp"

namespace nanoday {

/// Force and energy error of a plan against the untabulated net in double (compressed models: against
/// their own table in double), on displaced copies of the user's structure.
struct MeasuredError {
  double force_rms = 0;        ///< [eV/Å]
  double force_max = 0;        ///< [eV/Å]
  double energy_per_atom = 0;  ///< largest |ΔE|/N over the copies [eV]
  std::int64_t atoms = 0;      ///< atoms per copy
  int copies = 0;
};

struct ChosenPlan {
  std::shared_ptr<const InferencePlan> plan;
  MeasuredError error;
  MeshReport mesh;  ///< DPLR models with a mesh
};

/// The plan for a model (compressed models: `lowrank` becomes a low-rank form of their own table when it
/// meets the bound). Ranks and pruning are the cheapest whose measured error is below options.force_error
/// on at most 500 atoms in 3 copies, every atom displaced by 0.1 Å.
/// DPLR models: the Wannier net gets a plan of the same kind, and the error is that of all forces, on the
/// whole structure where it has at most 3000 atoms; else the errors of both nets are added in quadrature.
/// \param atoms local atoms of the user's structure
ChosenPlan choose_plan(Backend& backend, std::shared_ptr<const Model> model, const Box& box,
                       const Atoms& atoms, const PlanOptions& options);

/// Force error of a plan at atoms as they stand (copies = 1), on at most 500 of them; DPLR models as above.
/// \param atoms all atoms of the system, local ones
MeasuredError measure_plan(Backend& backend, const std::shared_ptr<const InferencePlan>& plan, const Box& box,
                           const Atoms& atoms);

/// The plan with its low-rank tables chosen anew for the atoms as they stand and for displaced copies of
/// them. DPLR models: tables of both nets; the solver stays.
ChosenPlan choose_tables_again(Backend& backend, const std::shared_ptr<const InferencePlan>& plan,
                               const Box& box, const Atoms& atoms, const PlanOptions& options);

}  // namespace nanoday
