// Launching a kernel on the CPU: block after block, the threads of each as fibers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/runtime.hpp"

#include <cstddef>
#include <functional>
#include <type_traits>

namespace nanoday::cuda_host {

/// A kernel without its type.
struct HostKernel {
  const char* name;
  void (*run)(const void* kernel, Block& block);
  const void* kernel;
};

/// Runs all blocks of a launch; some at the same time when there are enough of them.
/// Throws std::logic_error naming kernel and block when threads wait for one that has finished, want
/// different things of their warp, or leave shared memory.
void run_grid(const HostKernel& kernel, const Grid& grid);

/// Throws std::logic_error for shapes no device would take.
void check_grid(const char* name, const Grid& grid, int max_threads);

/// Runs a kernel now, or appends it to the graph that is being recorded.
void submit_kernel(Stream& stream, std::function<void()> run);

/// Does other work on the device now, or appends it to the graph that is being recorded; not a kernel.
void submit_call(Stream& stream, std::function<void()> call);

/// Order in which threads of a block and blocks of a launch are run from now on: ascending, or descending.
/// A kernel without races gives the same result in both.
void set_thread_order(bool reversed);
bool thread_order_reversed();

template <class Kernel>
void launch(Stream& stream, const Kernel& kernel, const Grid& grid) {
  // As on a GPU: kernels travel by value, in the 4 KiB that every device offers for that.
  static_assert(std::is_trivially_copyable_v<Kernel> && sizeof(Kernel) <= 4096);
  int max_threads = 1024;
  if constexpr (requires { Kernel::k_max_threads; }) max_threads = Kernel::k_max_threads;
  if (grid.blocks == 0) return;
  check_grid(Kernel::k_name, grid, max_threads);
  submit_kernel(stream, [kernel, grid] {
    const auto run = [](const void* self, Block& block) { (*static_cast<const Kernel*>(self))(block); };
    run_grid({Kernel::k_name, run, &kernel}, grid);
  });
}

}  // namespace nanoday::cuda_host
