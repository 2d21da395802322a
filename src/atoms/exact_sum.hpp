// Exact, hence order-independent, sums of doubles.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/forces.hpp"

#include <cmath>
#include <cstdint>

namespace nanoday {

/// Sum of doubles rounded to 2^-44, or of numbers that are fixed point already.
class ExactSum {
 public:
  void add(double x) { sum_ += static_cast<__int128>(std::llrint(x * k_fixed_point_scale)); }
  void add_fixed(std::int64_t x) { sum_ += x; }
  double value() const { return static_cast<double>(sum_) / k_fixed_point_scale; }

 private:
  __int128 sum_ = 0;
};

}  // namespace nanoday
