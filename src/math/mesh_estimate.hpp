// How far forces from a particle mesh will be off: the a-priori estimates that LAMMPS chooses its mesh by.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"

#include <array>
#include <cmath>
#include <cstdint>

namespace nanoday {

inline constexpr int k_max_assignment_order = 7;

/// Expansion coefficients a_m of the error of assignment order P (1 … 7), row P − 1
/// (Deserno, Holm, J. Chem. Phys. 109, 7694 (1998), table I; spec dplr.md 3.4).
NANODAY_HD inline double ik_error_coefficient(int order, int m) {
  constexpr double a[7][7] = {
      {2.0 / 3.0},
      {1.0 / 50.0, 5.0 / 294.0},
      {1.0 / 588.0, 7.0 / 1440.0, 21.0 / 3872.0},
      {1.0 / 4320.0, 3.0 / 1936.0, 7601.0 / 2271360.0, 143.0 / 28800.0},
      {1.0 / 23232.0, 7601.0 / 13628160.0, 143.0 / 69120.0, 517231.0 / 106536960.0,
       106640677.0 / 11737571328.0},
      {691.0 / 68140800.0, 13.0 / 57600.0, 47021.0 / 35512320.0, 9694607.0 / 2095994880.0,
       733191589.0 / 59609088000.0, 326190917.0 / 11700633600.0},
      {1.0 / 345600.0, 3617.0 / 35512320.0, 745739.0 / 838397952.0, 56399353.0 / 12773376000.0,
       25091609.0 / 1560084480.0, 1755948832039.0 / 36229939200000.0, 4887769399.0 / 37838389248.0}};
  return a[order - 1][m];
}

/// Expected rms error [eV/Å] of one force component with three transforms of i·k·φ ("ik"), along one axis:
/// ΔF = C Σq² (hβ)^P sqrt(β L √(2π)/n Σ_m a_m (hβ)^{2m}) / L².
/// \param spacing h [Å]; \param length L [Å]; \param charge2 C Σq² [eV·Å]; \param n_charges n
NANODAY_HD inline double ik_force_error(double spacing, double length, double beta, double charge2,
                                        double n_charges, int order) {
  const double x = spacing * beta;
  double series = 0;
  for (int m = order - 1; m >= 0; --m) series = series * x * x + ik_error_coefficient(order, m);
  const double root_two_pi = 2.5066282746310002;
  return charge2 * std::pow(x, order) * std::sqrt(beta * length * root_two_pi * series / n_charges) /
         (length * length);
}

/// What one axis contributes at one mesh frequency: the aliases q_b = 2π(n + bN)/L, b = −2 … 2, and sums over
/// them relative to the term b = 0, with U²(q) = sinc(qL/2N)^{2P}. Relative sums leave out that term, so that
/// nothing cancels when errors are small.
struct AdAliases {
  std::array<double, 5> q2{};     ///< q_b² [1/Å²]
  std::array<double, 5> gauss{};  ///< e^{−q_b²/2β²}
  double weight = 0;              ///< Σ_{b≠0} U²(q_b) / U²(q_0)
  double weight_q2 = 0;           ///< Σ_{b≠0} q_b² U²(q_b) / U²(q_0) [1/Å²]
  double screened = 0;            ///< Σ_{b≠0} e^{(q_0² − q_b²)/4β²} U²(q_b) / U²(q_0)
};

/// \param n frequency, |n| ≤ N/2; \param points N; \param length L [Å]
NANODAY_HD inline AdAliases ad_aliases(int n, int points, double length, double beta, int order) {
  constexpr double pi = 3.14159265358979323846;
  AdAliases sums;
  const double q0 = 2 * pi * n / length;
  for (int b = -2; b <= 2; ++b) {
    const double q = 2 * pi * (n + double(b) * points) / length;
    sums.q2[b + 2] = q * q;
    sums.gauss[b + 2] = std::exp(-q * q / (2 * beta * beta));
    if (b == 0 || n == 0) continue;  // at n = 0 the aliases fall on zeros of U
    // sin π(n/N + b) = ± sin πn/N: the ratio of the two sincs.
    const double u2 = std::pow(q0 / q, 2 * order);
    sums.weight += u2;
    sums.weight_q2 += q * q * u2;
    sums.screened += std::exp((q0 * q0 - q * q) / (4 * beta * beta)) * u2;
  }
  return sums;
}

/// One frequency's term of q_opt (spec dplr.md 3.4), without the common (4π)²:
/// Σ_b e^{−q²/2β²}/q² − (Σ_b e^{−q²/4β²} U²)² / (Σ_b U² · Σ_b q² U²) over the aliases of all axes.
/// \pre not all three frequencies are 0
NANODAY_HD inline double ad_optimum_term(const AdAliases& x, const AdAliases& y, const AdAliases& z) {
  constexpr double negligible = 1e-40;
  double gauss = 0;  // of all aliases but (0, 0, 0); the exponential leaves one or two per axis
  for (int a = 0; a < 5; ++a)
    for (int b = 0; b < 5; ++b) {
      const double xy = x.gauss[a] * y.gauss[b];
      if (xy < negligible) continue;
      for (int c = 0; c < 5; ++c)
        if (a != 2 || b != 2 || c != 2) gauss += xy * z.gauss[c] / (x.q2[a] + y.q2[b] + z.q2[c]);
    }
  const auto both = [](double a, double b) { return a + b + a * b; };  // (1 + a)(1 + b) − 1
  const double yz = both(y.weight, z.weight), xz = both(x.weight, z.weight), xy = both(x.weight, y.weight);
  const double q2 = x.q2[2] + y.q2[2] + z.q2[2];
  const double more_q2 = x.q2[2] * yz + x.weight_q2 * (1 + yz) + y.q2[2] * xz + y.weight_q2 * (1 + xz) +
                         z.q2[2] * xy + z.weight_q2 * (1 + xy);
  const double divisor = both(both(x.weight, yz), more_q2 / q2);
  const double screened = both(both(x.screened, y.screened), z.screened);
  const double lost = (divisor - both(screened, screened)) / (1 + divisor);
  return gauss + x.gauss[2] * y.gauss[2] * z.gauss[2] / q2 * lost;
}

/// Smallest number ≥ n whose only prime factors are 2, 3 and 5: what transforms are fast for.
NANODAY_HD inline int next_smooth(int n) {
  for (;; ++n) {
    int rest = n;
    for (const int prime : {2, 3, 5})
      while (rest % prime == 0) rest /= prime;
    if (rest == 1) return n;
  }
}

}  // namespace nanoday
