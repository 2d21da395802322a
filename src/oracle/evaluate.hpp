// Energies, dipoles and their forces, atom by atom.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"

namespace nanoday::oracle {

/// Backend::deep_potential.
EvaluationCounts deep_potential(const Model& model, const EvaluationArgs& args, Forces& forces);
/// Backend::dipoles.
EvaluationCounts dipoles(const Model& model, const EvaluationArgs& args, View<Vec4> dipole);
/// Backend::dipole_forces.
EvaluationCounts dipole_forces(const Model& model, const EvaluationArgs& args, View<const Vec4> cotangent,
                               Forces& forces);

}  // namespace nanoday::oracle
