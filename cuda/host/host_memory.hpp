// Host memory that plays device memory: poisoned when new, guarded at both ends, known by address.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace nanoday::cuda_host {

enum class MemoryKind { device, pinned };

/// Memory filled with 0xFF bytes (not-a-number as float or double), 512-byte aligned as cudaMalloc's.
void* allocate_guarded(std::size_t bytes, MemoryKind kind);

/// Ends the program with a sentence when something was written beside the memory, or when it is not of this
/// kind and size (a pinned piece's size is not checked). Null is allowed.
void release_guarded(void* p, std::size_t bytes, MemoryKind kind) noexcept;

/// Throws std::logic_error "`who` … " unless all bytes lie in one piece of device or pinned memory.
void require_reachable(const void* p, std::size_t bytes, const char* who);

}  // namespace nanoday::cuda_host
