// Measures the force error of a mesh on given charges.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"

namespace nanoday {

/// Difference between the forces of a mesh and those of a reference, over all charges.
struct MeshError {
  double rms = 0;        ///< of a force component [eV/Å]
  double max = 0;        ///< largest difference of a component [eV/Å]
  double rms_force = 0;  ///< rms component of the reference forces [eV/Å]
  double relative = 0;   ///< rms / rms_force; 0 when there are no forces
  LongRangeMethod reference = LongRangeMethod::direct;
};

/// The plan whose forces a mesh is compared with. Where it costs about a second or less: the direct sum, its
/// box of reciprocal vectors so large that every one left out has e^{−k²/4β²} < 1e-16. Else a mesh of order 7
/// with 1.5 times the points along each axis, whose error is at most a sixteenth of that of a mesh of order 7
/// and smaller still beside lower orders.
LongRangePlan reference_plan(const LongRangePlan& mesh_plan, std::int64_t n_charges);

/// Evaluates `mesh_plan` and reference_plan() on the machine and compares the forces.
/// \param charges (n) x, y, z [Å], q [e]; n > 0
/// Throws InputError when there are no charges or the plan is not a mesh, and what the solvers throw.
MeshError measure_mesh_error(Backend& backend, const LongRangePlan& mesh_plan, View<const Vec4> charges);

}  // namespace nanoday
