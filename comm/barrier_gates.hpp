// Barrier gates: reductions of a few words that network interfaces do by themselves, as on Tofu.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"
#include "transport.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace nanoday {

/// One rank's gates in a ring of ranks: one reduction at a time on each network interface.
class BarrierGates {
 public:
  /// What one operation can hold (Tofu interconnect D): 64-bit integers, or doubles.
  static constexpr std::size_t k_words = 6, k_doubles = 3;

  virtual ~BarrierGates() = default;
  virtual int interfaces() const = 0;
  /// Begins a sum over the ring. All ranks start the same operations on the same interfaces in the same
  /// order. \pre 1 … k_words words; the interface is idle
  virtual void start(int interface, View<const std::uint64_t> words) = 0;
  /// Waits for the sum that was started there, modulo 2^64. \pre as many words
  virtual void finish(int interface, View<std::uint64_t> words) = 0;
};

/// Gates in software with the same limits: sums travel from the ring's first rank to its last one and the
/// result back, in messages of one operation. Throws RunError where the hardware would refuse.
std::unique_ptr<BarrierGates> make_software_gates(std::unique_ptr<Transport> ring, int interfaces = 6);

}  // namespace nanoday
