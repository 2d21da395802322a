// Products of small matrices by a warp, and copies to shared memory that run beside them; the only PTX.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/device.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#if defined(__CUDACC__)
#define NANODAY_UNROLL _Pragma("unroll")
#else
#define NANODAY_UNROLL
#endif

// A step multiplies A (16·MF, 8) with B (8, 8·NF) and adds to C (16·MF, 8·NF). Fragments, for lane
// 4·g + t (PTX ISA, "Matrix fragments for mma.m16n8k8", the same for f64 and tf32):
//   a[i]  A[g + 8·(i & 1)][t + 4·(i >> 1)]      i < 4
//   b[j]  B[t + 4·j][g]                         j < 2
//   c[i]  C[g + 8·(i >> 1)][2·t + (i & 1)]      i < 4
// sm_90 has m16n8k8 for f64; sm_80 does it in four m8n8k4, whose fragments are the four (two) parts of these.
// Before sm_80 lanes exchange fragments by shuffles and use ordinary arithmetic, in float without rounding
// to TF32. Compiled for the host, lanes exchange them through memory.

namespace nanoday::NANODAY_GPU {

/// Rounds to the 10 bits of TF32's mantissa, to nearest, ties away from zero.
NANODAY_DEVICE float round_to_tf32(float x) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  std::uint32_t bits;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
  return __uint_as_float(bits & 0xffffe000u);  // the low bits are nobody's; the rest is computed from these
#elif defined(NANODAY_CUDA_HOST)
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
  return finite ? std::bit_cast<float>((bits + 0x1000u) & 0xffffe000u) : x;
#else
  return x;
#endif
}

/// C += A·B by shuffles and ordinary arithmetic; needs no tensor cores.
template <class Real, int MF, int NF>
NANODAY_DEVICE void multiply_by_shuffles(Block& block, const Real (&a)[MF][4], const Real (&b)[NF][2],
                                         Real (&c)[MF][NF][4]) {
  const int g = block.lane() / 4, t = block.lane() % 4;
  NANODAY_UNROLL
  for (int k = 0; k < 8; ++k) {
    Real x[MF][2], y[NF][2];
    NANODAY_UNROLL
    for (int m = 0; m < 2 * MF; ++m)
      x[m / 2][m % 2] = block.shuffle(a[m / 2][m % 2 + 2 * (k / 4)], 4 * g + k % 4);
    NANODAY_UNROLL
    for (int n = 0; n < 2 * NF; ++n)
      y[n / 2][n % 2] = block.shuffle(b[n / 2][k / 4], 4 * (2 * t + n % 2) + k % 4);
    NANODAY_UNROLL
    for (int m = 0; m < MF; ++m) NANODAY_UNROLL
    for (int n = 0; n < NF; ++n) NANODAY_UNROLL
    for (int i = 0; i < 4; ++i) c[m][n][i] += x[m][i / 2] * y[n][i % 2];
  }
}

#if defined(NANODAY_CUDA_HOST)

/// What the lanes of a warp show each other.
struct FragmentExchange {
  static constexpr int k_most = 8;  ///< fragments of A or B in one step
  double a[k_most][4][k_warp], b[k_most][2][k_warp];
};
inline FragmentExchange& fragment_exchange(int warp) {
  static thread_local FragmentExchange exchange[32];
  return exchange[warp];
}

/// C += A·B; the sum over a step's eight products is rounded once.
template <class Real, int MF, int NF>
void multiply_by_exchange(Block& block, const Real (&a)[MF][4], const Real (&b)[NF][2],
                          Real (&c)[MF][NF][4]) {
  static_assert(MF <= FragmentExchange::k_most && NF <= FragmentExchange::k_most);
  FragmentExchange& shared = fragment_exchange(block.warp());
  const int lane = block.lane(), g = lane / 4, t = lane % 4;
  for (int m = 0; m < MF; ++m)
    for (int i = 0; i < 4; ++i) shared.a[m][i][lane] = a[m][i];
  for (int n = 0; n < NF; ++n)
    for (int j = 0; j < 2; ++j) shared.b[n][j][lane] = b[n][j];
  block.sync_warp();
  for (int m = 0; m < MF; ++m)
    for (int n = 0; n < NF; ++n)
      for (int i = 0; i < 4; ++i) {
        double sum = c[m][n][i];
        for (int k = 0; k < 8; ++k)
          sum += shared.a[m][i / 2 + 2 * (k / 4)][4 * g + k % 4] *
                 shared.b[n][k / 4][4 * (2 * t + i % 2) + k % 4];
        c[m][n][i] = static_cast<Real>(sum);
      }
  block.sync_warp();
}

#endif

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800

NANODAY_DEVICE void multiply_fragment(const double (&a)[4], const double (&b)[2], double (&c)[4]) {
#if __CUDA_ARCH__ >= 900
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+d"(c[0]), "+d"(c[1]), "+d"(c[2]), "+d"(c[3])
      : "d"(a[0]), "d"(a[1]), "d"(a[2]), "d"(a[3]), "d"(b[0]), "d"(b[1]));
#else
  NANODAY_UNROLL
  for (int part = 0; part < 4; ++part)
    asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0, %1}, {%2}, {%3}, {%0, %1};"
                 : "+d"(c[2 * (part & 1)]), "+d"(c[2 * (part & 1) + 1])
                 : "d"(a[part]), "d"(b[part >> 1]));
#endif
}

NANODAY_DEVICE void multiply_fragment(const float (&a)[4], const float (&b)[2], float (&c)[4]) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(__float_as_uint(a[0])), "r"(__float_as_uint(a[1])), "r"(__float_as_uint(a[2])),
        "r"(__float_as_uint(a[3])), "r"(__float_as_uint(b[0])), "r"(__float_as_uint(b[1])));
}

#endif

/// C += A·B with the fragments as they are: every lane of the warp must come.
template <class Real, int MF, int NF>
NANODAY_DEVICE void multiply_fragments(Block& block, const Real (&a)[MF][4], const Real (&b)[NF][2],
                                       Real (&c)[MF][NF][4]) {
#if defined(NANODAY_CUDA_HOST)
  multiply_by_exchange(block, a, b, c);
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  NANODAY_UNROLL
  for (int m = 0; m < MF; ++m) NANODAY_UNROLL
  for (int n = 0; n < NF; ++n) multiply_fragment(a[m], b[n], c[m][n]);
#else
  multiply_by_shuffles(block, a, b, c);
#endif
}

/// Splits x into what TF32 holds of it and what TF32 holds of the rest: 21 bits together.
template <int N, int L>
NANODAY_DEVICE void split_to_tf32(const float (&x)[N][L], float (&big)[N][L], float (&small)[N][L]) {
  NANODAY_UNROLL
  for (int n = 0; n < N; ++n) NANODAY_UNROLL
  for (int l = 0; l < L; ++l) {
    big[n][l] = round_to_tf32(x[n][l]);
    small[n][l] = round_to_tf32(x[n][l] - big[n][l]);
  }
}

/// C += A·B of floats in TF32 products: three of them, to float's own error, or one. What three leave out is
/// the product of the two rests, 2^-22 of the whole.
template <bool Split, int MF, int NF>
NANODAY_DEVICE void multiply_tf32(Block& block, const float (&a)[MF][4], const float (&b)[NF][2],
                                  float (&c)[MF][NF][4]) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
  multiply_by_shuffles(block, a, b, c);
#else
  float a_big[MF][4], b_big[NF][2], a_small[MF][4], b_small[NF][2];
  split_to_tf32(a, a_big, a_small);
  split_to_tf32(b, b_big, b_small);
  if constexpr (Split) {
    multiply_fragments(block, a_small, b_big, c);
    multiply_fragments(block, a_big, b_small, c);
  }
  multiply_fragments(block, a_big, b_big, c);
#endif
}

/// Begins to copy Bytes (4, 8 or 16, and aligned to that) from global to shared memory; only the first
/// `valid` are read, the others become zero. They are there after wait_for_copies() and a barrier.
template <int Bytes>
NANODAY_DEVICE void copy_to_shared(void* to, const void* from, int valid) {
  static_assert(Bytes == 4 || Bytes == 8 || Bytes == 16);
#if defined(NANODAY_CUDA_HOST)
  std::memset(to, 0, Bytes);
  std::memcpy(to, from, static_cast<std::size_t>(valid));
#elif defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  if constexpr (Bytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(valid)
                 : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], %3, %2;" ::"r"(address), "l"(from), "r"(valid),
                 "n"(Bytes)
                 : "memory");
#else
  NANODAY_UNROLL
  for (int w = 0; w < Bytes / 4; ++w)
    static_cast<std::uint32_t*>(to)[w] = 4 * w < valid ? static_cast<const std::uint32_t*>(from)[w] : 0u;
#endif
}

/// Closes a batch of copies of this thread (also an empty one).
NANODAY_DEVICE void commit_copies() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// Waits until all but the last `Pending` batches of this thread have arrived.
template <int Pending>
NANODAY_DEVICE void wait_for_copies() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
#endif
}

}  // namespace nanoday::NANODAY_GPU
