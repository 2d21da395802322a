// The checks of `nanoday check`: identities the physics demands, and agreement between ways to compute.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/check_row.hpp"
#include "app/sample.hpp"

#include <string>
#include <vector>

namespace nanoday {

/// A model on a machine as a function of positions. Dipole models become the scalar Σ_i weight_i · μ_i, so
/// that the same identities hold.
struct Probe {
  Backend* backend = nullptr;
  PlanPointer plan;
  std::vector<Vec3> weight;  ///< (natoms) input order, dipole models only
  Needs needs = k_everything;

  Sample operator()(const BoundSystem& system) const {
    return weight.empty() ? evaluate(*backend, plan, system, needs)
                          : evaluate_weighted_dipoles(*backend, plan, system, weight, needs);
  }
};

/// Fixed weights for a dipole model; none for an energy model.
std::vector<Vec3> probe_weights(const Model& model, std::int64_t natoms);

/// The system itself, or its `most` atoms nearest to the first one in open space.
BoundSystem cut_out(const BoundSystem& system, std::int64_t most);

/// Every atom moved by up to `distance` [Å] along each axis, always the same way.
BoundSystem shaken(const BoundSystem& system, double distance);

/// Forces against central differences on a few atoms, virial against strain. \param probe double precision
CheckRows check_derivatives(const Probe& probe, const BoundSystem& system);

/// Translation, rotation, permutation, vanishing sum of forces. \param probe double precision
CheckRows check_symmetries(const Probe& probe, const BoundSystem& system);

/// Every instruction set of this computer against the oracle and against each other. \param small at most a
/// few hundred atoms
CheckRows check_machines(const Engine& engine, const PlanPointer& plan, const BoundSystem& small);

/// One thread against several: within rounding, and bit for bit in reproducible mode.
CheckRows check_threads(const Engine& engine, const PlanPointer& plan, const BoundSystem& system);

/// Largest difference of two arrays, component by component; infinity when one is not finite.
double largest_difference(const std::vector<Vec3>& a, const std::vector<Vec3>& b);

}  // namespace nanoday
