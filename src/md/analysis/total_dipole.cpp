// Total dipole moment.
// SPDX-License-Identifier: Apache-2.0
#include "md/analysis/total_dipole.hpp"

#include "exact_reduce.hpp"

#include <cmath>

namespace nanoday {

Vec3 total_dipole(Transport& ranks, const Box& box, const Atoms& atoms, const TypeCharges& charges,
                  View<const Vec4> displacement) {
  std::array<ExactSum, 3> sum;
  for (std::size_t i = 0; i < static_cast<std::size_t>(atoms.nlocal); ++i) {
    const auto type = static_cast<std::size_t>(atoms.type[i]);
    const auto& n = atoms.image[i];
    const Vec3 x = xyz(atoms.position[i]) + box.translation(n[0], n[1], n[2]);
    const double wannier = charges.wannier[type];
    Vec3 p = (charges.ion[type] + wannier) * x;
    if (wannier != 0) p = p + wannier * xyz(displacement[i]);
    sum[0].add(p.x);
    sum[1].add(p.y);
    sum[2].add(p.z);
  }
  all_reduce_sum(ranks, View<ExactSum>(sum.data(), sum.size()));
  return {sum[0].value(), sum[1].value(), sum[2].value()};
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
