// Which reciprocal vectors the direct sum runs over, and what each one weighs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"

#include <cmath>

namespace nanoday {

/// Largest index |n_d| along a lattice vector: K_d/2, K_d = ceil(|a_d|/h) made even (spec dplr.md 1.4).
NANODAY_HD inline double largest_reciprocal_index(double length, double spacing) {
  return std::ceil(std::ceil(length / spacing) / 2);
}

/// (4π/k²) e^{−k²/4β²} [Å²]: the potential of unit Gaussian charges in reciprocal space (dplr.md 1.2).
NANODAY_HD inline double gaussian_green(double k2, double beta) {
  return 12.566370614359172 / k2 * std::exp(-k2 / (4 * beta * beta));
}

/// δ_ab − 2 k_a k_b (1/k² + 1/4β²): what one reciprocal vector's energy is multiplied by in the virial
/// (dplr.md 1.3), order xx, yy, zz, xy, xz, yz.
NANODAY_HD inline double strain_factor(Vec3 k, double beta, int component) {
  const double c = 2 * (1 / dot(k, k) + 1 / (4 * beta * beta));
  switch (component) {
    case 0:
      return 1 - c * k.x * k.x;
    case 1:
      return 1 - c * k.y * k.y;
    case 2:
      return 1 - c * k.z * k.z;
    case 3:
      return -c * k.x * k.y;
    case 4:
      return -c * k.x * k.z;
    default:
      return -c * k.y * k.z;
  }
}

}  // namespace nanoday
