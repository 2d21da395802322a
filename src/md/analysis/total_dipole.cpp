// Total dipole moment.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/total_dipole.hpp"

#include <cmath>

namespace nanoday {

Vec3 total_dipole(const Box& box, const Atoms& atoms, const TypeCharges& charges,
                  View<const Vec4> displacement) {
  std::vector<Vec3> part(static_cast<std::size_t>(atoms.nlocal));
  for (std::size_t i = 0; i < part.size(); ++i) {
    const auto type = static_cast<std::size_t>(atoms.type[i]);
    const auto& n = atoms.image[i];
    const Vec3 x = xyz(atoms.position[i]) + box.translation(n[0], n[1], n[2]);
    const double wannier = charges.wannier[type];
    Vec3 p = (charges.ion[type] + wannier) * x;
    if (wannier != 0) p = p + wannier * xyz(displacement[i]);
    part[static_cast<std::size_t>(atoms.id[i])] = p;
  }
  Vec3 total;
  for (const Vec3& p : part) total = total + p;
  return total;
}

void DipoleStatistics::add(Vec3 dipole) {
  ++count;
  const Vec3 delta = dipole - mean;
  mean = mean + (1 / static_cast<double>(count)) * delta;
  spread += dot(delta, dipole - mean);
}

double DipoleStatistics::fluctuation() const {
  return count > 1 ? std::sqrt(spread / static_cast<double>(count)) : 0;
}

}  // namespace nanoday
