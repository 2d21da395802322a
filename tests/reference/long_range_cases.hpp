// Boxes, meshes and shapes that long-range solvers of every machine are tried on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reference/charges.hpp"
#include "reference/systems.hpp"

#include <array>
#include <ostream>
#include <string>
#include <vector>

namespace nanoday::reference {

inline LongRangePlan mesh_plan(const Box& box, double beta, std::array<int, 3> mesh, int order,
                               Differentiation differentiation = Differentiation::ik) {
  LongRangePlan plan;
  plan.box = box;
  plan.beta = beta;
  plan.mesh = mesh;
  plan.order = order;
  plan.differentiation = differentiation;
  plan.coulomb = k_training_coulomb;
  plan.influence_4pi = 12.5663706;
  return plan;
}

inline Box shifted_box() {
  Box box = Box::orthorhombic(12, 11, 9.5);
  box.origin = {1, -2, 40.5};
  return box;
}
/// Lattice vectors along no axis, left-handed.
inline Box turned_box() { return Box::triclinic({Vec3{1, 12, 2}, Vec3{11, 3.3, -1}, Vec3{-2.7, 4.1, 9.5}}); }
inline Box skewed_box() { return Box::triclinic({Vec3{12, 0, 0}, Vec3{3.3, 11, 0}, Vec3{-2.7, 4.1, 9.5}}); }

struct MeshCase {
  std::string name;
  Box box;
  double beta;
  std::array<int, 3> mesh;
  Differentiation differentiation;
};
inline void PrintTo(const MeshCase& c, std::ostream* out) { *out << c.name; }

/// Meshes so coarse that every rule at their edge shows; beta 1.5 brings aliases into the "ik" function; at
/// the edge of "turned_edge" modes that do not matter stand for waves that do.
inline std::vector<MeshCase> coarse_meshes() {
  using enum Differentiation;
  return {{"orthorhombic_ik", shifted_box(), 0.4, {10, 9, 8}, ik},
          {"orthorhombic_ad", shifted_box(), 0.4, {10, 9, 8}, ad},
          {"odd_ad", shifted_box(), 0.2, {7, 8, 9}, ad},
          {"skewed_even", skewed_box(), 0.4, {8, 10, 8}, ik},
          {"skewed_odd", skewed_box(), 0.4, {7, 9, 11}, ik},
          {"turned_edge", turned_box(), 0.4, {12, 11, 9}, ik},
          {"turned_aliases", turned_box(), 1.5, {9, 8, 10}, ik},
          {"pruned", shifted_box(), 0.2, {16, 15, 18}, ik}};
}

/// A direct sum: its box, constants and how many charges.
struct SumCase {
  std::string name;
  Box box;
  double beta, spacing;
  int n_charges;
};
inline void PrintTo(const SumCase& c, std::ostream* out) { *out << c.name; }

/// Boxes of every kind.
inline std::vector<SumCase> direct_sums() {
  Box shifted = Box::orthorhombic(7.1, 9.3, 12.2);
  shifted.origin = {-3, 40, 0.7};
  // A general cell, left-handed and turned: no vector lies along an axis.
  const Box turned = Box::triclinic({Vec3{1.2, 7.9, 0.4}, Vec3{6.8, -0.9, 2.1}, Vec3{0.3, -1.5, 8.4}});
  return {{"orthorhombic", shifted, 0.4, 1.0, 75},
          {"skewed", small_triclinic(), 0.4, 1.0, 40},
          {"turned", turned, 0.6, 0.8, 33},
          {"flat", Box::orthorhombic(14.3, 11.7, 1.3), 0.5, 0.9, 30}};
}

}  // namespace nanoday::reference
