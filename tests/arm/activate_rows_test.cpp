// Activations of a layer: an atom's do not depend on how many atoms share vectors with it.
// SPDX-License-Identifier: Apache-2.0
#include "math/activation.hpp"
#include "tests/arm/arm_test.hpp"

#include <cmath>
#include <limits>
#include <random>

namespace nanoday {
namespace {

template <class Real>
class ActivateRows : public test::ArmTest {
 protected:
  static constexpr int b = cpu::k_batch<Real>;
  static constexpr int k_rows = 29;  // no multiple of any number of rows that share a vector

  struct Result {
    Array<Real> value = Array<Real>(k_rows * b), slope = value;
  };

  static Result activate(const test::Lanes& lanes, Activation kind, int atoms, const Array<Real>& x) {
    Result result;
    if constexpr (sizeof(Real) == 8)
      lanes.fp64.activate(kind, k_rows, atoms, x.data(), result.value.data(), result.slope.data());
    else
      lanes.fp32.activate(kind, k_rows, atoms, x.data(), result.value.data(), result.slope.data());
    return result;
  }

  static Array<Real> numbers() {
    std::mt19937 random{5};
    std::normal_distribution<double> normal(0, 2);
    Array<Real> x(k_rows * b);
    for (Real& v : x) v = static_cast<Real>(normal(random));
    return x;
  }
};
using Reals = testing::Types<double, float>;
TYPED_TEST_SUITE(ActivateRows, Reals);

TYPED_TEST(ActivateRows, have_the_bits_of_the_same_atoms_in_a_full_batch) {
  constexpr int b = cpu::k_batch<TypeParam>;
  const auto x = this->numbers();
  for (const auto* lanes : test::available_lanes())
    for (const Activation kind : {Activation::tanh, Activation::gelu}) {
      const auto whole = this->activate(*lanes, kind, b, x);
      for (int atoms = 1; atoms < b; ++atoms) {
        const auto part = this->activate(*lanes, kind, atoms, x);
        int differ = 0;
        for (int o = 0; o < this->k_rows; ++o)
          for (int a = 0; a < atoms; ++a)
            differ += part.value[o * b + a] != whole.value[o * b + a] ||
                      part.slope[o * b + a] != whole.slope[o * b + a];
        EXPECT_EQ(differ, 0) << lanes->isa << ", " << atoms << " atoms";
      }
    }
}

TYPED_TEST(ActivateRows, equal_the_definition) {
  const auto x = this->numbers();
  const double rounding = std::is_same_v<TypeParam, float> ? 3e-7 : 1e-15;  // of values up to 7
  for (const auto* lanes : test::available_lanes())
    for (const Activation kind : {Activation::tanh, Activation::gelu})
      for (const int atoms : {1, 2, 5}) {
        const auto got = this->activate(*lanes, kind, atoms, x);
        for (int o = 0; o < this->k_rows; ++o)
          for (int a = 0; a < atoms; ++a) {
            const int at = o * cpu::k_batch<TypeParam> + a;
            const ActivationValue right = activate(kind, double(x[at]));
            EXPECT_NEAR(got.value[at], right.value, rounding) << lanes->isa;
            EXPECT_NEAR(got.slope[at], right.slope, 2 * rounding) << lanes->isa;
          }
      }
}

}  // namespace
}  // namespace nanoday
