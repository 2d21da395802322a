// What is compiled once per vector length, as functions on arrays that any test can call.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/sve_backend.hpp"
#include "core/vec3.hpp"
#include "cpu/packed_model.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nanoday::test {

/// The operations of one vector length. Arrays of `n` numbers hold whole vectors.
template <class Real>
struct LanesOf {
  int lanes;
  void (*reciprocal)(const Real* x, Real* y, int n);
  void (*tanh)(const Real* x, Real* y, int n);
  void (*sum_lanes4)(const Real* vectors, Real* sums);    ///< four vectors
  void (*transpose)(const Real* from, Real* to);          ///< (lanes, lanes)
  void (*load_rows4)(const Real* rows, double* columns);  ///< rows of four for the lanes of double
  void (*store_as)(const double* x, Real* y, int n);
  void (*broadcast)(const Real* p, Real* vector);
  /// z (out, k_batch<Real>) = start + panelsᵀ · x for n_atoms; start: 0 zero, 1 `row`, 2 z itself.
  void (*gemm)(const Array<Real>& panels, int n_in, const Real* x, Real* z, const Real* row, int start,
               int n_atoms);
  /// φ(x) and φ'(x) of x (rows, k_batch<Real>) for n_atoms.
  void (*activate)(Activation kind, int rows, int n_atoms, const Real* x, Real* value, Real* slope);
};

struct Lanes {
  const char* isa;
  int bits;  ///< that the processor must have; 0: any processor runs them
  LanesOf<double> fp64;
  LanesOf<float> fp32;
  void (*inverse_square_root)(const double* x, double* y, int n);
  void (*load_single)(const float* x, double* y, int n);
  void (*store_rows4)(const double* columns, double* rows);
  void (*add_rows)(const double* a, const double* b, double* sum_and_difference);  ///< rows of four
  int (*keep_below)(const double* x, const std::int32_t* index, double limit, int n, double* kept,
                    std::int32_t* kept_index);  ///< n ≤ lanes; writes whole vectors
  /// z (out, k_batch<float>) += products of pairs, x (n_in, k_batch<float>) being rounded to them first.
  void (*pairs)(const Array<std::uint32_t>& panels, float unit, int n_rows, const float* x, int n_in,
                float* z, int n_vectors);
};

/// Those that this processor runs.
std::vector<const Lanes*> available_lanes();

}  // namespace nanoday::test
