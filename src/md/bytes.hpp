// Plain values to bytes and back, with bounds: the layer below checkpoints. Little-endian machines only.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.hpp"

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace nanoday {

static_assert(std::endian::native == std::endian::little, "checkpoints are written as they lie in memory");

/// FNV-1a, 64 bit.
inline std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 14695981039346656037u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return hash;
}

/// Appends values to a string of bytes.
class ByteWriter {
 public:
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof(T));
  }
  void put_text(std::string_view text) {
    put(static_cast<std::uint64_t>(text.size()));
    bytes_.append(text);
  }
  /// Length and elements of an array of plain values.
  template <class Container>
  void put_array(const Container& values) {
    using T = typename Container::value_type;
    static_assert(std::is_trivially_copyable_v<T>);
    put(static_cast<std::uint64_t>(values.size()));
    if (!values.empty())
      bytes_.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

/// Reads what ByteWriter wrote; throws InputError naming `source` instead of reading past the end.
class ByteReader {
 public:
  ByteReader(std::string_view bytes, std::string source) : rest_(bytes), source_(std::move(source)) {}

  template <class T>
  T get() {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T)).data(), sizeof(T));
    return value;
  }
  std::string get_text() { return std::string(take(get<std::uint64_t>())); }
  template <class Container>
  Container get_array() {
    using T = typename Container::value_type;
    static_assert(std::is_trivially_copyable_v<T>);
    const auto count = get<std::uint64_t>();
    require(count <= rest_.size() / sizeof(T),
            "{} ends in the middle of an array of {} (it is truncated or damaged); "
            "use another copy",
            source_, count);
    Container values(count);
    if (count > 0)
      std::memcpy(static_cast<void*>(values.data()), take(count * sizeof(T)).data(), count * sizeof(T));
    return values;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view take(std::uint64_t count) {
    require(count <= rest_.size(), "{} ends too early (it is truncated or damaged); use another copy",
            source_);
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  std::string_view rest_;
  std::string source_;
};

}  // namespace nanoday
