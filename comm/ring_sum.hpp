// Sums of 64-bit words over a ring of ranks, and what carries them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "barrier_gates.hpp"
#include "core/view.hpp"
#include "transport.hpp"

#include <cstdint>
#include <memory>

namespace nanoday {

/// One rank's place in a ring.
class RingSum {
 public:
  virtual ~RingSum() = default;
  /// Collective over the ring: every word becomes its sum over all ranks, modulo 2^64.
  virtual void sum(View<std::uint64_t> words) = 0;
};

/// By Transport::all_reduce_sum (MPI_SUM on 64-bit integers; NCCL's sum of ncclUint64 would stand here).
class TransportRingSum final : public RingSum {
 public:
  explicit TransportRingSum(std::unique_ptr<Transport> ring) : ring_(std::move(ring)) {}
  void sum(View<std::uint64_t> words) override;

 private:
  std::unique_ptr<Transport> ring_;
};

/// How often barrier gates were used.
struct GateCount {
  std::int64_t operations = 0;  ///< reductions of up to 6 words
  std::int64_t rounds = 0;      ///< times that the busiest interface was used, summed over sum() calls
};

/// By barrier gates: operations of up to 6 words, dealt to the network interfaces in turn.
class GateRingSum final : public RingSum {
 public:
  explicit GateRingSum(std::unique_ptr<BarrierGates> gates) : gates_(std::move(gates)) {}
  void sum(View<std::uint64_t> words) override;
  const GateCount& count() const { return count_; }

 private:
  std::unique_ptr<BarrierGates> gates_;
  GateCount count_;
};

/// Pure: what one sum() of `words` takes when an operation holds `per_operation` of them.
GateCount gate_count(std::size_t words, std::size_t per_operation, int interfaces);

/// The fastest this build has: Tofu's barrier gates, or the ring's own transport.
std::unique_ptr<RingSum> make_ring_sum(std::unique_ptr<Transport> ring);

}  // namespace nanoday
