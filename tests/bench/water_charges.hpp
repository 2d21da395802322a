// The charges of a water structure: ions and a centroid near every oxygen.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/box.hpp"
#include "core/view.hpp"
#include "io/structure_file.hpp"

#include <cmath>
#include <string>

namespace nanoday {

struct Charges {
  Box box;
  Array<Vec4> charge;
};

/// d moved to its nearest image.
inline Vec3 nearest(const Box& box, Vec3 d) {
  Vec3 f = box.fractional(box.origin + d);
  f = {f.x - std::nearbyint(f.x), f.y - std::nearbyint(f.y), f.z - std::nearbyint(f.z)};
  return box.cartesian(f) - box.origin;
}

/// Molecules O, H, H in input order; O 6, H 1 and a centroid of −8 at 0.07 Å from O on the bisector.
inline Charges water_charges(const std::string& path) {
  constexpr double k_displacement = 0.07;
  const Structure structure = read_structures(path).front();
  Charges charges{structure.box, {}};
  for (std::size_t o = 0; o + 2 < structure.natoms(); o += 3) {
    const Vec3 x = structure.position[o];
    Vec3 bisector{};
    charges.charge.push_back({x.x, x.y, x.z, 6});
    for (std::size_t h = o + 1; h < o + 3; ++h) {
      const Vec3 bond = nearest(structure.box, structure.position[h] - x);
      bisector = bisector + (1 / norm(bond)) * bond;
      const Vec3 at = structure.position[h];
      charges.charge.push_back({at.x, at.y, at.z, 1});
    }
    const Vec3 w = x + (k_displacement / norm(bisector)) * bisector;
    charges.charge.push_back({w.x, w.y, w.z, -8});
  }
  return charges;
}

}  // namespace nanoday
