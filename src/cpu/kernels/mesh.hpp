// Loops over stencils and mesh rows, compiled once per instruction set.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/mesh_kernel_set.hpp"
#include "cpu/kernels/simd.hpp"

#include <array>

namespace nanoday::cpu::NANODAY_ISA {

using D = Vec<double>;
using I = IntVec<double>;
/// SIMD registers that hold P weights.
template <int P>
inline constexpr int k_registers = (P + k_lanes<double> - 1) / k_lanes<double>;

template <int P>
std::int64_t make_stencils(const MeshMap& map, const Vec4* charge, Stencil* stencil, std::int64_t begin,
                           std::int64_t end) {
  static constexpr AssignmentPolynomials<P> poly = assignment_polynomials<P>();
  constexpr double k_far = 0x1p40;  // beyond it a coordinate has lost its place among the mesh points
  std::int64_t lost = -1;
  for (std::int64_t i = begin; i < end; ++i) {
    Stencil& s = stencil[i];
    const Vec3 x = xyz(charge[i]) - map.origin;
    s.charge = charge[i].w;
    bool placed = s.charge - s.charge == 0;  // neither infinite nor NaN
    for (int d = 0; d < 3; ++d) {
      const double p = dot(map.row[static_cast<unsigned>(d)], x);
      const MeshPlace place = mesh_place<P>(p);
      placed = placed && __builtin_fabs(place.first) < k_far;
      const std::int64_t n = map.mesh[static_cast<unsigned>(d)];
      const std::int64_t wrapped = placed ? static_cast<std::int64_t>(place.first) % n : 0;
      s.start[d] = static_cast<std::int32_t>(wrapped < 0 ? wrapped + n : wrapped);
      s.delta[d] = place.delta;
      assignment_weights<P>(poly, place.delta, s.weight[d]);
    }
    if (!placed && lost < 0) lost = i;
  }
  return lost;
}

/// Where the rows of a charge's stencil begin in a plane.
template <int P>
NANODAY_INLINE std::array<std::int64_t, P> row_offsets(const Stencil& s, PlaneShape shape) {
  std::array<std::int64_t, P> at;
  int b = s.start[1];
#pragma GCC unroll 8
  for (int m = 0; m < P; ++m) {
    at[m] = static_cast<std::int64_t>(b) * shape.row + s.start[2];
    b = b + 1 == shape.rows ? 0 : b + 1;
  }
  return at;
}

template <int P>
void spread(const TouchingCharges& touching, PlaneShape shape, double* plane) {
  constexpr int n = k_registers<P>;
  for (std::int32_t t = touching.first; t < touching.last; ++t) {
    const Stencil& s = touching.stencil[touching.order[t]];
    const double share = s.charge * s.weight[0][touching.plane];
    D w[n];
    for (int l = 0; l < n; ++l) w[l] = share * load(s.weight[2] + l * k_lanes<double>);
    const auto at = row_offsets<P>(s, shape);
#pragma GCC unroll 8
    for (int m = 0; m < P; ++m)
      for (int l = 0; l < n; ++l) {
        double* p = plane + at[m] + l * k_lanes<double>;
        store(p, load(p) + s.weight[1][m] * w[l]);
      }
  }
}

template <int P>
void spread_fixed(const TouchingCharges& touching, PlaneShape shape, std::int64_t* plane) {
  constexpr int n = k_registers<P>;
  constexpr double k_round = 0x1.8p52;  // numbers near it are spaced by one: adding it rounds to an integer
  const D magic = broadcast(k_round);
  for (std::int32_t t = touching.first; t < touching.last; ++t) {
    const Stencil& s = touching.stencil[touching.order[t]];
    const double share = k_mesh_scale * s.charge * s.weight[0][touching.plane];
    D w[n];
    for (int l = 0; l < n; ++l) w[l] = share * load(s.weight[2] + l * k_lanes<double>);
    const auto at = row_offsets<P>(s, shape);
#pragma GCC unroll 8
    for (int m = 0; m < P; ++m)
      for (int l = 0; l < n; ++l) {
        std::int64_t* p = plane + at[m] + l * k_lanes<double>;
        I sum;
        std::memcpy(&sum, p, sizeof sum);
        sum += bits<I>(s.weight[1][m] * w[l] + magic) - bits<I>(magic);
        std::memcpy(p, &sum, sizeof sum);
      }
  }
}

/// Calls plane(k, index of its first point) for the planes of a stencil.
template <int P, class Plane>
NANODAY_INLINE void for_planes(const Stencil& s, const FieldMeshes& f, Plane&& plane) {
  const std::int64_t size = static_cast<std::int64_t>(f.shape.rows) * f.shape.row;
  int a = s.start[0];
  for (int k = 0; k < P; ++k) {
    plane(k, a * size);
    if (++a == f.planes) a = 0;
  }
}

/// (Σa, Σb, Σc) over lanes.
NANODAY_INLINE Vec3 lane_sums(D a, D b, D c) {
  double sum[4];
  sum_lanes4<double>(a, b, c, D{}, sum);
  return {sum[0], sum[1], sum[2]};
}

/// Lanes of Σ w w w·field, plane by plane: the rows of a plane first, then the plane's weight.
template <int P, int Fields>
NANODAY_INLINE void interpolate_fields(const Stencil& s, const FieldMeshes& f, D* result) {
  constexpr int n = k_registers<P>;
  D sum[Fields][n] = {};
  const auto at = row_offsets<P>(s, f.shape);
  for_planes<P>(s, f, [&](int k, std::int64_t plane) {
    D rows[Fields][n] = {};
#pragma GCC unroll 8
    for (int m = 0; m < P; ++m)
      for (int c = 0; c < Fields; ++c)
        for (int l = 0; l < n; ++l)
          rows[c][l] += s.weight[1][m] * load(f.field[c] + plane + at[m] + l * k_lanes<double>);
    const D w = broadcast(s.weight[0][k]);
    for (int c = 0; c < Fields; ++c)
      for (int l = 0; l < n; ++l) sum[c][l] += w * rows[c][l];
  });
  for (int c = 0; c < Fields; ++c) {
    result[c] = sum[c][0] * load(s.weight[2]);
    for (int l = 1; l < n; ++l) result[c] += sum[c][l] * load(s.weight[2] + l * k_lanes<double>);
  }
}

template <int P>
double interpolate(const Stencil& s, const FieldMeshes& f) {
  D value;
  interpolate_fields<P, 1>(s, f, &value);
  return lane_sums(value, D{}, D{}).x;
}

template <int P>
Vec3 interpolate3(const Stencil& s, const FieldMeshes& f) {
  D value[3];
  interpolate_fields<P, 3>(s, f, value);
  return lane_sums(value[0], value[1], value[2]);
}

template <int P>
Vec3 gradient(const Stencil& s, const FieldMeshes& f) {
  static constexpr AssignmentPolynomials<P> poly = assignment_polynomials<P>();
  constexpr int n = k_registers<P>;
  double slope[3][k_weight_row];
  for (int d = 0; d < 3; ++d) assignment_slopes<P>(poly, s.delta[d], slope[d]);
  D along_a[n] = {}, along_b[n] = {}, along_c[n] = {};
  const auto at = row_offsets<P>(s, f.shape);
  for_planes<P>(s, f, [&](int k, std::int64_t plane) {
    D value[n] = {}, by_b[n] = {};  // of the plane's rows, and its derivative along b
#pragma GCC unroll 8
    for (int m = 0; m < P; ++m)
      for (int l = 0; l < n; ++l) {
        const D row = load(f.field[0] + plane + at[m] + l * k_lanes<double>);
        value[l] += s.weight[1][m] * row;
        by_b[l] += slope[1][m] * row;
      }
    const D w = broadcast(s.weight[0][k]), dw = broadcast(slope[0][k]);
    for (int l = 0; l < n; ++l) {
      along_a[l] += dw * value[l];
      along_b[l] += w * by_b[l];
      along_c[l] += w * value[l];
    }
  });
  D sum[3] = {};
  for (int l = 0; l < n; ++l) {
    sum[0] += along_a[l] * load(s.weight[2] + l * k_lanes<double>);
    sum[1] += along_b[l] * load(s.weight[2] + l * k_lanes<double>);
    sum[2] += along_c[l] * load(slope[2] + l * k_lanes<double>);
  }
  return lane_sums(-sum[0], -sum[1], -sum[2]);  // δ falls as the coordinate grows
}

inline void split_pairs(const double* __restrict at_k, const double* __restrict at_minus_k, int pairs,
                        double* __restrict out) {
  for (int p = 0; p < pairs; ++p) {
    const double a = at_k[2 * p], b = at_k[2 * p + 1], c = at_minus_k[2 * p], d = at_minus_k[2 * p + 1];
    out[4 * p] = 0.5 * (a + c);
    out[4 * p + 1] = 0.5 * (b - d);
    out[4 * p + 2] = 0.5 * (b + d);
    out[4 * p + 3] = 0.5 * (c - a);
  }
}

inline void join_pairs(const double* __restrict in, int pairs, const double* slope, double* __restrict at_k,
                       double* __restrict at_minus_k) {
  if (slope) {
    const double f = *slope;  // i·f·(x, y) = (−f·y, f·x)
    for (int p = 0; p < pairs; ++p) {
      const double a = -f * in[4 * p + 1], b = f * in[4 * p], c = -f * in[4 * p + 3], d = f * in[4 * p + 2];
      at_k[2 * p] = a - d;
      at_k[2 * p + 1] = b + c;
      at_minus_k[2 * p] = a + d;
      at_minus_k[2 * p + 1] = c - b;
    }
    return;
  }
  for (int p = 0; p < pairs; ++p) {
    const double a = in[4 * p], b = in[4 * p + 1], c = in[4 * p + 2], d = in[4 * p + 3];
    at_k[2 * p] = a - d;
    at_k[2 * p + 1] = b + c;
    at_minus_k[2 * p] = a + d;
    at_minus_k[2 * p + 1] = c - b;
  }
}

inline void multiply(const double* __restrict in, const double* __restrict table, std::int64_t n,
                     bool times_i, double* __restrict out) {
  if (times_i) {
    for (std::int64_t i = 0; i < n; ++i) {
      const double re = in[2 * i], im = in[2 * i + 1];
      out[2 * i] = -table[i] * im;
      out[2 * i + 1] = table[i] * re;
    }
    return;
  }
  for (std::int64_t i = 0; i < n; ++i) {
    out[2 * i] = table[i] * in[2 * i];
    out[2 * i + 1] = table[i] * in[2 * i + 1];
  }
}

inline void scale_by_i(const double* __restrict in, double slope, int n, double* __restrict out) {
  for (int i = 0; i < n; ++i) {
    const double re = in[2 * i], im = in[2 * i + 1];
    out[2 * i] = -slope * im;
    out[2 * i + 1] = slope * re;
  }
}

inline double weighted_square(const double* __restrict in, const double* __restrict table, std::int64_t n) {
  constexpr int k_chains = 8;  // independent sums, in an order that no instruction set changes
  double sum[k_chains] = {};
  std::int64_t i = 0;
  for (; i + k_chains <= n; i += k_chains)
    for (int c = 0; c < k_chains; ++c)
      sum[c] +=
          table[i + c] * (in[2 * (i + c)] * in[2 * (i + c)] + in[2 * (i + c) + 1] * in[2 * (i + c) + 1]);
  for (; i < n; ++i) sum[0] += table[i] * (in[2 * i] * in[2 * i] + in[2 * i + 1] * in[2 * i + 1]);
  double total = 0;
  for (double s : sum) total += s;
  return total;
}

template <int P>
constexpr MeshKernelSet::OfOrder of_order() {
  return {make_stencils<P>, spread<P>, spread_fixed<P>, interpolate<P>, interpolate3<P>, gradient<P>};
}

constexpr MeshKernelSet mesh_kernel_set(const char* name) {
  return {name,
          {{}, {}, of_order<2>(), of_order<3>(), of_order<4>(), of_order<5>(), of_order<6>(), of_order<7>()},
          split_pairs,
          join_pairs,
          multiply,
          scale_by_i,
          weighted_square};
}

}  // namespace nanoday::cpu::NANODAY_ISA
