// How a point charge is spread over mesh points: the cardinal B-spline weights of orders 2 to 7.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"

#include <cmath>

namespace nanoday {

inline constexpr int k_min_assignment_order = 2, k_max_assignment_order = 7;
/// Weights are stored in rows of this many, zeros behind the last one, so that a SIMD register holds them.
inline constexpr int k_weight_row = 8;

/// Polynomial pieces of the B-spline of order P: point m of the stencil has the weight
/// Σ_l coefficient[l][m] δ^l, |δ| ≤ ½ (spec dplr.md 3.1; Hockney & Eastwood, ch. 5).
template <int P>
struct AssignmentPolynomials {
  double coefficient[P][k_weight_row];
};

/// Repeated convolution with the unit box: M_{j+1}(x) = ∫ M_j(x+t) dt over |t| ≤ ½, piece by piece. Piece k
/// of step j covers the half-integer grid point k/2; a piece of step j+1 joins the halves of its two
/// neighbors.
template <int P>
constexpr AssignmentPolynomials<P> assignment_polynomials() {
  double old[P + 1][2 * P + 3] = {};  // [power][P + 1 + k]
  old[0][P + 1] = 1;
  for (int j = 1; j < P; ++j) {
    double next[P + 1][2 * P + 3] = {};
    for (int k = -j; k <= j; k += 2) {
      double half = 0.5, sign = 1;
      for (int l = 0; l < j; ++l) {
        const double left = old[l][P + k], right = old[l][P + 2 + k];
        next[l + 1][P + 1 + k] = (right - left) / (l + 1);
        next[0][P + 1 + k] += half * (left + sign * right) / (l + 1);
        half *= 0.5;
        sign = -sign;
      }
    }
    for (int l = 0; l <= P; ++l)
      for (int k = 0; k < 2 * P + 3; ++k) old[l][k] = next[l][k];
  }
  AssignmentPolynomials<P> result{};
  for (int l = 0; l < P; ++l)
    for (int m = 0; m < P; ++m) result.coefficient[l][m] = old[l][2 + 2 * m];
  return result;
}

/// Where a charge lies among the mesh points of one direction.
struct MeshPlace {
  double first;  ///< unwrapped index of the stencil's first point, an integer
  double delta;  ///< δ = base point (+ ½ for even P) − coordinate, |δ| ≤ ½
};

/// \param p coordinate in units of the mesh spacing, of any sign and size
template <int P>
[[gnu::always_inline]] NANODAY_HD inline MeshPlace mesh_place(double p) {
  const double base = std::floor(P % 2 == 1 ? p + 0.5 : p);
  return {base - (P - 1) / 2, base + (P % 2 == 1 ? 0.0 : 0.5) - p};
}

/// Weights of the P stencil points and zeros behind them; they sum to one.
/// \param weight (k_weight_row)
template <int P>
[[gnu::always_inline]] NANODAY_HD inline void assignment_weights(const AssignmentPolynomials<P>& poly,
                                                                 double delta, double* weight) {
  for (int m = 0; m < k_weight_row; ++m) weight[m] = poly.coefficient[P - 1][m];
  for (int l = P - 2; l >= 0; --l)
    for (int m = 0; m < k_weight_row; ++m) weight[m] = weight[m] * delta + poly.coefficient[l][m];
}

/// dw/dδ of the P stencil points; the derivative by the charge's coordinate has the opposite sign.
/// \param slope (k_weight_row)
template <int P>
[[gnu::always_inline]] NANODAY_HD inline void assignment_slopes(const AssignmentPolynomials<P>& poly,
                                                                double delta, double* slope) {
  for (int m = 0; m < k_weight_row; ++m) slope[m] = (P - 1) * poly.coefficient[P - 1][m];
  for (int l = P - 2; l >= 1; --l)
    for (int m = 0; m < k_weight_row; ++m) slope[m] = slope[m] * delta + l * poly.coefficient[l][m];
}

}  // namespace nanoday
