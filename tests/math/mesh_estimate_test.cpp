// The coefficients and formulas of the mesh-error estimates.
// SPDX-License-Identifier: Apache-2.0
#include "math/mesh_estimate.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

TEST(IkForceError, falls_with_the_spacing_to_the_power_of_the_order) {
  for (int order = 1; order <= k_max_assignment_order; ++order) {
    const double coarse = ik_force_error(0.02, 20, 0.4, 1000, 100, order);
    const double fine = ik_force_error(0.01, 20, 0.4, 1000, 100, order);
    EXPECT_NEAR(coarse / fine, std::pow(2, order), 2e-3 * std::pow(2, order)) << order;
  }
}

TEST(IkForceError, coefficients_of_the_next_order_are_smaller_at_the_start_and_positive) {
  for (int order = 1; order <= k_max_assignment_order; ++order)
    for (int m = 0; m < order; ++m) EXPECT_GT(ik_error_coefficient(order, m), 0) << order << ' ' << m;
  for (int order = 2; order <= k_max_assignment_order; ++order)
    EXPECT_LT(ik_error_coefficient(order, 0), ik_error_coefficient(order - 1, 0));
}

TEST(AdOptimum, is_the_square_of_an_error_that_falls_with_the_order_of_the_weights_slope) {
  const double length = 10, beta = 0.4;
  const auto optimum = [&](int points, int order) {
    double sum = 0;
    for (int i = 0; i < points; ++i)
      for (int j = 0; j < points; ++j)
        for (int k = 0; k < points; ++k) {
          if (i + j + k == 0) continue;
          const auto fold = [&](int n) { return 2 * n > points ? n - points : n; };
          sum += ad_optimum_term(ad_aliases(fold(i), points, length, beta, order),
                                 ad_aliases(fold(j), points, length, beta, order),
                                 ad_aliases(fold(k), points, length, beta, order));
        }
    return sum;
  };
  for (const int order : {3, 5}) {
    const double ratio = optimum(16, order) / optimum(32, order);
    EXPECT_NEAR(std::log2(ratio), 2 * (order - 1), 0.6) << order;
  }
}

/// The formula as it is written (spec dplr.md 3.4), with 125 aliases and sincs.
double plain_term(std::array<int, 3> n, int points, double length, double beta, int order) {
  const double pi = 3.14159265358979323846;
  double gauss = 0, screened = 0, weight = 0, weight_q2 = 0;
  for (int b = 0; b < 125; ++b) {
    const std::array<int, 3> shift{b / 25 - 2, b / 5 % 5 - 2, b % 5 - 2};
    double q2 = 0, u2 = 1;
    for (int d = 0; d < 3; ++d) {
      const double cycles = double(n[d]) / points + shift[d];
      q2 += std::pow(2 * pi * cycles * points / length, 2);
      if (cycles != 0) u2 *= std::pow(std::sin(pi * cycles) / (pi * cycles), 2 * order);
    }
    gauss += std::exp(-q2 / (2 * beta * beta)) / q2;
    screened += std::exp(-q2 / (4 * beta * beta)) * u2;
    weight += u2;
    weight_q2 += q2 * u2;
  }
  return gauss - screened * screened / (weight * weight_q2);
}

TEST(AdOptimum, equals_the_plain_sum_over_125_aliases) {
  const double length = 9, beta = 0.7;
  for (const int order : {3, 5, 7})
    for (const int points : {6, 9})
      for (const std::array<int, 3> n : {std::array{0, 0, 1}, {1, 2, 3}, {0, 3, 2}, {3, 3, 3}, {2, 0, 0}}) {
        const auto axis = [&](int d) { return ad_aliases(n[d], points, length, beta, order); };
        const double plain = plain_term(n, points, length, beta, order);
        EXPECT_NEAR(ad_optimum_term(axis(0), axis(1), axis(2)), plain, 1e-14 + 1e-10 * plain);
      }
}

TEST(NextSmooth, finds_numbers_of_twos_threes_and_fives) {
  EXPECT_EQ(next_smooth(1), 1);
  EXPECT_EQ(next_smooth(7), 8);
  EXPECT_EQ(next_smooth(36), 36);
  EXPECT_EQ(next_smooth(37), 40);
  EXPECT_EQ(next_smooth(601), 625);
}

}  // namespace
}  // namespace nanoday
