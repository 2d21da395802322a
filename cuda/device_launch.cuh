// Launching a kernel on a GPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/runtime.hpp"

#include <atomic>
#include <cstddef>
#include <type_traits>

namespace nanoday::cuda {

/// A kernel without its type: its address on the device, where its arguments lie, and what it is called.
struct DeviceKernel {
  const char* name;
  const void* address;
  void* arguments;
  std::atomic<std::size_t>* shared_bytes;  ///< how much dynamic shared memory it has been allowed so far
};

/// Queues a kernel; throws RunError when the device refuses.
void launch_kernel(Stream& stream, const DeviceKernel& kernel, const Grid& grid);

#if defined(__CUDACC__)

/// What the device runs, one instance per kernel struct, so that profiles show the struct's name.
/// The kernel stays in constant memory (__grid_constant__), where all threads read it at once.
template <class Kernel>
__global__ void run(const __grid_constant__ Kernel kernel) {
  Block block;
  kernel(block);
}

/// The same for kernels that say how many threads a block has at most, and so how many registers they may
/// use: `static constexpr int k_max_threads`, and `k_min_blocks` for blocks that shall fit on one
/// multiprocessor at a time.
template <class Kernel>
constexpr int min_blocks() {
  if constexpr (requires { Kernel::k_min_blocks; }) return Kernel::k_min_blocks;
  return 1;
}
template <class Kernel>
__global__ void __launch_bounds__(Kernel::k_max_threads, min_blocks<Kernel>())
    run_bounded(const __grid_constant__ Kernel kernel) {
  Block block;
  kernel(block);
}

template <class Kernel>
void launch(Stream& stream, const Kernel& kernel, const Grid& grid) {
  // 4 KiB of arguments are what every device offers.
  static_assert(std::is_trivially_copyable_v<Kernel> && sizeof(Kernel) <= 4096);
  static std::atomic<std::size_t> shared_bytes{48 * 1024};
  const void* address = nullptr;
  if constexpr (requires { Kernel::k_max_threads; }) {
    address = reinterpret_cast<const void*>(&run_bounded<Kernel>);
  } else {
    address = reinterpret_cast<const void*>(&run<Kernel>);
  }
  launch_kernel(stream, {Kernel::k_name, address, const_cast<Kernel*>(&kernel), &shared_bytes}, grid);
}

#endif

}  // namespace nanoday::cuda
