// tanh as src/cpu computes it, compiled for SVE, to compare arm/tanh.hpp with.
// SPDX-License-Identifier: Apache-2.0
#define NANODAY_ISA inherited
#define NANODAY_VECTOR_BYTES 64
#define NANODAY_VECTOR_REGISTERS 32
#include "bench/sve_tanh.hpp"
#include "cpu/kernels/tanh.hpp"

namespace nanoday::bench {
namespace {

template <class Real>
void of_many(const Real* x, int n, Real* y) {
  using namespace cpu::NANODAY_ISA;
  for (int i = 0; i < n; i += k_lanes<Real>) store(y + i, tanh_lanes<Real>(load(x + i)));
}

}  // namespace

void inherited_tanh(const double* x, int n, double* y) { of_many(x, n, y); }
void inherited_tanh(const float* x, int n, float* y) { of_many(x, n, y); }

}  // namespace nanoday::bench
