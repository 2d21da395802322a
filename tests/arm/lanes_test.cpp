// The vector operations of arm/, for every vector length this processor runs.
// SPDX-License-Identifier: Apache-2.0
#include "tests/arm/arm_test.hpp"

#include <cmath>
#include <limits>
#include <numeric>
#include <random>

namespace nanoday {
namespace {

template <class Real>
const test::LanesOf<Real>& of(const test::Lanes& lanes) {
  if constexpr (sizeof(Real) == 8)
    return lanes.fp64;
  else
    return lanes.fp32;
}

template <class Real>
class ArmLanes : public test::ArmTest {
 protected:
  std::mt19937 random{17};

  std::vector<Real> numbers(int n, double low, double high) {
    std::uniform_real_distribution<double> uniform(low, high);
    std::vector<Real> x(static_cast<std::size_t>(n));
    for (Real& v : x) v = static_cast<Real>(uniform(random));
    return x;
  }
};
using Reals = testing::Types<double, float>;
TYPED_TEST_SUITE(ArmLanes, Reals);

TYPED_TEST(ArmLanes, exist_for_this_processor) { EXPECT_FALSE(test::available_lanes().empty()); }

TYPED_TEST(ArmLanes, reciprocals_err_by_two_roundings_at_most) {
  constexpr int n = 1 << 14;
  const auto x = this->numbers(n, 1.0, 1e6);
  std::vector<TypeParam> y(n);
  for (const auto* lanes : test::available_lanes()) {
    of<TypeParam>(*lanes).reciprocal(x.data(), y.data(), n);
    double worst = 0;
    for (std::size_t i = 0; i < n; ++i) worst = std::max(worst, std::fabs(double(y[i]) * double(x[i]) - 1));
    EXPECT_LE(worst, 2 * double(std::numeric_limits<TypeParam>::epsilon())) << lanes->isa;
  }
}

TYPED_TEST(ArmLanes, sums_of_four_vectors_land_side_by_side) {
  for (const auto* lanes : test::available_lanes()) {
    const int n = of<TypeParam>(*lanes).lanes;
    std::vector<TypeParam> v(static_cast<std::size_t>(4 * n));
    for (std::size_t i = 0; i < v.size(); ++i)
      v[i] = static_cast<TypeParam>(int(i * i % 61) - 20);  // exact sums
    TypeParam sums[4];
    of<TypeParam>(*lanes).sum_lanes4(v.data(), sums);
    for (int c = 0; c < 4; ++c)
      EXPECT_EQ(sums[c], std::accumulate(v.begin() + c * n, v.begin() + (c + 1) * n, TypeParam(0)))
          << lanes->isa;
  }
}

TYPED_TEST(ArmLanes, a_transpose_swaps_vectors_and_lanes) {
  for (const auto* lanes : test::available_lanes()) {
    const auto n = static_cast<std::size_t>(of<TypeParam>(*lanes).lanes);
    const auto from = this->numbers(int(n * n), -1, 1);
    std::vector<TypeParam> to(n * n);
    of<TypeParam>(*lanes).transpose(from.data(), to.data());
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) EXPECT_EQ(to[i * n + j], from[j * n + i]) << lanes->isa;
  }
}

TYPED_TEST(ArmLanes, rows_of_four_become_columns_and_rows_again) {
  for (const auto* lanes : test::available_lanes()) {
    const auto n = static_cast<std::size_t>(lanes->fp64.lanes);
    const auto rows = this->numbers(int(4 * n), -1, 1);
    std::vector<double> columns(4 * n), back(4 * n);
    of<TypeParam>(*lanes).load_rows4(rows.data(), columns.data());
    lanes->store_rows4(columns.data(), back.data());
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t c = 0; c < 4; ++c) {
        EXPECT_EQ(columns[c * n + i], double(rows[4 * i + c])) << lanes->isa;
        EXPECT_EQ(back[4 * i + c], double(rows[4 * i + c])) << lanes->isa;
      }
  }
}

TYPED_TEST(ArmLanes, doubles_are_stored_as_the_nearest_number) {
  std::vector<double> x(64);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(double(i)) * std::pow(10.0, int(i) - 30);
  std::vector<TypeParam> y(64);
  for (const auto* lanes : test::available_lanes()) {
    of<TypeParam>(*lanes).store_as(x.data(), y.data(), 64);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i], static_cast<TypeParam>(x[i])) << lanes->isa;
  }
}

TYPED_TEST(ArmLanes, a_number_goes_to_all_lanes) {
  for (const auto* lanes : test::available_lanes()) {
    const TypeParam x[2] = {3, 7};
    std::vector<TypeParam> v(static_cast<std::size_t>(of<TypeParam>(*lanes).lanes));
    of<TypeParam>(*lanes).broadcast(x + 1, v.data());
    for (const TypeParam lane : v) EXPECT_EQ(lane, TypeParam(7)) << lanes->isa;
  }
}

class ArmLanesOfDouble : public ArmLanes<double> {};

TEST_F(ArmLanesOfDouble, inverse_square_roots_err_by_three_roundings_at_most) {
  constexpr int n = 1 << 14;
  const auto x = numbers(n, 0.01, 100.0);  // squared distances
  std::vector<double> y(n);
  for (const auto* lanes : test::available_lanes()) {
    lanes->inverse_square_root(x.data(), y.data(), n);
    double worst = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double exact = 1 / std::sqrt(x[i]);
      worst = std::max(worst, std::fabs(y[i] - exact) / exact);
    }
    EXPECT_LE(worst, 3 * std::numeric_limits<double>::epsilon()) << lanes->isa;
  }
}

TEST_F(ArmLanesOfDouble, floats_are_read_as_they_are) {
  std::vector<float> x(32);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 0.1f * float(i) - 1;
  std::vector<double> y(32);
  for (const auto* lanes : test::available_lanes()) {
    lanes->load_single(x.data(), y.data(), 32);
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(y[i], double(x[i])) << lanes->isa;
  }
}

TEST_F(ArmLanesOfDouble, rows_are_added_and_nothing_behind_them_is_written) {
  const double a[4] = {1, 2, 3, 4}, b[4] = {10, 20, 30, 40};
  for (const auto* lanes : test::available_lanes()) {
    std::vector<double> out(16, -1.0);
    lanes->add_rows(a, b, out.data());
    EXPECT_EQ(out, (std::vector<double>{11, 22, 33, 44, -9, -18, -27, -36, -1, -1, -1, -1, -1, -1, -1, -1}))
        << lanes->isa;
  }
}

TEST_F(ArmLanesOfDouble, lanes_below_a_limit_are_kept_in_order_and_nan_and_the_tail_are_not) {
  for (const auto* lanes : test::available_lanes())
    for (int n = 0; n <= lanes->fp64.lanes; ++n)
      for (int trial = 0; trial < 20; ++trial) {
        auto x = numbers(8, 0, 2);
        if (trial % 4 == 0) x[static_cast<std::size_t>(trial % 8)] = std::nan("");
        std::vector<std::int32_t> index{5, -6, 7, 8, 9, 10, 11, 1 << 30}, kept_index(8);
        std::vector<double> kept(8);
        std::vector<double> expected;
        std::vector<std::int32_t> expected_index;
        for (int i = 0; i < n; ++i)
          if (const auto k = static_cast<std::size_t>(i); x[k] < 1) {
            expected.push_back(x[k]);
            expected_index.push_back(index[k]);
          }
        const int count = lanes->keep_below(x.data(), index.data(), 1.0, n, kept.data(), kept_index.data());
        kept.resize(static_cast<std::size_t>(count));
        kept_index.resize(static_cast<std::size_t>(count));
        EXPECT_EQ(kept, expected) << lanes->isa;
        EXPECT_EQ(kept_index, expected_index) << lanes->isa;
      }
}

}  // namespace
}  // namespace nanoday
