// Activation functions: what is no number stays none, and slopes are those of the values.
// SPDX-License-Identifier: Apache-2.0
#include "math/activation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace nanoday {
namespace {

constexpr Activation k_all[] = {Activation::tanh,  Activation::gelu,     Activation::relu,
                                Activation::relu6, Activation::softplus, Activation::sigmoid,
                                Activation::silu,  Activation::linear};

TEST(Activations, make_no_number_of_what_is_none) {
  for (const Activation kind : k_all) {
    const ActivationValue f = activate(kind, std::numeric_limits<double>::quiet_NaN());
    EXPECT_TRUE(std::isnan(f.value)) << static_cast<int>(kind);
    EXPECT_TRUE(std::isnan(f.slope) || kind == Activation::linear) << static_cast<int>(kind);
  }
}

TEST(Activations, have_the_slopes_and_curvatures_of_their_values) {
  constexpr double h = 1e-5;
  for (const Activation kind : k_all)
    for (const double x : {-7.3, -2.0, -0.4, 0.3, 1.7, 5.9, 6.4, 30.0}) {
      const ActivationValue f = activate(kind, x), up = activate(kind, x + h), down = activate(kind, x - h);
      EXPECT_NEAR(f.slope, (up.value - down.value) / (2 * h), 1e-9) << static_cast<int>(kind) << ' ' << x;
      EXPECT_NEAR(f.curvature, (up.slope - down.slope) / (2 * h), 1e-9) << static_cast<int>(kind) << ' ' << x;
    }
}

TEST(Activations, are_cut_where_they_are_defined_to_be) {
  EXPECT_EQ(activate(Activation::relu, 0).slope, 0);
  EXPECT_EQ(activate(Activation::relu6, 0).slope, 0);
  EXPECT_EQ(activate(Activation::relu6, 6).slope, 0);
  EXPECT_EQ(activate(Activation::relu6, 6).value, 6);
  EXPECT_EQ(activate(Activation::relu6, 400).value, 6);
}

}  // namespace
}  // namespace nanoday
