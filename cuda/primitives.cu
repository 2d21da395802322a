// Sorting and running sums on a GPU, by CUB.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/primitives.hpp"

#include "core/error.hpp"
#include "cuda/cuda_check.hpp"

#include <thrust/iterator/counting_iterator.h>
#include <thrust/iterator/transform_iterator.h>
#include <cub/device/device_radix_sort.cuh>
#include <cub/device/device_scan.cuh>

#include <limits>

namespace nanoday::cuda {
namespace {

/// in[i], and zero at the place behind the last, which is not read.
struct ValueOrZero {
  const std::int64_t* in;
  std::int64_t n;
  __host__ __device__ std::int64_t operator()(std::int64_t i) const { return i < n ? in[i] : 0; }
};

/// CUB counts items with int in some versions.
int checked_count(std::int64_t n) {
  require_run(n < std::numeric_limits<int>::max(), "{} items cannot be sorted or summed at once on the GPU",
              n);
  return static_cast<int>(n);
}

/// Calls `use` twice, as CUB wants: to learn how much scratch memory it takes, and to queue the work.
template <class Use>
void with_scratch(Scratch& scratch, const char* what, const Use& use) {
  std::size_t bytes = 0;
  check(use(nullptr, bytes), what);
  scratch.bytes.resize(bytes);
  check(use(scratch.bytes.data(), bytes), what);
  if (recording() == nullptr) count(counts().kernels);
}

}  // namespace

void exclusive_sum(Stream& stream, Scratch& scratch, const std::int64_t* in, std::int64_t* out,
                   std::int64_t n) {
  const int items = checked_count(n + 1);
  const auto values =
      thrust::make_transform_iterator(thrust::make_counting_iterator(std::int64_t{0}), ValueOrZero{in, n});
  with_scratch(scratch, "a running sum", [&](void* memory, std::size_t& bytes) {
    return cub::DeviceScan::ExclusiveSum(memory, bytes, values, out, items, stream.handle().stream);
  });
}

void sort_pairs(Stream& stream, Scratch& scratch, const std::uint64_t* key_in, std::uint64_t* key_out,
                const std::int32_t* value_in, std::int32_t* value_out, std::int64_t n, int bits) {
  if (n == 0) return;
  const int items = checked_count(n);
  with_scratch(scratch, "sorting", [&](void* memory, std::size_t& bytes) {
    return cub::DeviceRadixSort::SortPairs(memory, bytes, key_in, key_out, value_in, value_out, items, 0,
                                           bits, stream.handle().stream);
  });
}

}  // namespace nanoday::cuda
