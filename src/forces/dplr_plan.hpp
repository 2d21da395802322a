// Chooses how the long-range part of a DPLR model is evaluated on the user's structure, and measures it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "model/plan_builder.hpp"

namespace nanoday {

/// What a mesh does on the user's structure.
struct MeshReport {
  double estimate = 0;  ///< expected rms error of a force component [eV/Å]; 0 for the direct sum
  double rms = 0;       ///< measured against the direct sum or a finer mesh [eV/Å]; 0 for the direct sum
  double max = 0;       ///< [eV/Å]
};

struct ChosenDplr {
  std::shared_ptr<const DplrPlan> plan;
  MeshReport mesh;
};

/// Solver, mesh and division of threads for `energy_plan`, whose model has a long-range part, with the
/// Wannier net's plan `wannier`. Throws InputError when charges are not neutral, no atom carries a centroid,
/// or the box or options do not fit the solver.
ChosenDplr choose_dplr(Backend& backend, const std::shared_ptr<const InferencePlan>& energy_plan,
                       std::shared_ptr<const InferencePlan> wannier, const Box& box, const Atoms& atoms,
                       const LongRangeOptions& options);

/// A copy of the plan with another long-range part.
std::shared_ptr<const InferencePlan> with_dplr(const InferencePlan& plan,
                                               std::shared_ptr<const DplrPlan> dplr);

/// A copy of a DPLR plan that sums over reciprocal vectors until e^{−k²/4β²} < 1e-16, on no mesh: what strict
/// checks are made with. Other plans come back as they are.
std::shared_ptr<const InferencePlan> without_mesh(std::shared_ptr<const InferencePlan> plan, const Box& box);

}  // namespace nanoday
