// Slopes by central differences: of an energy when atoms move, and under strain.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reference/compare.hpp"
#include "reference/evaluate.hpp"

#include <functional>

namespace nanoday::reference {

/// [Å] or strain; errors of order step² and rounding/step are both below 1e-8.
inline constexpr double k_difference_step = 1e-4;

/// Moves coordinate d of atom i by h.
inline System moved(System system, std::size_t i, int d, double h) {
  double* x[3] = {&system.position[i].x, &system.position[i].y, &system.position[i].z};
  *x[d] += h;
  return system;
}

inline Vec3 strained(Vec3 x, int a, int b, double h) {
  const double from[3] = {x.x, x.y, x.z};
  return x + h * from[b] * Vec3{double(a == 0), double(a == 1), double(a == 2)};
}

/// Every vector r becomes r + h·e_a (e_b·r).
inline System strained(System system, int a, int b, double h) {
  for (Vec3& x : system.position) x = strained(x, a, b, h);
  for (Vec3& x : system.box.cell) x = strained(x, a, b, h);
  return system;
}

using Energy = std::function<double(const System&)>;

inline Numbers forces_by_differences(const Energy& energy, const System& system) {
  const double h = k_difference_step;
  Numbers force;
  for (std::size_t i = 0; i < system.position.size(); ++i)
    for (int d = 0; d < 3; ++d)
      force.push_back(-(energy(moved(system, i, d, h)) - energy(moved(system, i, d, -h))) / (2 * h));
  return force;
}

inline Numbers virial_by_differences(const Energy& energy, const System& system) {
  const double h = k_difference_step;
  Numbers virial;
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b)
      virial.push_back(-(energy(strained(system, a, b, h)) - energy(strained(system, a, b, -h))) / (2 * h));
  return virial;
}

}  // namespace nanoday::reference
