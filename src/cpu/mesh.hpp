// How the mesh of the long-range solver lies in memory, and whether it fits.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/mesh_kernel_set.hpp"

#include <array>
#include <cstddef>

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

}  // namespace nanoday::cpu
