// CUDA's own objects inside ours, and its errors as errors of nanoday; for files that call CUDA's libraries.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/runtime.hpp"

#include <cuda_runtime_api.h>

#include <cstdint>

namespace nanoday::cuda {

/// Throws RunError "the GPU failed at `what` (CUDA's words); what to do" unless `error` is success.
void check(cudaError_t error, const char* what);

/// The queue itself, and the event that others wait for.
struct Stream::Handle {
  cudaStream_t stream = nullptr;
  cudaEvent_t reached = nullptr;
};

/// Bytes of the copies in a graph; they count each time it runs.
struct Recorded {
  std::int64_t bytes_to_host = 0, bytes_to_device = 0;
};

/// Those of device_counts(), to be changed.
DeviceCounts& counts();
/// What this thread records, null when it records no graph.
Recorded*& recording();

/// n is added as by an atomic; several host threads may drive streams.
inline void count(std::int64_t& counter, std::int64_t n = 1) {
  __atomic_fetch_add(&counter, n, __ATOMIC_RELAXED);
}

}  // namespace nanoday::cuda
