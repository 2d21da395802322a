// NCCL: sums and messages between GPUs, queued on a stream like kernels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport.hpp"

struct CUstream_st;

namespace nanoday {

/// The GPUs of all ranks, one each. Every call is collective, returns at once, and does its work when the
/// stream comes to it; all may be recorded into a CUDA graph. Arrays are device memory of the rank's GPU and
/// stay as they are until the stream has passed. Throws RunError when NCCL refuses a call; what goes wrong
/// later, nobody hears of who waits for the stream: ask check() meanwhile.
class NcclWorld {
 public:
  using Stream = CUstream_st*;  ///< cudaStream_t

  /// \param ranks  carries NCCL's address to the others; needed only here
  /// \pre this rank's GPU is the current device, and no other rank's
  explicit NcclWorld(Transport& ranks);
  /// While an exception is on its way, what is queued is given up; else the other ranks are waited for.
  /// \pre no graph holds calls of this world: both would wait for it
  ~NcclWorld();
  NcclWorld(const NcclWorld&) = delete;
  NcclWorld& operator=(const NcclWorld&) = delete;

  /// In place, modulo 2^64: the same in every order.
  void all_reduce_sum(View<std::uint64_t> values, Stream stream);

  /// Bytes to or from a rank.
  struct Outgoing {
    int rank = 0;
    View<const std::byte> bytes;
  };
  struct Incoming {
    int rank = 0;
    View<std::byte> bytes;
  };
  /// All messages of a step at once. Of several between two ranks the n-th sent meets the n-th received, of
  /// the same length; a rank may have none.
  void send_and_receive(const std::vector<Outgoing>& sent, const std::vector<Incoming>& received,
                        Stream stream);

  /// Throws RunError when something queued earlier has failed, as when a connection to another rank broke;
  /// NCCL then never finishes it.
  void check() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nanoday
