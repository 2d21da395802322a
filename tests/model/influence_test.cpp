// The influence function on the half spectrum of a real transform.
// SPDX-License-Identifier: Apache-2.0
#include "model/influence.hpp"

#include "math/influence_function.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

LongRangePlan plan_on(const Box& box, Differentiation differentiation) {
  LongRangePlan plan;
  plan.box = box;
  plan.beta = 0.4;
  plan.mesh = {6, 7, 8};
  plan.order = 3;
  plan.differentiation = differentiation;
  plan.coulomb = 14.4;
  plan.influence_4pi = 4 * M_PI;
  return plan;
}

/// Calls visit(mode) for the half spectrum.
template <class Visit>
void for_each_half_mode(const std::array<int, 3>& n, const Visit& visit) {
  for (int a = 0; a < n[0]; ++a)
    for (int b = 0; b < n[1]; ++b)
      for (int c = 0; c <= n[2] / 2; ++c)
        visit(InfluenceFunction::Mode{mesh_frequency(a, n[0]), mesh_frequency(b, n[1]),
                                      mesh_frequency(c, n[2])});
}

TEST(HalfSpectrum, of_an_orthorhombic_box_holds_the_function_itself) {
  for (const auto differentiation : {Differentiation::ik, Differentiation::ad}) {
    const auto plan = plan_on(Box::orthorhombic(9, 10, 12), differentiation);
    const InfluenceFunction influence(plan);
    const double limit = 1e-14 * influence.value({0, 0, 1});
    for_each_half_mode(plan.mesh, [&](const InfluenceFunction::Mode& mode) {
      const HalfModeWeight either = half_mode_weight(influence.modes(), mode, false);
      EXPECT_EQ(half_mode_weight(influence.modes(), mode, true).green, influence.value(mode));
      EXPECT_NEAR(either.green, influence.value(mode), limit);
      EXPECT_EQ(either.edge_difference, 0);
    });
  }
}

TEST(HalfSpectrum, of_a_skewed_box_holds_both_waves_of_a_mode_on_the_edge) {
  const auto plan =
      plan_on(Box::triclinic({Vec3{9, 0, 0}, Vec3{3, 10, 0}, Vec3{-2, 4, 12}}), Differentiation::ik);
  const InfluenceFunction influence(plan);
  const double limit = 1e-14 * influence.value({0, 0, 1});
  double largest = 0;
  for_each_half_mode(plan.mesh, [&](const InfluenceFunction::Mode& mode) {
    const auto [g, h] = half_mode_weight(influence.modes(), mode, false);
    EXPECT_NEAR(g + h, influence.value(mode), limit);
    EXPECT_NEAR(g - h, influence.value(influence.mirrored(mode)), limit);
    if (!influence.on_edge(mode)) {
      EXPECT_EQ(h, 0);
    }
    largest = std::max(largest, std::fabs(h));
  });
  EXPECT_GT(largest, 0);
}

}  // namespace
}  // namespace nanoday
