// Multiply-adds of one step.
// SPDX-License-Identifier: Apache-2.0
#include "app/work_count.hpp"

namespace nanoday {
namespace {

/// Dense layers of one centre type: the first on the kept features, forward and back, then the others.
double fitting_work(const InferencePlan& plan, int type) {
  const CentrePlan& centre = plan.centres[type];
  const FittingNet& net = plan.model->fitting[type];
  if (net.empty()) return 0;
  const double all = static_cast<double>(centre.pair_p.size()), strong = centre.n_precise;
  const double features = plan.precision == Precision::fp64 ? strong + 0.5 * (all - strong) : all;
  double work = 2 * features * net.layers[0].n_out;
  const double cost = plan.precision == Precision::fp64 && !centre.typical_z.empty() ? 0.5 : 1.0;
  for (std::size_t l = 1; l < net.layers.size(); ++l)
    work += cost * 2.0 * net.layers[l].n_in * net.layers[l].n_out;
  return work;
}

/// Rotation of the four rows there and back, products (4 each) and their gradients (8 each).
double product_work(const CentrePlan& centre) {
  return 2.0 * 4 * centre.n_columns * centre.n_rotated + 12.0 * static_cast<double>(centre.pair_p.size());
}

int table_columns(const InferencePlan& plan, int centre, int neighbor) {
  if (plan.model->is_excluded(centre, neighbor)) return 0;
  const int k = plan.model->pair_index(centre, neighbor);
  return plan.table == TableKind::lowrank ? plan.choice.basis[k].rank : plan.model->m1;
}

}  // namespace

double WorkCount::of(Stage stage) const {
  if (stage == Stage::descriptor) return descriptor;
  if (stage == Stage::fitting) return fitting;
  return stage == Stage::gradient ? gradient : 0;
}

WorkCount count_work(const Evaluator& evaluator) {
  constexpr double k_forward = 5 + 4;       // Horner; four rows of a
  constexpr double k_backward = 9 + 4 + 5;  // Horner with slope; ∂E/∂b; five sums
  const InferencePlan& plan = evaluator.plan();
  const Atoms& atoms = evaluator.atoms();
  const NeighborList& list = evaluator.neighbors();
  const double rcut2 = evaluator.model().rcut * evaluator.model().rcut;
  WorkCount work;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const int type = atoms.type[i];
    const bool evaluated = !plan.model->fitting[type].empty();  // dipole models leave types out
    work.fitting += fitting_work(plan, type);
    work.descriptor += evaluated ? product_work(plan.centres[type]) : 0;
    for (int t = 0; t < list.n_types; ++t) {
      int count = 0;
      for (std::int64_t k = list.offset[i * list.n_types + t]; k < list.offset[i * list.n_types + t + 1];
           ++k) {
        const Vec3 d = xyz(atoms.position[list.index[k]]) - xyz(atoms.position[i]);
        count += dot(d, d) < rcut2;
      }
      const double columns = evaluated ? table_columns(plan, type, t) : 0;
      work.neighbors += count;
      work.descriptor += k_forward * columns * count;
      work.gradient += k_backward * columns * count;
    }
  }
  work.neighbors /= static_cast<double>(atoms.nlocal);
  return work;
}

}  // namespace nanoday
