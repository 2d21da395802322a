// The vector operations and loops of one vector length behind plain functions.
// SPDX-License-Identifier: Apache-2.0
#include "arm/lanes.hpp"

#include "arm/sve_kernels.hpp"
#include "cpu/kernels/activate_rows.hpp"
#include "cpu/kernels/gemm.hpp"
#include "tests/arm/lanes.hpp"

namespace nanoday::test {

using namespace cpu;
using namespace cpu::NANODAY_ISA;

namespace NANODAY_ISA {

template <class Real, class Each>
NANODAY_INLINE void for_vectors(const Real* x, Real* y, int n, const Each& each) {
  for (int i = 0; i < n; i += k_lanes<Real>) store(y + i, each(load(x + i)));
}

template <class Real>
void call_gemm(const Array<Real>& panels, int n_in, const Real* x, Real* z, const Real* row, int start,
               int n_atoms) {
  if (start == 0) gemm<Real, GemmStart::zero>(panels, n_in, x, z, row, n_atoms);
  if (start == 1) gemm<Real, GemmStart::row>(panels, n_in, x, z, row, n_atoms);
  if (start == 2) gemm<Real, GemmStart::output>(panels, n_in, x, z, row, n_atoms);
}

template <class Real>
void call_activate(Activation kind, int rows, int n_atoms, const Real* x, Real* value, Real* slope) {
  constexpr long b = k_batch<Real>;
  activate_rows<Real>(
      kind, rows, n_atoms, [&](int o, int lane) { return load(x + o * b + lane); },
      [&](int o, int lane, Vec<Real> v, Vec<Real> d) {
        store(value + o * b + lane, v);
        store(slope + o * b + lane, d);
      });
}

template <class Real>
constexpr LanesOf<Real> lanes_of() {
  return {k_lanes<Real>,
          [](const Real* x, Real* y, int n) {
            for_vectors(x, y, n, [](Vec<Real> v) { return reciprocal<Real>(v); });
          },
          [](const Real* x, Real* y, int n) {
            for_vectors(x, y, n, [](Vec<Real> v) { return tanh_lanes<Real>(v); });
          },
          [](const Real* v, Real* sums) {
            constexpr int n = k_lanes<Real>;
            sum_lanes4<Real>(load(v), load(v + n), load(v + 2 * n), load(v + 3 * n), sums);
          },
          [](const Real* from, Real* to) {
            Vec<Real> v[k_lanes<Real>];
            for (int i = 0; i < k_lanes<Real>; ++i) v[i] = load(from + i * k_lanes<Real>);
            transpose<Real>(v);
            for (int i = 0; i < k_lanes<Real>; ++i) store(to + i * k_lanes<Real>, v[i]);
          },
          [](const Real* rows, double* columns) {
            Vec<double> v[4];
            load_rows4(rows, v);
            for (int c = 0; c < 4; ++c) store(columns + c * k_lanes<double>, v[c]);
          },
          [](const double* x, Real* y, int n) {
            for (int i = 0; i < n; i += k_lanes<double>) cpu::NANODAY_ISA::store_as<Real>(y + i, load(x + i));
          },
          [](const Real* p, Real* vector) { store(vector, broadcast_from(p)); },
          call_gemm<Real>,
          call_activate<Real>};
}

int keep_below(const double* x, const std::int32_t* index, double limit, int n, double* kept,
               std::int32_t* kept_index) {
  const auto chosen = lanes_below(load(x), limit, n);
  keep_lanes(chosen, load(x), kept);
  keep_lanes(chosen, index, kept_index);
  return count_lanes(chosen);
}

void pairs(const Array<std::uint32_t>& panels, float unit, int n_rows, const float* x, int n_in, float* z,
           int n_vectors) {
  constexpr long b = k_batch<float>;
  std::vector<std::uint32_t> in(static_cast<std::size_t>((n_in + 1) / 2 * b));
  for (int k = 0; k < n_in; k += 2)
    for (int v = 0; v < n_vectors; ++v) {
      const long lane = v * k_lanes<float>;
      store_pairs(in.data() + k / 2 * b + lane, load(x + k * b + lane),
                  k + 1 < n_in ? load(x + (k + 1) * b + lane) : Vec<float>{});
    }
  gemm_pairs<GemmStart::output>(panels, unit, n_rows, in.data(), z, n_vectors);
}

extern const Lanes k_lanes_to_test;
const Lanes k_lanes_to_test {
  NANODAY_NAME(NANODAY_ISA),
#if defined(NANODAY_OWN_VECTORS)
      8 * NANODAY_VECTOR_BYTES,
#else
      0,
#endif
      lanes_of<double>(), lanes_of<float>(),
      [](const double* x, double* y, int n) {
        for_vectors(x, y, n, [](Vec<double> v) { return inverse_square_root(v); });
      },
      [](const float* x, double* y, int n) {
        for (int i = 0; i < n; i += k_lanes<double>) store(y + i, load_single(x + i));
      },
      [](const double* columns, double* rows) {
        Vec<double> v[4];
        for (int c = 0; c < 4; ++c) v[c] = load(columns + c * k_lanes<double>);
        store_rows4(rows, v);
      },
      [](const double* a, const double* b, double* out) {
        Row4 sum = load_row4(a), difference = sum;
        sum += load_row4(b);
        difference -= load_row4(b);
        store_row4(out, sum);
        store_row4(out + 4, difference);
      },
      keep_below, pairs
};

}  // namespace NANODAY_ISA
}  // namespace nanoday::test
