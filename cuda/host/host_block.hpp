// A kernel's block on the CPU: each thread is a fiber, barriers and shuffles switch between them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace nanoday::cuda_host {

class Team;

/// What the lanes of a warp come together for; all of them must want the same.
enum class Meeting { sync_warp, shuffle, ballot };

/// One thread of one block, as cuda/device.hpp describes it. Throws std::logic_error where a kernel breaks
/// the rules in a way that would hang or fault on a GPU.
class Block {
 public:
  Block(Team& team, int thread, int size, long block, long grid)
      : team_(team), thread_(thread), size_(size), block_(block), grid_(grid) {}
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  int thread() const { return thread_; }
  int size() const { return size_; }
  long block() const { return block_; }
  long grid() const { return grid_; }
  int lane() const { return thread_ % 32; }
  int warp() const { return thread_ / 32; }
  int warps() const { return size_ / 32; }
  long global() const { return block_ * size_ + thread_; }
  long stride() const { return grid_ * size_; }

  template <class T>
  T* shared(std::size_t offset) const {
    return reinterpret_cast<T*>(shared_bytes(offset));
  }
  void sync();
  void sync_warp() { meet(Meeting::sync_warp, 0); }

  template <class T>
  T shuffle(T value, int lane) {
    return from_bits<T>(meet(Meeting::shuffle, to_bits(value))[lane & 31]);
  }
  template <class T>
  T shuffle_xor(T value, int mask) {
    return shuffle(value, lane() ^ mask);
  }
  unsigned ballot(bool said) {
    const std::uint64_t* answers = meet(Meeting::ballot, said ? 1 : 0);
    unsigned bits = 0;
    for (int lane = 0; lane < 32; ++lane) bits |= static_cast<unsigned>(answers[lane]) << lane;
    return bits;
  }

 private:
  template <class T>
  using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  template <class T>
  static std::uint64_t to_bits(T value) {
    static_assert(sizeof(T) == 4 || sizeof(T) == 8, "lanes exchange values of 4 or 8 bytes");
    return std::bit_cast<Bits<T>>(value);
  }
  template <class T>
  static T from_bits(std::uint64_t bits) {
    return std::bit_cast<T>(static_cast<Bits<T>>(bits));
  }
  /// Waits for the other lanes; what each of them brought, valid until this lane's next meeting.
  const std::uint64_t* meet(Meeting meeting, std::uint64_t value);
  std::byte* shared_bytes(std::size_t offset) const;

  Team& team_;
  int thread_, size_;
  long block_, grid_;
};

template <class T>
T atomic_add(T* to, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T> && (sizeof(T) == 4 || sizeof(T) == 8), "no floating-point atomics");
  return std::atomic_ref<T>(*to).fetch_add(value, std::memory_order_relaxed);
}

template <class T>
T atomic_max(T* to, std::type_identity_t<T> value) {
  static_assert(std::is_integral_v<T> && (sizeof(T) == 4 || sizeof(T) == 8));
  std::atomic_ref<T> shared(*to);
  T old = shared.load(std::memory_order_relaxed);
  while (old < value && !shared.compare_exchange_weak(old, value, std::memory_order_relaxed)) {
  }
  return old;
}

inline std::uint32_t atomic_or(std::uint32_t* to, std::uint32_t bits) {
  return std::atomic_ref<std::uint32_t>(*to).fetch_or(bits, std::memory_order_relaxed);
}

}  // namespace nanoday::cuda_host
