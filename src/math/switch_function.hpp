// The smooth switch of the DP environment matrix.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"

namespace nanoday {

/// Value and slope of the switch at one distance.
template <class T>
struct SwitchValue {
  T value;  ///< w [–]
  T slope;  ///< dw/dr [1/Å]
};

/// w(u) = u³(−6u² + 15u − 10) + 1 with u = (r − r_s)/(r_c − r_s) clamped to [0, 1]: 1 below r_s, 0 beyond
/// r_c. DP-GEN "smooth edition", Zhang et al. 2018; spec 2.2. Works on scalars and SIMD packs. \param
/// inverse_width 1/(r_c − r_s) [1/Å]
template <class T>
NANODAY_HD inline SwitchValue<T> switch_inside(T r, T rcut_smth, T inverse_width) {
  const T u = (r - rcut_smth) * inverse_width;
  const T p = u * (u * -6.0 + 15.0) - 10.0;
  const T u2 = u * u;
  return {u2 * u * p + 1.0, (u2 * p * 3.0 + u2 * u * (15.0 - u * 12.0)) * inverse_width};
}

/// As switch_inside, for any scalar r.
NANODAY_HD inline SwitchValue<double> switch_function(double r, double rcut, double rcut_smth, double width) {
  if (r < rcut_smth) return {1.0, 0.0};
  if (r >= rcut) return {0.0, 0.0};
  return switch_inside(r, rcut_smth, 1.0 / width);
}

}  // namespace nanoday
