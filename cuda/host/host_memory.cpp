// Host memory that plays device memory: poisoned when new, guarded at both ends, known by address.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/host/host_memory.hpp"

#include "cuda/runtime.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <stdexcept>

namespace nanoday::cuda_host {
namespace {

constexpr std::size_t k_guard_bytes = 512;
constexpr int k_poison = 0xFF, k_guard = 0xA5;

struct Piece {
  std::size_t bytes = 0;
  MemoryKind kind = MemoryKind::device;
};

/// All pieces by address; one for the program, as a device has one memory.
struct Pieces {
  std::mutex mutex;
  std::map<std::uintptr_t, Piece> by_address;
  std::size_t device_bytes = 0, device_peak = 0;
};

Pieces& pieces() {
  // Never destroyed: arrays of static lifetime may be released after it would be.
  static Pieces& all = *new Pieces;
  return all;
}

std::uintptr_t address_of(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

bool untouched(const std::byte* guard) {
  return std::all_of(guard, guard + k_guard_bytes,
                     [](std::byte b) { return std::to_integer<int>(b) == k_guard; });
}

/// Forgets the piece at p. Throws when there is none such, or when it was not respected.
void forget(void* p, std::size_t bytes, MemoryKind kind) {
  Pieces& all = pieces();
  const std::lock_guard lock(all.mutex);
  const auto found = all.by_address.find(address_of(p));
  if (found == all.by_address.end() || found->second.kind != kind) {
    throw std::logic_error("memory is released that was not allocated so");
  }
  const std::size_t size = found->second.bytes;
  if (kind == MemoryKind::device) {
    if (size != bytes) {
      throw std::logic_error(fmt::format("{} bytes of device memory are released as {}", size, bytes));
    }
    all.device_bytes -= size;
  }
  all.by_address.erase(found);
  const auto* begin = static_cast<const std::byte*>(p);
  if (!untouched(begin - k_guard_bytes) || !untouched(begin + size)) {
    throw std::logic_error(
        fmt::format("something was written beside {} bytes of device or pinned memory", size));
  }
}

}  // namespace

void* allocate_guarded(std::size_t bytes, MemoryKind kind) {
  auto* whole =
      static_cast<std::byte*>(::operator new (bytes + 2 * k_guard_bytes, std::align_val_t{k_guard_bytes}));
  std::byte* p = whole + k_guard_bytes;
  std::memset(whole, k_guard, k_guard_bytes);
  std::memset(p, k_poison, bytes);
  std::memset(p + bytes, k_guard, k_guard_bytes);
  Pieces& all = pieces();
  const std::lock_guard lock(all.mutex);
  all.by_address[address_of(p)] = {bytes, kind};
  if (kind == MemoryKind::device) {
    all.device_bytes += bytes;
    all.device_peak = std::max(all.device_peak, all.device_bytes);
  }
  return p;
}

void release_guarded(void* p, std::size_t bytes, MemoryKind kind) noexcept {
  if (p == nullptr) return;
  try {
    forget(p, bytes, kind);
  } catch (const std::logic_error& error) {
    // Destructors come here; the sentence would not survive an exception.
    fmt::print(stderr, "{}\n", error.what());
    std::terminate();
  }
  ::operator delete (static_cast<std::byte*>(p) - k_guard_bytes, std::align_val_t{k_guard_bytes});
}

void require_reachable(const void* p, std::size_t bytes, const char* who) {
  if (bytes == 0) return;
  Pieces& all = pieces();
  const std::lock_guard lock(all.mutex);
  auto next = all.by_address.upper_bound(address_of(p));
  if (next != all.by_address.begin()) {
    const auto& [begin, piece] = *std::prev(next);
    if (address_of(p) + bytes <= begin + piece.bytes) return;
  }
  throw std::logic_error(fmt::format("{} {} bytes that are not all in device memory", who, bytes));
}

std::size_t device_bytes() {
  const std::lock_guard lock(pieces().mutex);
  return pieces().device_bytes;
}

std::size_t device_peak_bytes() {
  const std::lock_guard lock(pieces().mutex);
  return pieces().device_peak;
}

}  // namespace nanoday::cuda_host
