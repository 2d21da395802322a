// The CUDA machine a test runs on: a GPU where the test is built for one, else its kernels on the CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/cuda_backend.hpp"
#if defined(NANODAY_CUDA_HOST)
#include "cuda/host/host_launch.hpp"
#endif

#include <memory>

namespace nanoday {

#if defined(NANODAY_CUDA_HOST)
inline std::unique_ptr<Backend> device_machine(bool reproducible = false) {
  return cuda_host::make_cuda_backend(0, reproducible);
}
/// Ends the test as skipped where there is no device.
#define NANODAY_NEEDS_DEVICE() static_cast<void>(0)
/// Runs a test with a block's threads in ascending and in descending order, where the order is ours.
template <class Body>
void in_every_order(const Body& body) {
  for (const bool reversed : {false, true}) {
    cuda_host::set_thread_order(reversed);
    body();
  }
  cuda_host::set_thread_order(false);
}
#else
inline std::unique_ptr<Backend> device_machine(bool reproducible = false) {
  return cuda::make_cuda_backend(0, reproducible);
}
#define NANODAY_NEEDS_DEVICE() \
  if (nanoday::cuda::gpu_name().empty()) GTEST_SKIP() << "no GPU answers here"
template <class Body>
void in_every_order(const Body& body) {
  body();
}
#endif

}  // namespace nanoday
