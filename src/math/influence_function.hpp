// What one reciprocal mesh vector contributes: optimal influence functions, virial factor, self-force.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"
#include "core/vec3.hpp"

#include <array>
#include <cmath>

namespace nanoday {

/// Signed frequency of index i of an n-point transform: 0 … , then negative; n/2 itself becomes −n/2.
NANODAY_HD inline int mesh_frequency(int i, int n) { return 2 * i < n ? i : i - n; }

/// (sin x / x)^power: the transform of a B-spline of that order at x = π·frequency/n.
NANODAY_HD inline double sinc_power(double x, int power) {
  const double s = x == 0 ? 1.0 : std::sin(x) / x;
  double result = 1;
  for (int i = 0; i < power; ++i) result *= s;
  return result;
}

/// Σ over all aliases of sinc(x + πb)^{2P} as a polynomial in sin²x (spec dplr.md 3.2; Hockney & Eastwood
/// 8-22).
/// \param order P, 2 … 7
NANODAY_HD inline double assignment_alias_sum(int order, double sin_squared) {
  constexpr double k_b[6][7] = {{1, -2.0 / 3},
                                {1, -1, 2.0 / 15},
                                {1, -4.0 / 3, 2.0 / 5, -4.0 / 315},
                                {1, -5.0 / 3, 7.0 / 9, -17.0 / 189, 2.0 / 2835},
                                {1, -2, 19.0 / 15, -256.0 / 945, 62.0 / 4725, -4.0 / 155925},
                                {1, -7.0 / 3, 28.0 / 15, -16.0 / 27, 26.0 / 405, -2.0 / 1485, 4.0 / 6081075}};
  double sum = 0;
  for (int l = order - 1; l >= 0; --l) sum = sum * sin_squared + k_b[order - 2][l];
  return sum;
}

/// One alias q of wave vector k in the numerator of the "ik" function: (k·q/q²) e^{−q²/4β²} U²(q).
NANODAY_HD inline double ik_alias_term(Vec3 k, Vec3 q, double beta, double u_squared) {
  const double q2 = dot(q, q);
  return dot(k, q) / q2 * std::exp(-q2 / (4 * beta * beta)) * u_squared;
}

/// The whole numerator of the "ad" function: e^{−k²/4β²} U²(k).
NANODAY_HD inline double ad_numerator(double k2, double beta, double u_squared) {
  return std::exp(-k2 / (4 * beta * beta)) * u_squared;
}

/// Largest alias shift per direction of the "ik" sum, before truncation to integers (spec dplr.md 3.2):
/// |h|ᵀ t with t_d = β/(πN_d)·(ln 10⁷)^{1/4} and h the lower triangle the cell has in its standard
/// orientation.
/// \param lower xx, xy, xz, yy, yz, zz of h: a = (xx, 0, 0), b = (xy, yy, 0), c = (xz, yz, zz) [Å]
inline std::array<double, 3> alias_reach(const std::array<double, 6>& lower, std::array<int, 3> mesh,
                                         double beta) {
  const double reach = std::pow(-std::log(1e-7), 0.25);
  std::array<double, 3> t{};
  for (int d = 0; d < 3; ++d) t[d] = beta / (M_PI * mesh[d]) * reach;
  const auto& [xx, xy, xz, yy, yz, zz] = lower;
  return {xx * t[0], std::fabs(xy) * t[0] + yy * t[1],
          std::fabs(xz) * t[0] + std::fabs(yz) * t[1] + zz * t[2]};
}

/// δ_ab − 2 k_a k_b (1/k² + 1/4β²) as xx, xy, xz, yy, yz, zz: a mode's virial over its energy (spec
/// dplr.md 3.2).
NANODAY_HD inline std::array<double, 6> virial_factor(Vec3 k, double beta) {
  const double f = 2 * (1 / dot(k, k) + 1 / (4 * beta * beta));
  return {1 - f * k.x * k.x, -f * k.x * k.y, -f * k.x * k.z,
          1 - f * k.y * k.y, -f * k.y * k.z, 1 - f * k.z * k.z};
}

/// Σ_{i=−2}^{2} u(i) u(i+shift), u(i) = sinc(x + πi)^P: how strongly a charge feels its own mesh image in
/// "ad" differentiation (spec dplr.md 3.3; Ballenegger, Cerdà & Holm 2012).
inline double self_force_overlap(double x, int order, int shift) {
  double sum = 0;
  for (int i = -2; i <= 2; ++i)
    sum += sinc_power(x + M_PI * i, order) * sinc_power(x + M_PI * (i + shift), order);
  return sum;
}

}  // namespace nanoday
