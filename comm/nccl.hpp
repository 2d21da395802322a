// NCCL: sums and messages between GPUs, queued on a stream like kernels.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport.hpp"

struct CUstream_st;

namespace nanoday {

/// The GPUs of all ranks, one each. Every call is collective, returns at once, and does its work when the
/// stream comes to it; all may be recorded into a CUDA graph. Arrays are device memory of the rank's GPU and
/// stay as they are until the stream has passed. Throws RunError when NCCL reports an error.
class NcclWorld {
 public:
  using Stream = CUstream_st*;  ///< cudaStream_t

  /// \param ranks  carries NCCL's address to the others; needed only here
  /// \pre this rank's GPU is the current device, and no other rank's
  explicit NcclWorld(Transport& ranks);
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

  /// Throws when something queued earlier has failed meanwhile; NCCL then never finishes it.
  void check() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace nanoday
