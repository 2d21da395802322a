// What a kernel sees: its block, its threads, barriers, shared memory, atomics; on a GPU, or on the CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

// Every file of cuda/ is compiled twice: by nvcc into namespace cuda, and by the host compiler, with
// NANODAY_CUDA_HOST defined, into namespace cuda_host. There a kernel's threads are fibers of one CPU thread
// and device memory is host memory, so that the same kernels, the same launches and the same graphs are
// tested without a GPU.
#if defined(NANODAY_CUDA_HOST)
#define NANODAY_GPU cuda_host
#define NANODAY_DEVICE inline
#include "cuda/host/host_block.hpp"
#else
#define NANODAY_GPU cuda
#define NANODAY_DEVICE __device__ __forceinline__
#include "cuda/device_block.cuh"
#endif

// Block, of both, one per thread of a kernel:
//   int  thread(), size()         this thread's index in its block; threads per block
//   long block(), grid()          index of the block; blocks of the launch
//   int  lane(), warp(), warps()  thread() % 32, thread() / 32, size() / 32
//   long global(), stride()       block() · size() + thread(); grid() · size(): for loops over whole arrays
//   T*   shared<T>(offset)        dynamic shared memory at a byte offset (a multiple of 16); the launch gives
//   its size void sync()                   all threads of the block; every thread must come void sync_warp()
//   the 32 threads of the warp; every one of them must come T    shuffle(v, lane)         v of another lane;
//   T of 4 or 8 bytes; every lane must come, as below T    shuffle_xor(v, mask) unsigned ballot(bool) bit l:
//   what lane l said
//
// Free functions:
//   atomic_add(T*, T)             T: int32_t, uint32_t, int64_t, uint64_t; returns the old value
//   atomic_max(T*, T)             T: int32_t, uint32_t, uint64_t; returns the old value
//   atomic_or(uint32_t*, uint32_t)
//
// A kernel is a struct of views and numbers with
//   static constexpr const char* k_name = "descriptor";   // the words of profiles and counters
//   NANODAY_DEVICE void operator()(Block& block) const;
// No floating-point atomics anywhere: sums that many threads share are 64-bit fixed point.

namespace nanoday::NANODAY_GPU {

inline constexpr int k_warp = 32;

/// Sum over the warp, in every lane, always in the same order.
template <class T>
NANODAY_DEVICE T warp_sum(Block& block, T value) {
  for (int mask = k_warp / 2; mask > 0; mask /= 2) value += block.shuffle_xor(value, mask);
  return value;
}

}  // namespace nanoday::NANODAY_GPU
