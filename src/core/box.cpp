// The simulation box: geometry.
// SPDX-License-Identifier: Apache-2.0
#include "core/box.hpp"

namespace nanoday {

Box Box::orthorhombic(double lx, double ly, double lz) {
  return triclinic({Vec3{lx, 0, 0}, Vec3{0, ly, 0}, Vec3{0, 0, lz}});
}

Box Box::triclinic(const std::array<Vec3, 3>& cell) {
  Box box;
  box.cell = cell;
  box.periodic = {true, true, true};
  return box;
}

bool Box::is_orthorhombic() const {
  const auto& [a, b, c] = cell;
  return a.y == 0 && a.z == 0 && b.x == 0 && b.z == 0 && c.x == 0 && c.y == 0;
}

double Box::volume() const { return std::fabs(dot(cell[0], cross(cell[1], cell[2]))); }

Vec3 Box::heights() const {
  const double v = volume();
  return {v / norm(cross(cell[1], cell[2])), v / norm(cross(cell[2], cell[0])),
          v / norm(cross(cell[0], cell[1]))};
}

Vec3 Box::fractional(Vec3 x) const {
  const Vec3 d = x - origin;
  const double det = dot(cell[0], cross(cell[1], cell[2]));
  return {dot(d, cross(cell[1], cell[2])) / det, dot(d, cross(cell[2], cell[0])) / det,
          dot(d, cross(cell[0], cell[1])) / det};
}

Vec3 Box::cartesian(Vec3 f) const { return origin + (f.x * cell[0] + f.y * cell[1] + f.z * cell[2]); }

Vec3 Box::translation(int n0, int n1, int n2) const {
  return double(n0) * cell[0] + double(n1) * cell[1] + double(n2) * cell[2];
}

std::array<int, 3> wrap(const Box& box, Vec3& x) {
  if (box.is_open()) return {0, 0, 0};
  const Vec3 f = box.fractional(x);
  const std::array<double, 3> fraction{f.x, f.y, f.z};
  std::array<int, 3> image{0, 0, 0};
  for (int d = 0; d < 3; ++d)
    if (box.periodic[d]) image[d] = static_cast<int>(std::floor(fraction[d]));
  if (image != std::array<int, 3>{0, 0, 0}) x = x - box.translation(image[0], image[1], image[2]);
  return image;
}

}  // namespace nanoday
