// Products of weights with one to three atoms: the bits they would have in a full batch.
// SPDX-License-Identifier: Apache-2.0
#include "tests/arm/arm_test.hpp"

#include <cmath>
#include <limits>
#include <random>

namespace nanoday {
namespace {

template <class Real>
class SmallGemm : public test::ArmTest {
 protected:
  static constexpr int b = cpu::k_batch<Real>;

  static const test::LanesOf<Real>& of(const test::Lanes& lanes) {
    if constexpr (sizeof(Real) == 8)
      return lanes.fp64;
    else
      return lanes.fp32;
  }

  Array<Real> numbers(std::size_t n) {
    std::normal_distribution<double> normal;
    Array<Real> x(n);
    for (Real& v : x) v = static_cast<Real>(normal(random));
    return x;
  }

  std::mt19937 random{3};
};
using Reals = testing::Types<double, float>;
TYPED_TEST_SUITE(SmallGemm, Reals);

/// Outputs: all widths of passes over panels and their remainders occur (30 and 29 panels, and one).
struct Shape {
  int n_in, n_out;
};
constexpr Shape k_shapes[] = {{2048, 240}, {832, 240}, {620, 240}, {210, 240},
                              {240, 240},  {240, 232}, {240, 8},   {1, 64}};

TYPED_TEST(SmallGemm, has_the_bits_of_the_same_atoms_in_a_full_batch) {
  constexpr int b = cpu::k_batch<TypeParam>;
  for (const auto [n_in, n_out] : k_shapes) {
    const auto panels = this->numbers(static_cast<std::size_t>(n_in) * n_out);
    const auto x = this->numbers(static_cast<std::size_t>(n_in) * b),
               row = this->numbers(static_cast<std::size_t>(n_out)),
               before = this->numbers(static_cast<std::size_t>(n_out) * b);
    for (const auto* lanes : test::available_lanes())
      for (int start = 0; start < 3; ++start) {
        if (start != 1 && n_in > 240) continue;  // emulated processors are slow
        auto whole = before;
        this->of(*lanes).gemm(panels, n_in, x.data(), whole.data(), row.data(), start, b);
        for (int atoms = 1; atoms <= 3; ++atoms) {
          auto few = before;
          this->of(*lanes).gemm(panels, n_in, x.data(), few.data(), row.data(), start, atoms);
          int differ = 0;
          for (std::size_t o = 0; o < static_cast<std::size_t>(n_out); ++o)
            for (std::size_t a = 0; a < static_cast<std::size_t>(atoms); ++a)
              differ += few[o * b + a] != whole[o * b + a];
          EXPECT_EQ(differ, 0) << lanes->isa << ' ' << n_in << " x " << n_out << ", " << atoms
                               << " atoms, start " << start;
          for (std::size_t o = 0; o < static_cast<std::size_t>(n_out); ++o)
            EXPECT_EQ(few[o * b + 3], before[o * b + 3]) << "an atom that is not there";
        }
      }
  }
}

TYPED_TEST(SmallGemm, equals_the_sum_of_products) {
  constexpr int b = cpu::k_batch<TypeParam>;
  for (const auto [n_in, n_out] : k_shapes) {
    const auto panels = this->numbers(static_cast<std::size_t>(n_in) * n_out);
    const auto x = this->numbers(static_cast<std::size_t>(n_in) * b),
               row = this->numbers(static_cast<std::size_t>(n_out));
    for (const auto* lanes : test::available_lanes())
      for (const int atoms : {1, 3, b}) {
        Array<TypeParam> z(static_cast<std::size_t>(n_out) * b);
        this->of(*lanes).gemm(panels, n_in, x.data(), z.data(), row.data(), 1, atoms);
        for (std::size_t o = 0; o < static_cast<std::size_t>(n_out); o += 7) {
          double sum = row[o], size = std::fabs(sum);
          for (std::size_t k = 0; k < static_cast<std::size_t>(n_in); ++k) {
            const double term = double(panels[(o / 8 * n_in + k) * 8 + o % 8]) * double(x[k * b]);
            sum += term;
            size += std::fabs(term);
          }
          // Sums of up to 2048 terms one after another: errors add up like a walk, 0.1 √n roundings of
          // Σ|term|.
          EXPECT_NEAR(double(z[o * b]), sum, 8 * std::numeric_limits<TypeParam>::epsilon() * size)
              << lanes->isa;
        }
      }
  }
}

}  // namespace
}  // namespace nanoday
