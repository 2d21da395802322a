// One row of the environment matrix and its derivative, for one neighbor.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "math/switch_function.hpp"

#include <array>

namespace nanoday {

/// Raw environment-matrix row (s, s·x/r, s·y/r, s·z/r) = w·(1/r, x/r², y/r², z/r²) [1/Å] of one neighbor,
/// and the three scalars from which its derivative is built (spec 2.3; DeePMD "env_mat"):
/// ∂(w/r)/∂d = radial·d;  Σ_c q_c ∂(w d_c/r²)/∂d = (angular·(q·d)) d + isotropic·q.
struct EnvironmentRow {
  std::array<double, 4> value;
  double radial;     ///< (w'/r − w/r²)/r
  double angular;    ///< (w'/r² − 2w/r³)/r
  double isotropic;  ///< w/r²
};

/// \param d displacement r_j − r_i [Å], |d| > 0
NANODAY_HD inline EnvironmentRow environment_row(Vec3 d, double rcut, double rcut_smth, double width) {
  const double r = norm(d);
  const auto w = switch_function(r, rcut, rcut_smth, width);
  const double i = 1.0 / r;
  const double iso = w.value * i * i;
  return {{w.value * i, iso * d.x, iso * d.y, iso * d.z},
          (w.slope - w.value * i) * i * i,
          (w.slope - 2.0 * w.value * i) * i * i * i,
          iso};
}

}  // namespace nanoday
