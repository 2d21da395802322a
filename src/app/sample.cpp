// One evaluation of a model, results in the order of the input.
// SPDX-License-Identifier: Apache-2.0
#include "app/sample.hpp"

#include <fmt/format.h>

namespace nanoday {
namespace {

/// Evaluations here are single: no skin to reuse lists with.
constexpr EvaluatorOptions k_single{0.0, 1};

/// Copies what an energy evaluation left behind into input order.
void collect_energy(const Evaluator& evaluator, Sample& sample) {
  const Atoms& atoms = evaluator.atoms();
  const Forces& forces = evaluator.forces();
  const auto n = static_cast<std::size_t>(atoms.nlocal);
  sample.energy = forces.energy;
  sample.virial = forces.virial;
  sample.force.resize(n);
  sample.atom_virial.resize(n);
  for (std::size_t k = 0; k < n; ++k) {
    sample.force[atoms.id[k]] = xyz(forces.force[k]);
    if (!forces.atom_virial.empty()) sample.atom_virial[atoms.id[k]] = forces.atom_virial[k];
  }
}

void collect_atom_energy(const Evaluator& evaluator, Sample& sample) {
  const Atoms& atoms = evaluator.atoms();
  sample.atom_energy.resize(static_cast<std::size_t>(atoms.nlocal));
  for (std::size_t k = 0; k < sample.atom_energy.size(); ++k) {
    sample.atom_energy[atoms.id[k]] = evaluator.forces().atom_energy[k];
  }
}

void collect_dipoles(const Evaluator& evaluator, Sample& sample) {
  const Atoms& atoms = evaluator.atoms();
  sample.dipole.resize(static_cast<std::size_t>(atoms.nlocal));
  for (std::size_t k = 0; k < sample.dipole.size(); ++k) {
    sample.dipole[atoms.id[k]] = xyz(evaluator.dipoles()[k]);
  }
}

/// Parts of a DPLR model's energy, centroids as displaced from where the caller put their hosts.
void collect_long_range(const Evaluator& evaluator, Sample& sample) {
  collect_dipoles(evaluator, sample);
  sample.energy_long = evaluator.long_range()->energy();
  sample.energy_field = evaluator.long_range()->field_energy();
}

}  // namespace

Sample evaluate(Backend& backend, const PlanPointer& plan, const BoundSystem& system, Needs needs) {
  Evaluator evaluator(backend, plan, system.box, system.atoms, k_single);
  evaluator.compute(needs);
  Sample sample;
  sample.counts = evaluator.counts();
  if (plan->model->kind == ModelKind::dipole) {
    collect_dipoles(evaluator, sample);
  } else {
    if (evaluator.long_range() != nullptr) collect_long_range(evaluator, sample);
    collect_energy(evaluator, sample);
    collect_atom_energy(evaluator, sample);
  }
  return sample;
}

Sample evaluate_weighted_dipoles(Backend& backend, const PlanPointer& plan, const BoundSystem& system,
                                 const std::vector<Vec3>& weight, Needs needs) {
  Evaluator evaluator(backend, plan, system.box, system.atoms, k_single);
  evaluator.compute({});
  Sample sample;
  sample.counts = evaluator.counts();
  collect_dipoles(evaluator, sample);
  const Atoms& atoms = evaluator.atoms();
  Array<Vec4> cotangent(static_cast<std::size_t>(atoms.nlocal));
  for (std::size_t k = 0; k < cotangent.size(); ++k) cotangent[k] = padded(weight[atoms.id[k]]);
  evaluator.compute_dipole_forces(cotangent, needs);
  collect_energy(evaluator, sample);
  sample.energy = 0;
  for (std::size_t i = 0; i < weight.size(); ++i) {
    sample.atom_energy.push_back(dot(weight[i], sample.dipole[i]));
    sample.energy += sample.atom_energy.back();
  }
  return sample;
}

std::vector<std::string> warnings_of(const EvaluationCounts& counts, const Model& model) {
  std::vector<std::string> warnings;
  if (counts.outside_table > 0) {
    warnings.push_back(fmt::format(
        "{} neighbors are closer than the table covers (smallest distance {:.4f} Å, first at atom {}); {}",
        counts.outside_table, counts.smallest_distance, counts.first_outside_atom + 1,
        model.compressed ? "the model is compressed, so its table was continued: do not trust these values"
                         : "the net itself was evaluated for them"));
  }
  if (counts.sel_overflow > 0) {
    warnings.push_back(fmt::format(
        "{} atoms have more neighbors of a type than the model's sel; the nearest were kept, as in training",
        counts.sel_overflow));
  }
  return warnings;
}

}  // namespace nanoday
