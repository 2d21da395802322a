// Rows and sums that travel between the devices of several ranks, without knowing machines or transports.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// A machine's queue of work, as those see it who move bytes between ranks.
class DeviceQueue {
 public:
  virtual ~DeviceQueue() = default;
  /// The queue in the words of the machine's library (CUDA: cudaStream_t).
  virtual void* native() = 0;
  /// Queued; host memory is that of pinned().
  virtual void copy_to_host(void* to, const void* from, std::size_t bytes) = 0;
  virtual void copy_to_device(void* to, const void* from, std::size_t bytes) = 0;
  /// Returns when everything queued so far is done.
  virtual void wait() = 0;
  /// Host memory that the device copies from and to without a stop.
  virtual std::shared_ptr<std::byte> pinned(std::size_t bytes) = 0;
};

/// What goes to one other rank, and what comes from it.
struct PeerBytes {
  int rank = 0;
  std::size_t sent = 0, received = 0;
};

/// One rank's device among those of all ranks. Operations are collective: every rank calls them in the same
/// order, on its own queue. Those that return when the work is done throw RunError when another rank has
/// failed; of work that is only queued check() tells. Destroyed while an exception is on its way, an exchange
/// gives up what it has queued.
class DeviceExchange {
 public:
  virtual ~DeviceExchange() = default;
  /// How bytes travel, for people: "NCCL".
  virtual std::string name() const = 0;
  /// True when the calls below only queue work, which may be part of a graph; else they return when the queue
  /// has done it.
  virtual bool capturable() const = 0;
  /// \param sent device memory, peer after peer without gaps  \param received the same
  virtual void exchange(DeviceQueue& queue, const std::vector<PeerBytes>& peers, const std::byte* sent,
                        std::byte* received) = 0;
  /// Every word of device memory becomes its sum over all ranks, modulo 2^64: the same in every order.
  virtual void sum(DeviceQueue& queue, View<std::uint64_t> words) = 0;
  /// Called again and again while the host waits for the queue. Throws RunError when something queued earlier
  /// has failed, as when a connection to another rank broke: the queue may then never come to its end.
  virtual void check() {}
};

}  // namespace nanoday
