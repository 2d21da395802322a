// The simulation box: three lattice vectors, an origin, and which directions repeat.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"

#include <array>

namespace nanoday {

/// A parallelepiped, or open space. Lattice vectors may be any right- or left-handed basis.
struct Box {
  std::array<Vec3, 3> cell{};                         ///< lattice vectors a, b, c [Å]; all zero when open
  Vec3 origin{};                                      ///< corner from which fractional coordinates count [Å]
  std::array<bool, 3> periodic{false, false, false};  ///< repeats along a, b, c

  /// Open space: nothing repeats and there is no volume.
  static Box open() { return {}; }
  static Box orthorhombic(double lx, double ly, double lz);
  static Box triclinic(const std::array<Vec3, 3>& cell);

  bool is_open() const { return !periodic[0] && !periodic[1] && !periodic[2]; }
  /// True when a, b, c lie along x, y, z.
  bool is_orthorhombic() const;
  /// |a · (b × c)| [Å³]; 0 when the cell is not set.
  double volume() const;
  /// Distance between the two faces spanned by the other two vectors, for each direction [Å].
  Vec3 heights() const;
  /// Fractional coordinates of x relative to origin [–]. \pre volume() > 0
  Vec3 fractional(Vec3 x) const;
  /// Position of fractional coordinates [Å].
  Vec3 cartesian(Vec3 fraction) const;
  /// Lattice translation n0·a + n1·b + n2·c [Å].
  Vec3 translation(int n0, int n1, int n2) const;
};

/// Moves x into the box along periodic directions and returns the lattice image it came from:
/// x_before = x_after + translation(image).
std::array<int, 3> wrap(const Box& box, Vec3& x);

}  // namespace nanoday
