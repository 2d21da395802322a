// The CUDA machine, and the same machine with its kernels run on the CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"

#include <memory>

namespace nanoday {

namespace cuda {
/// Throws InputError when there is no usable GPU.
std::unique_ptr<Backend> make_cuda_backend();
/// Name of the GPU, or an empty text when there is none.
std::string gpu_name();
}  // namespace cuda

namespace cuda_host {
/// Kernels of cuda/ run thread by thread on the CPU: slow, for tests and comparisons.
std::unique_ptr<Backend> make_cuda_backend();
std::string gpu_name();
}  // namespace cuda_host

}  // namespace nanoday
