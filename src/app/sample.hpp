// One evaluation of a model, results in the order of the input.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/engine.hpp"
#include "forces/evaluator.hpp"

#include <array>
#include <memory>
#include <vector>

namespace nanoday {

/// What one evaluation gives, atoms in input order.
struct Sample {
  double energy = 0;                               ///< [eV]
  double energy_long = 0, energy_field = 0;        ///< parts of `energy`, DPLR models [eV]
  std::array<double, 9> virial{};                  ///< −∂E/∂strain [eV]
  std::vector<Vec3> force;                         ///< (natoms) [eV/Å]
  std::vector<double> atom_energy;                 ///< (natoms) [eV]
  std::vector<std::array<double, 9>> atom_virial;  ///< (natoms) [eV]
  std::vector<Vec3> dipole;                        ///< (natoms) [Å], zero where a type carries none
  EvaluationCounts counts;
};

using PlanPointer = std::shared_ptr<const InferencePlan>;

/// Everything there is to know. Per-atom virials are computed on one thread.
inline constexpr Needs k_everything{true, true, true, true};

/// Evaluates an energy model, or the dipoles of a dipole model. \param needs with energies and virial
Sample evaluate(Backend& backend, const PlanPointer& plan, const BoundSystem& system,
                Needs needs = k_everything);

/// Dipole models: also energy = Σ_i weight_i · μ_i with its atomic parts, forces and virial, treated as an
/// energy. \param weight (natoms), input order
Sample evaluate_weighted_dipoles(Backend& backend, const PlanPointer& plan, const BoundSystem& system,
                                 const std::vector<Vec3>& weight, Needs needs = k_everything);

/// Sentences about neighbors outside the table and atoms with too many neighbors; empty when all is well.
std::vector<std::string> warnings_of(const EvaluationCounts& counts, const Model& model);

}  // namespace nanoday
