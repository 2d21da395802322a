// Fixed-point force sums become doubles once all shares have come home.
// SPDX-License-Identifier: Apache-2.0
#include "atoms/forces.hpp"
#include "backend/backend.hpp"

namespace nanoday {

void finish(Forces& forces, std::int64_t nlocal) {
  if (!forces.fixed_point) return;
  for (std::int64_t i = 0; i < nlocal; ++i) {
    const auto& f = forces.fixed[i];
    forces.force[i] = {double(f[0]) / k_fixed_point_scale, double(f[1]) / k_fixed_point_scale,
                       double(f[2]) / k_fixed_point_scale, 0};
  }
}

}  // namespace nanoday
