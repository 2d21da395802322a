// The mesh kernels of one instruction set, and what they take and give.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "math/charge_assignment.hpp"

#include <array>
#include <cstdint>

namespace nanoday::cpu {

/// Where a charge touches the mesh and how strongly.
struct alignas(64) Stencil {
  double weight[3][k_weight_row];  ///< along a, b, c
  double delta[3];
  double charge;          ///< [e]
  std::int32_t start[3];  ///< first mesh point, wrapped into the mesh
  std::int32_t unused;
};

/// A charge's coordinate along direction d in units of the mesh spacing: dot(row[d], x − origin).
struct MeshMap {
  std::array<int, 3> mesh;
  std::array<Vec3, 3> row;
  Vec3 origin;
};

/// A plane of mesh points: (N_b, row) numbers, of which N_c are points and the rest room for stencils that
/// stick out, repeated from the start of the row where values are read.
struct PlaneShape {
  int rows, points, row;
};

/// Charges whose stencils touch one plane: order[first … last) of `stencil`.
struct TouchingCharges {
  const Stencil* stencil;
  const std::int32_t* order;
  std::int32_t first, last;
  int plane;  ///< 0 … P−1: which point of their stencils along a lies in the plane
};

/// Mesh values of up to three fields; plane p of field c at field[c] + p·rows·row.
struct FieldMeshes {
  PlaneShape shape;
  int planes;
  const double* field[3];
};

/// Scale of the fixed-point charge mesh, 2^44 per e, and what it can hold [e].
inline constexpr double k_mesh_scale = 0x1p44;
inline constexpr double k_max_fixed_charge = 0x1p6;  ///< of one charge: it is rounded by addition of 1.5·2^52
inline constexpr double k_max_fixed_plane = 0x1p18;  ///< Σ|q| of the charges that touch a plane

struct MeshKernelSet {
  const char* name;

  struct OfOrder {
    /// Stencils of charges begin … end; returns the first one without a place on the mesh (its position is
    /// not finite or absurdly far), else −1.
    std::int64_t (*make_stencils)(const MeshMap&, const Vec4* charge, Stencil*, std::int64_t begin,
                                  std::int64_t end);
    void (*spread)(const TouchingCharges&, PlaneShape, double* plane);
    void (*spread_fixed)(const TouchingCharges&, PlaneShape, std::int64_t* plane);
    /// Fields at one charge: Σ w w w·field, one or three fields.
    double (*interpolate)(const Stencil&, const FieldMeshes&);
    Vec3 (*interpolate3)(const Stencil&, const FieldMeshes&);
    /// Derivative of the first field by the charge's mesh coordinate.
    Vec3 (*gradient)(const Stencil&, const FieldMeshes&);
  };
  OfOrder order[k_max_assignment_order + 1];  ///< from k_min_assignment_order on

  /// Spectrum of real sequences 2p and 2p+1 from that of sequence 2p + i·(2p+1): frequencies k and N − k give
  /// (2·pairs) complex numbers at frequency k.
  void (*split_pairs)(const double* at_k, const double* at_minus_k, int pairs, double* out);
  /// The inverse: frequencies k and N − k of the pairs from (2·pairs) numbers at k, multiplied by i·slope, or
  /// as they are when slope is null.
  void (*join_pairs)(const double* in, int pairs, const double* slope, double* at_k, double* at_minus_k);
  /// out = table·in, complex times real; i·table·in when `times_i`.
  void (*multiply)(const double* in, const double* table, std::int64_t n, bool times_i, double* out);
  /// out = i·slope·in.
  void (*scale_by_i)(const double* in, double slope, int n, double* out);
  /// Σ table·|in|².
  double (*weighted_square)(const double* in, const double* table, std::int64_t n);
};

extern const MeshKernelSet k_mesh_kernels_avx512, k_mesh_kernels_avx2, k_mesh_kernels_baseline;

}  // namespace nanoday::cpu
