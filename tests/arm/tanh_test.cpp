// tanh of SVE lanes against the mathematical function, over a million points.
// SPDX-License-Identifier: Apache-2.0
#include "tests/arm/arm_test.hpp"

#include <cmath>
#include <limits>

namespace nanoday {
namespace {

using ArmTanh = test::ArmTest;

constexpr int k_points = 1 << 20;

/// Points from −limit to limit that lie on no grid of binary fractions.
template <class Real>
std::vector<Real> points(double limit) {
  std::vector<Real> x(k_points);
  for (std::size_t i = 0; i < k_points; ++i)
    x[i] = static_cast<Real>(limit * (2.0 * (double(i) + 0.5) / k_points - 1));
  return x;
}

/// tanh of every point, to much less than its type resolves: for double in long double. The points are
/// symmetric: half of them are enough.
template <class Real>
std::vector<long double> exact(const std::vector<Real>& x) {
  std::vector<long double> y(x.size());
  for (std::size_t i = 0; i < x.size() / 2; ++i) {
    y[i] =
        sizeof(Real) == 8 ? std::tanh(static_cast<long double>(x[i])) : std::tanh(static_cast<double>(x[i]));
    y[x.size() - 1 - i] = -y[i];
  }
  return y;
}

TEST_F(ArmTanh, is_tested_on_symmetric_points) {
  const auto x = points<double>(22);
  for (std::size_t i = 0; i < x.size(); ++i) ASSERT_EQ(x[i], -x[x.size() - 1 - i]);
}

struct Errors {
  double value = 0, slope = 0;
};

template <class Real>
Errors errors_of(const test::LanesOf<Real>& lanes, const std::vector<Real>& x,
                 const std::vector<long double>& y) {
  std::vector<Real> value(x.size());
  lanes.tanh(x.data(), value.data(), static_cast<int>(x.size()));
  Errors most;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const Real slope = Real(1) - value[i] * value[i];  // as kernels form it
    most.value = std::max(most.value, static_cast<double>(std::fabs(value[i] - y[i])));
    most.slope = std::max(most.slope, static_cast<double>(std::fabs(slope - (1 - y[i] * y[i]))));
  }
  return most;
}

TEST_F(ArmTanh, the_table_errs_by_less_than_1e_7_over_a_million_points) {
  const auto x = points<float>(10);
  const auto y = exact(x);
  for (const auto* lanes : test::available_lanes()) {
    const Errors most = errors_of(lanes->fp32, x, y);
    EXPECT_LT(most.value, 1e-7) << lanes->isa;
    EXPECT_GT(most.value, 1e-8) << lanes->isa << ": too good for single precision; is this what is tested?";
    EXPECT_LT(most.slope, 2e-7) << lanes->isa;  // twice the value's, times |tanh|
    RecordProperty("value", testing::PrintToString(most.value));
    RecordProperty("slope", testing::PrintToString(most.slope));
  }
}

TEST_F(ArmTanh, the_table_is_odd_keeps_small_numbers_and_ends_at_one) {
  const float inf = std::numeric_limits<float>::infinity();
  const std::vector<float> x{0.0f, 1e-30f, 1e-4f, 0.003f, 0.3f,  1.7f, 8.4f, 8.49f,
                             8.5f, 8.6f,   9.0f,  20.0f,  1e30f, inf,  2.0f, 3.0f};
  std::vector<float> minus, plus_y(16), minus_y(16);
  for (const float v : x) minus.push_back(-v);
  for (const auto* lanes : test::available_lanes()) {
    lanes->fp32.tanh(x.data(), plus_y.data(), 16);
    lanes->fp32.tanh(minus.data(), minus_y.data(), 16);
    for (std::size_t i = 0; i < 16; ++i) {
      EXPECT_EQ(plus_y[i], -minus_y[i]);
      EXPECT_EQ(std::signbit(plus_y[i]), std::signbit(x[i]));
      EXPECT_NEAR(plus_y[i], std::tanh(x[i]), 1e-7);
      if (x[i] < 0.01f) {
        EXPECT_NEAR(plus_y[i], std::tanh(x[i]), 1e-5 * double(x[i])) << "relative, near 0";
      }
      if (x[i] >= 8.5f) {
        EXPECT_EQ(plus_y[i], 1.0f);
      }
    }
  }
}

TEST_F(ArmTanh, in_double_errs_by_less_than_4e_16_over_a_million_points) {
  const auto x = points<double>(22);
  const auto y = exact(x);
  for (const auto* lanes : test::available_lanes()) {
    const Errors most = errors_of(lanes->fp64, x, y);
    EXPECT_LT(most.value, 4e-16) << lanes->isa;
    EXPECT_LT(most.slope, 8e-16) << lanes->isa;
    RecordProperty("value", testing::PrintToString(most.value));
    RecordProperty("slope", testing::PrintToString(most.slope));
  }
}

TEST_F(ArmTanh, what_is_not_a_number_stays_so_beside_lanes_that_are) {
  for (const auto* lanes : test::available_lanes()) {
    std::vector<float> x(16, 0.5f), y(16);
    x[3] = std::numeric_limits<float>::quiet_NaN();
    x[7] = -x[3];
    lanes->fp32.tanh(x.data(), y.data(), 16);
    std::vector<double> u(16, 0.5), v(16);
    u[3] = std::numeric_limits<double>::quiet_NaN();
    lanes->fp64.tanh(u.data(), v.data(), 16);
    for (std::size_t i = 0; i < 16; ++i) {
      EXPECT_EQ(std::isnan(y[i]), i == 3 || i == 7) << lanes->isa;
      EXPECT_EQ(std::isnan(v[i]), i == 3) << lanes->isa;
    }
  }
}

}  // namespace
}  // namespace nanoday
