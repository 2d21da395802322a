// The ingredients of the influence functions against their definitions.
// SPDX-License-Identifier: Apache-2.0
#include "math/influence_function.hpp"
#include "reference/mesh_sum.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

TEST(InfluenceFunction, frequencies_of_even_and_odd_meshes_are_those_of_a_signed_transform) {
  const int even[] = {0, 1, -2, -1}, odd[] = {0, 1, 2, -2, -1};
  for (int i = 0; i < 4; ++i) EXPECT_EQ(mesh_frequency(i, 4), even[i]);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(mesh_frequency(i, 5), odd[i]);
}

TEST(InfluenceFunction, alias_sum_is_the_transform_of_the_spline_of_twice_the_order) {
  for (int order = 2; order <= 7; ++order)
    for (double x = -M_PI / 2; x <= M_PI / 2; x += M_PI / 37) {
      double sum = 0;
      for (int j = -order; j <= order; ++j) sum += reference::b_spline(2 * order, j) * std::cos(2 * x * j);
      EXPECT_NEAR(assignment_alias_sum(order, std::sin(x) * std::sin(x)), sum, 1e-13) << order << ' ' << x;
    }
}

TEST(InfluenceFunction, alias_sum_is_the_sum_over_aliases) {
  const double x = 0.9;  // of 2P = 8 powers the tail beyond 200 aliases is 1e-20
  double sum = 0;
  for (int b = -200; b <= 200; ++b) sum += sinc_power(x + M_PI * b, 8);
  EXPECT_NEAR(assignment_alias_sum(4, std::sin(x) * std::sin(x)), sum, 1e-15);
}

TEST(InfluenceFunction, without_aliases_both_numerators_agree) {
  const Vec3 k{0.3, -0.7, 1.1};
  EXPECT_DOUBLE_EQ(ik_alias_term(k, k, 0.4, 0.37), ad_numerator(dot(k, k), 0.4, 0.37));
}

TEST(InfluenceFunction, virial_factor_is_the_strain_derivative_of_a_mode) {
  const Vec3 k{0.3, -0.7, 0.5};
  const double beta = 0.4, step = 1e-5;
  // ln of e^{−k²/4β²}/(k² V); a strain turns k into k − kᵀε and V into V(1 + tr ε).
  const auto log_energy = [&](Vec3 q, double volume) {
    return -dot(q, q) / (4 * beta * beta) - std::log(dot(q, q)) - std::log(volume);
  };
  const double xx = (log_energy({k.x * (1 - step), k.y, k.z}, 1 + step) -
                     log_energy({k.x * (1 + step), k.y, k.z}, 1 - step)) /
                    (2 * step);
  const double xy =
      (log_energy({k.x, k.y - step * k.x, k.z}, 1) - log_energy({k.x, k.y + step * k.x, k.z}, 1)) /
      (2 * step);
  const auto factor = virial_factor(k, beta);
  EXPECT_NEAR(factor[0], -xx, 1e-8);
  EXPECT_NEAR(factor[1], -xy, 1e-8);
}

TEST(InfluenceFunction, alias_reach_of_a_skewed_cell_adds_what_the_tilts_bring) {
  const auto flat = alias_reach({20, 0, 0, 10, 0, 5}, {10, 10, 10}, 2.0);
  EXPECT_NEAR(flat[0], 2.0 * 20 / (M_PI * 10) * std::pow(std::log(1e7), 0.25), 1e-13);
  const auto skewed = alias_reach({20, -3, 4, 10, -2, 5}, {10, 10, 10}, 2.0);
  EXPECT_NEAR(skewed[0], flat[0], 1e-13);
  EXPECT_NEAR(skewed[1] - flat[1], flat[0] * 3 / 20, 1e-13);
  EXPECT_NEAR(skewed[2] - flat[2], flat[0] * 4 / 20 + flat[1] * 2 / 10, 1e-13);
}

TEST(InfluenceFunction, a_resolved_charge_does_not_feel_its_own_mesh_image) {
  EXPECT_NEAR(self_force_overlap(0, 5, 0), 1, 1e-15);
  EXPECT_NEAR(self_force_overlap(0, 5, 1), 0, 1e-15);
  EXPECT_GT(self_force_overlap(M_PI / 2, 5, 1), 0.01);
}

}  // namespace
}  // namespace nanoday
