// Sums over the threads of a block and over the blocks of a launch, in an order that never changes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/device.hpp"

#include <cstddef>
#include <cstdint>

namespace nanoday::NANODAY_GPU {

/// Bytes of shared memory that block_sums() needs for N sums of a block of `threads`.
template <int N>
constexpr std::size_t block_sums_bytes(int threads) {
  return (sizeof(double) * N * (threads / k_warp) + 15) / 16 * 16;
}

/// Thread j < N returns the sum of every thread's value[j], the others return 0. Every thread of the block
/// must come; `shared` is free again after the block's next sync(). \pre N ≤ threads of the block
template <int N>
NANODAY_DEVICE double block_sums(Block& block, const double (&value)[N], double* shared) {
  for (int j = 0; j < N; ++j) {
    const double sum = warp_sum(block, value[j]);
    if (block.lane() == 0) shared[block.warp() * N + j] = sum;
  }
  block.sync();
  double total = 0;
  if (block.thread() < N)
    for (int w = 0; w < block.warps(); ++w) total += shared[w * N + block.thread()];
  return total;
}

/// A block per system: totals of rows (rows, 7) energy, virial xx xy xz yy yz zz; what nobody asked for
/// becomes 0.
struct FinishSums {
  static constexpr const char* k_name = "long_range_sums";
  static constexpr int k_threads = 256;
  const double* row;  ///< (systems, rows, 7)
  std::int64_t rows;
  bool energy, virial;
  double* sums;  ///< (systems, 7) [eV]

  NANODAY_DEVICE void operator()(Block& block) const {
    double sum[7] = {};
    const double* const mine = row + 7 * rows * block.block();
    for (std::int64_t r = block.thread(); r < rows; r += block.size())
      for (int j = 0; j < 7; ++j) sum[j] += mine[7 * r + j];
    const double total = block_sums(block, sum, block.shared<double>(0));
    const int j = block.thread();
    if (j < 7) sums[7 * block.block() + j] = (j == 0 ? energy : virial) ? total : 0;
  }
};

}  // namespace nanoday::NANODAY_GPU
