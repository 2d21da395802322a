// Products of pairs in half precision: their error stays within what the blocks of additions allow.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/sixteen_bits.hpp"
#include "tests/arm/arm_test.hpp"

#include <cmath>
#include <random>

namespace nanoday {
namespace {

constexpr int b = cpu::k_batch<float>;
constexpr double u = 0x1p-11;  // rounding of half precision

class HalfPairs : public test::ArmTest {
 protected:
  std::mt19937 random{5};
  std::vector<double> weight;   // (n_in, n_out), of size 1 at most
  Array<std::uint32_t> panels;  // of pairs
  Array<float> x;               // (n_in, b)
  int n_in = 0, n_out = 0;

  void make(int inputs, int outputs, double scale) {
    n_in = inputs;
    n_out = outputs;
    std::uniform_real_distribution<double> uniform(-1, 1);
    weight.resize(static_cast<std::size_t>(n_in * n_out));
    for (double& w : weight) w = uniform(random);
    x.resize(static_cast<std::size_t>(n_in * b));
    for (float& v : x) v = static_cast<float>(scale * uniform(random));
    const int pairs = (n_in + 1) / 2;
    panels.assign(static_cast<std::size_t>(pairs * n_out), 0);
    for (int i = 0; i < n_in; ++i)
      for (int o = 0; o < n_out; ++o) {
        const std::uint32_t bits = cpu::to_half(weight[static_cast<std::size_t>(i * n_out + o)]);
        panels[static_cast<std::size_t>((o / 8 * pairs + i / 2) * 8 + o % 8)] |= std::uint32_t(bits)
                                                                                 << 16 * (i % 2);
      }
  }

  /// Largest |error| over Σ|xw| and RMS error over RMS of the sums, products counting `unit` each.
  std::pair<double, double> errors(const test::Lanes& lanes, float unit) {
    std::vector<float> z(static_cast<std::size_t>(n_out * b), 0.5f);
    lanes.pairs(panels, unit, n_out, x.data(), n_in, z.data(), b / lanes.fp32.lanes);
    double worst = 0, error2 = 0, sum2 = 0;
    for (int o = 0; o < n_out; ++o)
      for (int a = 0; a < b; ++a) {
        double sum = 0, size = 0;
        for (int i = 0; i < n_in; ++i) {
          const double term = unit * weight[static_cast<std::size_t>(i * n_out + o)] *
                              double(x[static_cast<std::size_t>(i * b + a)]);
          sum += term;
          size += std::fabs(term);
        }
        const double error = double(z[static_cast<std::size_t>(o * b + a)]) - 0.5 - sum;
        worst = std::max(worst, std::fabs(error) / size);
        error2 += error * error;
        sum2 += sum * sum;
      }
    return {worst, std::sqrt(error2 / sum2)};
  }
};

/// The number that the 16 bits stand for: sign, 5 bits of exponent, 10 of digits.
double value_of(std::uint32_t bits) {
  const int exponent = static_cast<int>(bits >> 10 & 31), digits = static_cast<int>(bits & 1023);
  const double size = exponent == 0 ? std::ldexp(digits, -24) : std::ldexp(1024 + digits, exponent - 25);
  return (bits & 0x8000) != 0 ? -size : size;
}

TEST(Half, is_the_nearest_number_and_the_even_one_of_two) {
  for (std::uint32_t bits = 0; bits < 0x7c00; ++bits) {
    const double here = value_of(bits), next = bits == 0x7bff ? 65536 : value_of(bits + 1);
    const double middle = 0.5 * (here + next);
    ASSERT_EQ(cpu::to_half(here), bits);
    ASSERT_EQ(cpu::to_half(-here), bits | 0x8000);
    ASSERT_EQ(cpu::to_half(std::nextafter(middle, 0.0)), bits);
    ASSERT_EQ(cpu::to_half(std::nextafter(middle, 1e9)), bits + 1);  // 0x7c00: infinite
    ASSERT_EQ(cpu::to_half(middle), bits + bits % 2);
  }
}

TEST_F(HalfPairs, err_by_less_than_the_bound_and_typically_by_two_roundings) {
  for (const int inputs : {1, 2, 31, 32, 33, 620}) {
    make(inputs, 16, 0.01);
    for (const auto* lanes : test::available_lanes()) {
      const auto [worst, typical] = errors(*lanes, 1.0f);
      EXPECT_LT(worst, (2 + 17) * u) << lanes->isa << ", " << inputs << " inputs";
      EXPECT_LT(typical, 3 * u) << lanes->isa << ", " << inputs << " inputs";
      EXPECT_GT(typical, 0.1 * u) << "is this half precision?";
    }
  }
}

TEST_F(HalfPairs, the_unit_of_the_weights_scales_the_sums_without_rounding) {
  make(64, 8, 0.01);
  for (const auto* lanes : test::available_lanes()) {
    const auto [worst, typical] = errors(*lanes, 0x1p-6f);
    EXPECT_LT(worst, (2 + 17) * u + 1e-3) << lanes->isa;  // z itself is 0.5 in single precision
    EXPECT_LT(typical, 4 * u) << lanes->isa;
  }
}

TEST_F(HalfPairs, small_inputs_keep_their_digits) {
  for (const auto* lanes : test::available_lanes()) {
    make(32, 8, 1e-5);
    // Above 2.4e-7 inputs are normal; products below 2^-14/256 lose digits of 2^-24/256 = 2.3e-10 each.
    EXPECT_LT(errors(*lanes, 1.0f).second, 4 * u) << lanes->isa;
  }
}

TEST_F(HalfPairs, what_half_precision_cannot_hold_becomes_nan_and_nothing_below_16_does) {
  for (const auto* lanes : test::available_lanes()) {
    make(64, 8, 1.0);
    std::fill(weight.begin(), weight.end(), 1.0);
    std::fill(panels.begin(), panels.end(), cpu::to_half(1.0) * 0x10001u);
    std::fill(x.begin(), x.end(), 15.9f);  // all of one sign: the largest sum a block can have
    EXPECT_LT(errors(*lanes, 1.0f).second, (2 + 17) * u) << lanes->isa;
    for (const float large : {17.0f, 1e4f}) {  // a sum overflows, an input does
      std::fill(x.begin(), x.end(), large);
      std::vector<float> z(static_cast<std::size_t>(n_out * b));
      lanes->pairs(panels, 1.0f, n_out, x.data(), n_in, z.data(), b / lanes->fp32.lanes);
      for (const float v : z) ASSERT_TRUE(std::isnan(v)) << lanes->isa << ", " << large;
    }
  }
}

TEST_F(HalfPairs, an_atoms_sums_do_not_depend_on_the_others) {
  make(100, 8, 0.1);
  for (const auto* lanes : test::available_lanes()) {
    std::vector<float> whole(static_cast<std::size_t>(n_out * b)), moved = whole;
    lanes->pairs(panels, 1.0f, n_out, x.data(), n_in, whole.data(), b / lanes->fp32.lanes);
    auto rotated = x;
    for (int i = 0; i < n_in; ++i)
      for (int a = 0; a < b; ++a)
        rotated[static_cast<std::size_t>(i * b + (a + 37) % b)] = x[static_cast<std::size_t>(i * b + a)];
    lanes->pairs(panels, 1.0f, n_out, rotated.data(), n_in, moved.data(), b / lanes->fp32.lanes);
    for (int o = 0; o < n_out; ++o)
      for (int a = 0; a < b; ++a)
        ASSERT_EQ(moved[static_cast<std::size_t>(o * b + (a + 37) % b)],
                  whole[static_cast<std::size_t>(o * b + a)])
            << lanes->isa;
  }
}

}  // namespace
}  // namespace nanoday
