// The assignment weights against B-splines written as truncated powers.
// SPDX-License-Identifier: Apache-2.0
#include "math/charge_assignment.hpp"
#include "reference/mesh_sum.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

template <class Order>
class ChargeAssignment : public testing::Test {
 public:
  static constexpr int P = Order::value;
  static constexpr AssignmentPolynomials<P> polynomials = assignment_polynomials<P>();
  /// From far left of the first mesh point to far right, points and half points included.
  static std::vector<double> coordinates() {
    std::vector<double> p{-7, -6.5, -0.5, 0, 0.5, 1, 3.5, 1e-17, -1e-17};
    for (double x = -9.87; x < 20; x += 0.613) p.push_back(x);
    return p;
  }
};
template <int P>
using Order = std::integral_constant<int, P>;
using Orders = testing::Types<Order<2>, Order<3>, Order<4>, Order<5>, Order<6>, Order<7>>;
TYPED_TEST_SUITE(ChargeAssignment, Orders);

TYPED_TEST(ChargeAssignment, weights_are_the_b_spline_of_the_order_at_the_distance_of_each_point) {
  constexpr int P = TestFixture::P;
  for (const double p : TestFixture::coordinates()) {
    const MeshPlace place = mesh_place<P>(p);
    double weight[k_weight_row];
    assignment_weights<P>(TestFixture::polynomials, place.delta, weight);
    for (int m = 0; m < P; ++m)
      EXPECT_NEAR(weight[m], reference::b_spline(P, place.first + m - p), 1e-14) << p << " point " << m;
    for (int m = P; m < k_weight_row; ++m) EXPECT_EQ(weight[m], 0);
  }
}

TYPED_TEST(ChargeAssignment, weights_sum_to_one_and_their_centre_is_the_charge) {
  constexpr int P = TestFixture::P;
  for (const double p : TestFixture::coordinates()) {
    const MeshPlace place = mesh_place<P>(p);
    double weight[k_weight_row], sum = 0, centre = 0;
    assignment_weights<P>(TestFixture::polynomials, place.delta, weight);
    for (int m = 0; m < P; ++m) {
      EXPECT_GE(weight[m], -1e-16);
      sum += weight[m];
      centre += weight[m] * (place.first + m);
    }
    EXPECT_NEAR(sum, 1, 1e-14);
    EXPECT_NEAR(centre, p, 1e-13);
    EXPECT_LE(std::fabs(place.delta), 0.5);
  }
}

TYPED_TEST(ChargeAssignment, slopes_are_the_derivative_of_the_weights) {
  constexpr int P = TestFixture::P;
  constexpr double step = 1e-5;
  for (double delta = -0.49; delta < 0.5; delta += 0.07) {
    double slope[k_weight_row], above[k_weight_row], below[k_weight_row];
    assignment_slopes<P>(TestFixture::polynomials, delta, slope);
    assignment_weights<P>(TestFixture::polynomials, delta + step, above);
    assignment_weights<P>(TestFixture::polynomials, delta - step, below);
    for (int m = 0; m < P; ++m) EXPECT_NEAR(slope[m], (above[m] - below[m]) / (2 * step), 1e-9);
  }
}

}  // namespace
}  // namespace nanoday
