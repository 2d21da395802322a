// The inner loops of the kernels, each in a function of its own, for scripts/sve_report to look at.
// SPDX-License-Identifier: Apache-2.0
//
// Compiled to assembly with the flags of arm/, never run: what is reported is the very code that the kernels
// inline. The name of a function is that of its loop in the report.
#include "arm/lanes.hpp"
//
#include "cpu/kernels/batch.hpp"
#include "cpu/kernels/direct_sum.hpp"
#include "cpu/kernels/mesh.hpp"

using namespace nanoday;
using namespace nanoday::cpu;
using namespace nanoday::cpu::NANODAY_ISA;

/// Everything called inside is inlined, so that the loop is found under the name of the function.
#define NANODAY_LOOP extern "C" __attribute__((flatten, noinline)) void

template <class Real>
using Neighbors = NeighborBlock<Real>;

// Products of weights and batches of atoms.
NANODAY_LOOP gemm_tile_double(const double* w, int n, const double* x, double* z) {
  gemm_tile<double, 3, GemmStart::zero, k_batch<double>>(w, n, x, z, nullptr);
}
NANODAY_LOOP gemm_tile_float(const float* w, int n, const float* x, float* z) {
  gemm_tile<float, 3, GemmStart::zero, k_batch<float>>(w, n, x, z, nullptr);
}
// Few atoms: lanes over outputs, several panels at once.
NANODAY_LOOP gemm_few_double_1(const double* w, int n, const double* x, double* sum) {
  few_tile<double, 1, few_panels<double>(1), k_batch<double>>(w, n, x, sum);
}
NANODAY_LOOP gemm_few_double_3(const double* w, int n, const double* x, double* sum) {
  few_tile<double, 3, few_panels<double>(3), k_batch<double>>(w, n, x, sum);
}
NANODAY_LOOP gemm_few_float_1(const float* w, int n, const float* x, float* sum) {
  few_tile<float, 1, few_panels<float>(1), k_batch<float>>(w, n, x, sum);
}
// Sixteen pairs of half precision, as many as are added before a sum goes on in single precision.
NANODAY_LOOP pairs_tile_half(const std::uint32_t* w, int n_pairs, const std::uint32_t* x, float* z,
                             float unit) {
  pairs_tile<3, GemmStart::zero>(w, n_pairs, x, z, unit);
}

// Table and outer product.
NANODAY_LOOP table_forward_double(const Neighbors<double>& n, std::int64_t first, int count, double* out) {
  accumulate_columns<double, 4, 6>(n, first, count, 0, 1.0, out, 128);
}
NANODAY_LOOP table_forward_double_16_columns(const Neighbors<double>& n, std::int64_t first, int count,
                                             double* out) {
  accumulate_columns<double, 2, 6>(n, first, count, 0, 1.0, out, 128);
}
NANODAY_LOOP table_forward_float(const Neighbors<float>& n, std::int64_t first, int count, float* out) {
  accumulate_columns<float, 2, 6>(n, first, count, 0, 1.0F, out, 128);
}
NANODAY_LOOP table_backward_double(Neighbors<double>& n, std::int64_t first, int count, const double* da) {
  row_gradient_columns<double, 4, 6, true>(n, first, count, 0, da, 128);
}
NANODAY_LOOP table_backward_double_16_columns(Neighbors<double>& n, std::int64_t first, int count,
                                              const double* da) {
  row_gradient_columns<double, 2, 6, true>(n, first, count, 0, da, 128);
}
NANODAY_LOOP table_backward_float(Neighbors<float>& n, std::int64_t first, int count, const float* da) {
  row_gradient_columns<float, 2, 6, true>(n, first, count, 0, da, 128);
}

// Environment of an atom.
NANODAY_LOOP environment_rows_double(const PackedModel<double>& model, const PackedCentre<double>& centre,
                                     const PackedTable<double>& table, Neighbors<double>& n,
                                     std::int64_t first, int count) {
  environment_rows(model, centre, table, n, first, count);
}
NANODAY_LOOP environment_rows_float(const PackedModel<float>& model, const PackedCentre<float>& centre,
                                    const PackedTable<float>& table, Neighbors<float>& n, std::int64_t first,
                                    int count) {
  environment_rows(model, centre, table, n, first, count);
}
NANODAY_LOOP candidate_filter(const BatchArgs& args, const Vec4& centre, std::int64_t begin, std::int64_t end,
                              Neighbors<double>& n, int* kept) {
  *kept = filter(args, centre, begin, end, 36.0, n, 0);
}
NANODAY_LOOP pair_gradient_double(const PackedCentre<double>& centre, Neighbors<double>& n,
                                  std::int64_t first, int count) {
  pair_gradient(centre, n, first, count);
}

// tanh of many values.
template <class Real>
NANODAY_INLINE void tanh_of_many(const Real* x, long n, Real* y, Real* slope) {
  for (long i = 0; i < n; i += k_lanes<Real>) {
    Vec<Real> value, d;
    activate_lanes<Real>(Activation::tanh, load(x + i), value, d);
    store(y + i, value);
    store(slope + i, d);
  }
}
NANODAY_LOOP tanh_double(const double* x, long n, double* y, double* slope) { tanh_of_many(x, n, y, slope); }
NANODAY_LOOP tanh_float(const float* x, long n, float* y, float* slope) { tanh_of_many(x, n, y, slope); }

// Charges to the mesh and fields back to charges.
NANODAY_LOOP mesh_spread_order_5(const TouchingCharges& charges, PlaneShape shape, double* plane) {
  spread<5>(charges, shape, plane);
}
NANODAY_LOOP mesh_spread_fixed_order_5(const TouchingCharges& charges, PlaneShape shape,
                                       std::int64_t* plane) {
  spread_fixed<5>(charges, shape, plane);
}
NANODAY_LOOP mesh_gather_ik_order_5(const Stencil& s, const FieldMeshes& f, Vec3* result) {
  *result = interpolate3<5>(s, f);
}
NANODAY_LOOP mesh_gather_ad_order_5(const Stencil& s, const FieldMeshes& f, Vec3* result) {
  *result = gradient<5>(s, f);
}

// Direct sum.
NANODAY_LOOP direct_sum_block(const double* rows, const double* z, std::int64_t stride, std::int64_t n,
                              double* table) {
  sum_block<4, k_columns>(PlainSum{}, rows, z, stride, n, table, true);
}
NANODAY_LOOP direct_sum_block_fixed(const FixedSum& how, const double* rows, const double* z,
                                    std::int64_t stride, std::int64_t n, std::int64_t* table) {
  sum_block<4, k_columns>(how, rows, z, stride, n, table, true);
}
NANODAY_LOOP direct_evaluate(const ChargeWaves& w, const ReciprocalLine& line, const double* table,
                             const double* z, const double* dz, PlaneSums& plane) {
  add_line<4>(w, line, table, z, dz, 0, plane);
}
