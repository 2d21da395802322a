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

/// The influence function of one mesh, mode by mode; frequencies are wrapped integers as mesh_frequency()
/// gives them. What depends on one of them only stands in tables of the caller's.
struct InfluenceModes {
  using Mode = std::array<int, 3>;  ///< frequencies along a, b, c

  Mode mesh{};
  Mode reach{};                              ///< alias shifts −reach … reach
  std::array<const double*, 3> u_squared{};  ///< (n, 2·reach + 1) sinc^{2P} of each alias
  std::array<const double*, 3> alias_sum{};  ///< (n) assignment_alias_sum()
  std::array<Vec3, 3> reciprocal{};          ///< 2π b_d [1/Å]
  double beta = 0;                           ///< [1/Å]
  double scale = 0;                          ///< C/V·4π [eV/(e²·Å²)]
  bool ik = true;                            ///< which numerator

  NANODAY_HD Vec3 wave_vector(const Mode& m) const {
    return double(m[0]) * reciprocal[0] + double(m[1]) * reciprocal[1] + double(m[2]) * reciprocal[2];
  }
  /// What the transform of real data takes −mode to be: −N/2 stays −N/2.
  NANODAY_HD Mode mirrored(const Mode& m) const {
    Mode result{};
    for (int d = 0; d < 3; ++d) result[d] = 2 * m[d] == -mesh[d] ? m[d] : -m[d];
    return result;
  }
  /// Some frequency is −N/2, so that mirrored() is not −mode.
  NANODAY_HD bool on_edge(const Mode& m) const {
    return 2 * m[0] == -mesh[0] || 2 * m[1] == -mesh[1] || 2 * m[2] == -mesh[2];
  }
  NANODAY_HD int index(const Mode& m, int d) const { return m[d] < 0 ? m[d] + mesh[d] : m[d]; }
  NANODAY_HD double numerator(const Mode& m, Vec3 k) const {
    const double* u[3] = {};
    for (int d = 0; d < 3; ++d)
      u[d] = u_squared[d] + static_cast<long>(index(m, d)) * (2 * reach[d] + 1) + reach[d];
    if (!ik) return ad_numerator(dot(k, k), beta, u[0][0] * u[1][0] * u[2][0]);
    double sum = 0;
    for (int a = -reach[0]; a <= reach[0]; ++a)
      for (int b = -reach[1]; b <= reach[1]; ++b)
        for (int c = -reach[2]; c <= reach[2]; ++c) {
          const Vec3 q = k + wave_vector({a * mesh[0], b * mesh[1], c * mesh[2]});
          sum += ik_alias_term(k, q, beta, u[0][a] * u[1][b] * u[2][c]);
        }
    return sum;
  }
  NANODAY_HD double denominator(const Mode& m) const {
    double product = 1;
    for (int d = 0; d < 3; ++d) product *= alias_sum[d][index(m, d)];
    return product;
  }
  /// G(k)·C/V [eV/e²]; 0 for k = 0.
  NANODAY_HD double value(const Mode& m) const {
    if (m[0] == 0 && m[1] == 0 && m[2] == 0) return 0;
    const Vec3 k = wave_vector(m);
    const double d = denominator(m);
    return scale / dot(k, k) * numerator(m, k) / (d * d);
  }
  /// The Gaussian (with its aliases and what the assignment leaves of it) that weighs the mode, ≤ 1.
  NANODAY_HD double significance(const Mode& m) const {
    if (m[0] == 0 && m[1] == 0 && m[2] == 0) return 0;
    return std::fabs(numerator(m, wave_vector(m))) / denominator(m);
  }
};

/// Modes whose share in the sum over k is below this are left out: with charges of a few e at the density of
/// water the forces change by less than 1e-13 eV/Å and the energy by less than 1e-13 eV per molecule.
inline constexpr double k_negligible_mode = 1e-15;

/// A mode of the half spectrum of a real transform: the mean of both waves where a frequency is −N/2, and
/// half their difference where it is not negligible.
struct HalfModeWeight {
  double green, edge_difference;  ///< [eV/e²]
};
/// \param mirrors the signs of single frequencies do not matter (orthorhombic boxes)
NANODAY_HD inline HalfModeWeight half_mode_weight(const InfluenceModes& modes,
                                                  const InfluenceModes::Mode& mode, bool mirrors) {
  const double here = modes.value(mode);
  if (mirrors || !modes.on_edge(mode)) return {here, 0};
  const InfluenceModes::Mode other = modes.mirrored(mode);
  const double there = modes.value(other);
  const bool differ = std::fabs(modes.significance(mode) - modes.significance(other)) > k_negligible_mode;
  return {(here + there) / 2, differ ? (here - there) / 2 : 0};
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
