// The CUDA machine a test runs on: a GPU where the test is built for one, else its kernels on the CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/cuda_backend.hpp"

#include <memory>

namespace nanoday {

#if defined(NANODAY_CUDA_HOST)
inline std::unique_ptr<Backend> device_machine() { return cuda_host::make_cuda_backend(); }
/// Ends the test as skipped where there is no device.
#define NANODAY_NEEDS_DEVICE() static_cast<void>(0)
#else
inline std::unique_ptr<Backend> device_machine() { return cuda::make_cuda_backend(); }
#define NANODAY_NEEDS_DEVICE() \
  if (nanoday::cuda::gpu_name().empty()) GTEST_SKIP() << "no GPU answers here"
#endif

}  // namespace nanoday
