// What all mesh solvers share: layout, order of charges, and what becomes of gathered values.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/mesh_kernel_set.hpp"
#include "model/influence.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace nanoday::cpu {

/// Real values lie as (N_a, N_b, real_row); half-transformed ones as (blocks, N_a, complex_row) complex
/// numbers, where a block is one frequency along b. Every plane and block starts on a cache line.
struct MeshLayout {
  std::array<int, 3> n{};  ///< points along a, b, c
  int real_row = 0;        ///< doubles, ≥ N_c + what a stencil may stick out
  int complex_row = 0;     ///< complex numbers, ≥ N_c made even
  int pairs = 0;           ///< pairs of neighboring points along c, the last one padded when N_c is odd

  PlaneShape plane() const { return {n[1], n[2], real_row}; }
  std::size_t plane_size() const { return static_cast<std::size_t>(n[1]) * real_row; }
  std::size_t block_size() const { return static_cast<std::size_t>(n[0]) * complex_row; }
};

MeshLayout mesh_layout(std::array<int, 3> mesh);

/// Throws InputError when an index of the mesh would not fit into 32 bits, or when the arrays of a solver
/// with `threads` threads would not fit into the memory that is free now. Allocates nothing.
void check_mesh_memory(std::array<int, 3> mesh, int threads);

/// Throws InputError when `bytes` do not fit into the memory that is free now; `what` as in "the mesh …".
void check_free_memory(double bytes, std::string_view what);

MeshMap mesh_map(const LongRangePlan& plan);

/// Charges by the first plane that their stencils touch.
struct ChargesByPlane {
  std::vector<std::int32_t> order, bin;  ///< charges, and where each plane's begin (planes + 1)

  /// Room, so that sort() allocates nothing.
  void reserve(std::size_t n, int planes);
  /// \param start (n) first plane of every charge, 0 … planes − 1
  void sort(const std::int32_t* start, std::int32_t n, int planes);
};

/// Whether the fixed-point mesh can hold these charges: each of them, and all that touch one plane.
class PlaneLoad {
 public:
  void add(const TouchingCharges& touching);
  bool fits() const { return total_ < k_max_fixed_plane && largest_ < k_max_fixed_charge; }
  double total() const { return total_; }  ///< Σ|q| [e]

 private:
  double total_ = 0, largest_ = 0;
};

/// From values gathered at a charge to the force on it.
class ForceRule {
 public:
  ForceRule(const LongRangePlan& plan, const InfluenceFunction& influence);
  /// Kernel that gathers what force() takes.
  auto kernel(const MeshKernelSet::OfOrder& of_order) const {
    return ad_ ? of_order.gradient : of_order.interpolate3;
  }
  /// \param gathered "ik": the fields i·frequency_d·φ at the charge; "ad": the potential's slopes there
  Vec3 force(const Vec4& charge, Vec3 gathered) const;

 private:
  Vec3 self_force(const Vec4& charge) const;

  bool ad_;
  MeshMap map_;
  std::array<Vec3, 3> to_cartesian_;  ///< rows: what −∂φ/∂(field direction) adds to a force
  std::array<std::array<double, 2>, 3> self_{};
};

/// Entries of a charge's virial from the values of components xx, xy, xz (half 0) or yy, yz, zz (half 1) at
/// it.
void put_virial_half(std::array<double, 9>& virial, int half, Vec3 values);

}  // namespace nanoday::cpu
