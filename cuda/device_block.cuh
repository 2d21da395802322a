// A kernel's block on a GPU: what cuda/device.hpp promises, in CUDA's own words.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace nanoday::cuda {

/// One thread of one block. Empty: everything is in registers of the hardware. Host compilers see the
/// declarations only; kernels are compiled by nvcc.
class Block {
 public:
  __device__ int thread() const;
  __device__ int size() const;
  __device__ long block() const;
  __device__ long grid() const;
  __device__ int lane() const;
  __device__ int warp() const;
  __device__ int warps() const;
  __device__ long global() const;
  __device__ long stride() const;
  template <class T>
  __device__ T* shared(std::size_t offset) const;
  __device__ void sync();
  __device__ void sync_warp();
  template <class T>
  __device__ T shuffle(T value, int lane);
  template <class T>
  __device__ T shuffle_xor(T value, int mask);
  __device__ unsigned ballot(bool said);

 private:
  /// What CUDA's shuffles and atomics take for integers of T's size.
  template <class T>
  using Bits = std::conditional_t<sizeof(T) == 4, unsigned, unsigned long long>;
  static constexpr unsigned k_all_lanes = 0xffffffffu;
};

template <class T>
__device__ T atomic_add(T* to, std::type_identity_t<T> value);
template <class T>
__device__ T atomic_max(T* to, std::type_identity_t<T> value);
__device__ std::uint32_t atomic_or(std::uint32_t* to, std::uint32_t bits);

#if defined(__CUDACC__)

// Blocks have one dimension, and blocks of a launch number less than 2^31.
__device__ __forceinline__ int Block::thread() const { return static_cast<int>(threadIdx.x); }
__device__ __forceinline__ int Block::size() const { return static_cast<int>(blockDim.x); }
__device__ __forceinline__ long Block::block() const { return static_cast<long>(blockIdx.x); }
__device__ __forceinline__ long Block::grid() const { return static_cast<long>(gridDim.x); }
__device__ __forceinline__ int Block::lane() const { return thread() & 31; }
__device__ __forceinline__ int Block::warp() const { return thread() >> 5; }
__device__ __forceinline__ int Block::warps() const { return size() >> 5; }
__device__ __forceinline__ long Block::global() const { return block() * size() + thread(); }
__device__ __forceinline__ long Block::stride() const { return grid() * size(); }

template <class T>
__device__ __forceinline__ T* Block::shared(std::size_t offset) const {
  extern __shared__ __align__(1024) unsigned char nanoday_shared[];
  return reinterpret_cast<T*>(nanoday_shared + offset);
}

__device__ __forceinline__ void Block::sync() { __syncthreads(); }
__device__ __forceinline__ void Block::sync_warp() { __syncwarp(); }

template <class T>
__device__ __forceinline__ T Block::shuffle(T value, int lane) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "lanes exchange values of 4 or 8 bytes");
  return std::bit_cast<T>(__shfl_sync(k_all_lanes, std::bit_cast<Bits<T>>(value), lane));
}

template <class T>
__device__ __forceinline__ T Block::shuffle_xor(T value, int mask) {
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "lanes exchange values of 4 or 8 bytes");
  return std::bit_cast<T>(__shfl_xor_sync(k_all_lanes, std::bit_cast<Bits<T>>(value), mask));
}

__device__ __forceinline__ unsigned Block::ballot(bool said) { return __ballot_sync(k_all_lanes, said); }

template <class T>
__device__ __forceinline__ T atomic_add(T* to, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "no floating-point atomics");
  // Unsigned sums wrap as two's complement does, so that signed values may be added in the same bits.
  using Bits = std::conditional_t<sizeof(T) == 4, unsigned, unsigned long long>;
  return static_cast<T>(atomicAdd(reinterpret_cast<Bits*>(to), static_cast<Bits>(value)));
}

template <class T>
__device__ __forceinline__ T atomic_max(T* to, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T> && (sizeof(T) == 4 || sizeof(T) == 8));
  using Word = std::conditional_t<sizeof(T) == 4, std::conditional_t<std::is_signed_v<T>, int, unsigned>,
                                  std::conditional_t<std::is_signed_v<T>, long long, unsigned long long>>;
  return static_cast<T>(atomicMax(reinterpret_cast<Word*>(to), static_cast<Word>(value)));
}

__device__ __forceinline__ std::uint32_t atomic_or(std::uint32_t* to, std::uint32_t bits) {
  return atomicOr(to, bits);
}

#endif

}  // namespace nanoday::cuda
