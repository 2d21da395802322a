// Launching a kernel on the CPU: block after block, the threads of each as fibers.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/host/host_launch.hpp"

#include "cuda/host/team.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <stdexcept>

namespace nanoday::cuda_host {
namespace {

constexpr std::size_t k_max_shared_bytes = 227 * 1024;  // of a block on an H200
// Fewer threads than this are done before a second core has woken up.
constexpr std::int64_t k_worth_sharing = 4096;

std::atomic<bool> reversed_order{false};

}  // namespace

void set_thread_order(bool reversed) { reversed_order = reversed; }
bool thread_order_reversed() { return reversed_order; }

void check_grid(const char* name, const Grid& grid, int max_threads) {
  const auto refuse = [&](const std::string& why) {
    throw std::logic_error(fmt::format("kernel {} cannot be launched: {}", name, why));
  };
  if (grid.blocks < 0 || grid.blocks > 2147483647) refuse(fmt::format("{} blocks", grid.blocks));
  if (grid.threads < 32 || grid.threads % 32 != 0 || grid.threads > max_threads) {
    refuse(fmt::format("{} threads per block (multiples of 32 up to {} are possible)", grid.threads,
                       max_threads));
  }
  if (grid.shared_bytes > k_max_shared_bytes) {
    refuse(fmt::format("{} bytes of shared memory ({} are possible)", grid.shared_bytes, k_max_shared_bytes));
  }
}

void run_grid(const HostKernel& kernel, const Grid& grid) {
  const bool reversed = reversed_order;
  const auto run_block = [&](std::int64_t k) {
    thread_local Team team;
    team.run_block(kernel, grid, reversed ? grid.blocks - 1 - k : k, reversed);
  };
  if (grid.blocks == 1 || grid.blocks * grid.threads < k_worth_sharing) {
    for (std::int64_t k = 0; k < grid.blocks; ++k) run_block(k);
    return;
  }
  std::exception_ptr failure;
  std::atomic<bool> failed{false};
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t k = 0; k < grid.blocks; ++k) {
    if (failed) continue;
    try {
      run_block(k);
    } catch (...) {
#pragma omp critical(nanoday_run_grid)
      if (!failed.exchange(true)) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace nanoday::cuda_host
