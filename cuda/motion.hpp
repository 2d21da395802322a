// One atom's kick and drift, as every kernel that moves atoms does them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/units.hpp"
#include "core/vec3.hpp"
#include "cuda/device.hpp"

namespace nanoday::NANODAY_GPU {

/// v + f/m·dt.
NANODAY_DEVICE Vec4 kicked(Vec4 v, const Vec4& f, double mass, double dt) {
  const double s = dt * units::k_force_to_acceleration / mass;
  v.x += s * f.x;
  v.y += s * f.y;
  v.z += s * f.z;
  return v;
}

/// x + v·dt.
NANODAY_DEVICE Vec4 drifted(Vec4 x, const Vec4& v, double dt) {
  x.x += dt * v.x;
  x.y += dt * v.y;
  x.z += dt * v.z;
  return x;
}

}  // namespace nanoday::NANODAY_GPU
