// One evaluation for tests: a plain system in, results in input order out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "forces/evaluator.hpp"

#include <vector>

namespace nanoday::reference {

/// Atoms in a box, in input order.
struct System {
  Box box;
  std::vector<std::int32_t> type;
  std::vector<Vec3> position;
};

/// Everything an evaluation gives, in input order.
struct Result {
  double energy = 0;
  std::array<double, 9> virial{};
  std::vector<Vec3> force;
  std::vector<double> atom_energy;
  std::vector<std::array<double, 9>> atom_virial;
  std::vector<Vec3> dipole;
  EvaluationCounts counts;
};

inline Atoms atoms_of(const System& system) {
  Atoms atoms;
  const std::size_t n = system.position.size();
  atoms.nlocal = static_cast<std::int64_t>(n);
  atoms.type.assign(system.type.begin(), system.type.end());
  atoms.velocity.resize(n);
  atoms.mass.assign(n, 1.0);
  atoms.image.resize(n);
  for (std::size_t i = 0; i < n; ++i) {
    atoms.position.push_back(padded(system.position[i]));
    atoms.id.push_back(static_cast<std::int64_t>(i));
  }
  return atoms;
}

inline constexpr Needs k_everything{true, true, true, true};

/// What an evaluator computed last, sorted back into input order.
inline Result result_of(const Evaluator& evaluator) {
  const std::size_t n = static_cast<std::size_t>(evaluator.atoms().nlocal);
  const Forces& forces = evaluator.forces();
  Result result;
  result.energy = forces.energy;
  result.virial = forces.virial;
  result.counts = evaluator.counts();
  if (!forces.force.empty()) result.force.resize(n);
  if (!forces.atom_energy.empty()) result.atom_energy.resize(n);
  if (!forces.atom_virial.empty()) result.atom_virial.resize(n);
  if (!evaluator.dipoles().empty()) result.dipole.resize(n);
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t i = static_cast<std::size_t>(evaluator.atoms().id[k]);
    if (!result.force.empty()) result.force[i] = xyz(forces.force[k]);
    if (!result.atom_energy.empty()) result.atom_energy[i] = forces.atom_energy[k];
    if (!result.atom_virial.empty()) result.atom_virial[i] = forces.atom_virial[k];
    if (!result.dipole.empty()) result.dipole[i] = xyz(evaluator.dipoles()[k]);
  }
  return result;
}

using Plan = std::shared_ptr<const InferencePlan>;

/// Energy models: everything. Dipole models: the dipoles.
inline Result evaluate(Backend& backend, const Plan& plan, const System& system, double skin = 1.0) {
  Evaluator evaluator(backend, plan, system.box, atoms_of(system), {skin, 0});
  evaluator.compute(k_everything);
  return result_of(evaluator);
}

/// Dipole models: dipoles, and −Σ_i c_i·∂μ_i/∂x with its virials for the cotangents `c` of an input order.
inline Result evaluate_dipole_forces(Backend& backend, const Plan& plan, const System& system,
                                     const std::vector<Vec3>& c) {
  Evaluator evaluator(backend, plan, system.box, atoms_of(system), {1.0, 0});
  evaluator.compute({});
  Array<Vec4> cotangent;
  for (std::int64_t k = 0; k < evaluator.atoms().nlocal; ++k)
    cotangent.push_back(padded(c[static_cast<std::size_t>(evaluator.atoms().id[k])]));
  evaluator.compute_dipole_forces(cotangent, k_everything);
  return result_of(evaluator);
}

}  // namespace nanoday::reference
