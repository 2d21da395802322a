// How bytes travel between ranks: the seam between communication plans and what carries them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace nanoday {

/// One rank's connection to the others. Messages between two ranks with the same tag arrive in the order
/// they were sent. One thread per rank uses it at a time.
class Transport {
 public:
  /// A send or receive under way, to be given to wait() once.
  using Request = std::int64_t;

  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Starts sending `bytes` to rank `to` (possibly this one). \pre `bytes` unchanged until wait()
  virtual Request post_send(int to, int tag, View<const std::byte> bytes) = 0;
  /// Starts receiving exactly `bytes.size()` bytes from rank `from`. \pre `bytes` untouched until wait()
  virtual Request post_receive(int from, int tag, View<std::byte> bytes) = 0;
  /// Returns when the request is done. Throws RunError when the message has another length or a rank failed.
  virtual void wait(Request request) = 0;

  /// Replaces every element by its sum over all ranks; every rank gets the same bits.
  virtual void all_reduce_sum(View<std::int64_t> values) = 0;
  virtual void all_reduce_sum(View<double> values) = 0;
  /// Returns when every rank has called it.
  virtual void barrier() = 0;
};

/// The bytes of an array of plain values.
template <class T>
View<const std::byte> bytes_of(View<const T> values) {
  return {reinterpret_cast<const std::byte*>(values.data()), values.size() * sizeof(T)};
}
template <class T>
View<std::byte> writable_bytes_of(View<T> values) {
  return {reinterpret_cast<std::byte*>(values.data()), values.size() * sizeof(T)};
}

/// A world of one rank.
std::unique_ptr<Transport> make_self_transport();

}  // namespace nanoday
