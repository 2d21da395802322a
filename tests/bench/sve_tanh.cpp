// Computes tanh of many numbers in one of several ways between two marks, so that scripts/sve_report can
// count the instructions each takes. Usage: sve_tanh WAY SPDX-License-Identifier: Apache-2.0
#include "bench/sve_tanh.hpp"
#include "arm/lanes.hpp"

#include <cmath>
#include <cstdio>
#include <cstring>
#include <string>

namespace nanoday {
namespace {

constexpr int k_numbers = 9600;

template <class Real>
struct Numbers {
  alignas(64) Real x[k_numbers];
  alignas(64) Real y[k_numbers] = {};
  Numbers() {  // from -4 to 4, as the hidden layers of the examples' nets get them
    for (int i = 0; i < k_numbers; ++i)
      x[i] = static_cast<Real>(8.0 * (i * 7919 % k_numbers) / k_numbers - 4.0);
  }
};
Numbers<double> s_double;
Numbers<float> s_float;

template <class Real>
void kernels_tanh(const Real* x, Real* y) {
  using namespace cpu::NANODAY_ISA;
  for (int i = 0; i < k_numbers; i += k_lanes<Real>) store(y + i, tanh_lanes<Real>(load(x + i)));
}

/// The plugin counts what lies between these two.
template <class Way>
void counted(Way way) {
  asm volatile("hint #112" ::: "memory");
  way();
  asm volatile("hint #113" ::: "memory");
}

/// Largest error against the C library in double.
template <class Real>
double error(const Numbers<Real>& n) {
  double most = 0;
  for (int i = 0; i < k_numbers; ++i)
    most = std::fmax(most, std::fabs(static_cast<double>(n.y[i]) - std::tanh(static_cast<double>(n.x[i]))));
  return most;
}

int run(const std::string& way) {
  auto& [xd, yd] = s_double;
  auto& [xf, yf] = s_float;
  if (way == "kernel-float")
    counted([&] { kernels_tanh(xf, yf); });
  else if (way == "kernel-double")
    counted([&] { kernels_tanh(xd, yd); });
  else if (way == "inherited-float")
    counted([&] { bench::inherited_tanh(xf, k_numbers, yf); });
  else if (way == "inherited-double")
    counted([&] { bench::inherited_tanh(xd, k_numbers, yd); });
  else if (way == "libm-float")
    counted([&] {
      for (int i = 0; i < k_numbers; ++i) yf[i] = std::tanh(xf[i]);
    });
  else if (way == "libm-double")
    counted([&] {
      for (int i = 0; i < k_numbers; ++i) yd[i] = std::tanh(xd[i]);
    });
  else
    return 2;
  std::printf("%d %.3g\n", k_numbers, way.ends_with("float") ? error(s_float) : error(s_double));
  return 0;
}

}  // namespace
}  // namespace nanoday

int main(int count, char** words) { return count == 2 ? nanoday::run(words[1]) : 2; }
