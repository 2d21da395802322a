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

}  // namespace nanoday::NANODAY_GPU
