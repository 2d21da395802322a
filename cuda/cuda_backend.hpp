// The CUDA machine, and the same machine with its kernels run on the CPU.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"

#include <memory>

namespace nanoday {

namespace cuda {
/// Throws InputError when there is no usable GPU.
/// \param local_rank  among the ranks of this node; takes GPU number local_rank modulo the visible ones
/// \param reproducible  runs have the same bits on any number of ranks
std::unique_ptr<Backend> make_cuda_backend(int local_rank = 0, bool reproducible = false);
/// Name of that GPU, or an empty text when there is none.
std::string gpu_name(int local_rank = 0);
}  // namespace cuda

namespace cuda_host {
/// Kernels of cuda/ run thread by thread on the CPU: slow, for tests and comparisons.
std::unique_ptr<Backend> make_cuda_backend(int local_rank = 0, bool reproducible = false);
std::string gpu_name(int local_rank = 0);
}  // namespace cuda_host

}  // namespace nanoday
