// A borrowed array: pointer and length, device-safe; and Array, which owns aligned host memory.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"

#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>
#include <vector>

namespace nanoday {

/// Pointer and extent; what kernels take. Borrows, never owns.
template <class T>
class View {
 public:
  View() = default;
  NANODAY_HD View(T* data, std::size_t size) : data_(data), size_(size) {}
  template <class U, class A>
  View(std::vector<U, A>& v) : data_(v.data()), size_(v.size()) {}
  template <class U, class A>
  View(const std::vector<U, A>& v) : data_(v.data()), size_(v.size()) {}
  template <class U>
  NANODAY_HD View(const View<U>& other) : data_(other.data()), size_(other.size()) {}

  NANODAY_HD T* data() const { return data_; }
  NANODAY_HD std::size_t size() const { return size_; }
  NANODAY_HD bool empty() const { return size_ == 0; }
  NANODAY_HD T& operator[](std::size_t i) const { return data_[i]; }
  NANODAY_HD T* begin() const { return data_; }
  NANODAY_HD T* end() const { return data_ + size_; }
  NANODAY_HD View subview(std::size_t first, std::size_t count) const { return {data_ + first, count}; }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

/// Allocator that aligns to a cache line (and to the widest SIMD register).
template <class T>
struct AlignedAllocator {
  using value_type = T;
  static constexpr std::align_val_t k_alignment{64};
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), k_alignment)); }
  void deallocate(T* p, std::size_t) { ::operator delete(p, k_alignment); }
  template <class U>
  bool operator==(const AlignedAllocator<U>&) const {
    return true;
  }
};

/// Owned host memory, 64-byte aligned.
template <class T>
using Array = std::vector<T, AlignedAllocator<T>>;

}  // namespace nanoday
