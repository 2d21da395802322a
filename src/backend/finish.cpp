// Fixed-point sums: how totals are kept, and how forces become doubles once all shares have come home.
// SPDX-License-Identifier: Apache-2.0
#include "atoms/forces.hpp"
#include "backend/backend.hpp"

namespace nanoday {

void add_energy(Forces& forces, double energy) {
  if (!forces.fixed_point) {
    forces.energy += energy;
    return;
  }
  forces.exact_energy.add(energy);
  forces.energy = forces.exact_energy.value();
}

void add_virial(Forces& forces, const std::array<double, 9>& virial) {
  for (std::size_t c = 0; c < virial.size(); ++c) {
    if (!forces.fixed_point) {
      forces.virial[c] += virial[c];
      continue;
    }
    forces.exact_virial[c].add(virial[c]);
    forces.virial[c] = forces.exact_virial[c].value();
  }
}

void finish(Forces& forces, std::int64_t nlocal) {
  if (!forces.fixed_point) return;
  for (std::int64_t i = 0; i < nlocal; ++i) {
    const auto& f = forces.fixed[i];
    forces.force[i] = {double(f[0]) / k_fixed_point_scale, double(f[1]) / k_fixed_point_scale,
                       double(f[2]) / k_fixed_point_scale, 0};
  }
}

}  // namespace nanoday
