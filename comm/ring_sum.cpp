// Sums of 64-bit words over a ring of ranks, and what carries them.
// SPDX-License-Identifier: Apache-2.0
#include "ring_sum.hpp"

#if NANODAY_TOFU
#include "tofu.hpp"
#endif

#include <algorithm>

namespace nanoday {

void TransportRingSum::sum(View<std::uint64_t> words) {
  // Signed and unsigned numbers of one width may stand for each other, and sums modulo 2^64 are the same.
  ring_->all_reduce_sum(View<std::int64_t>(reinterpret_cast<std::int64_t*>(words.data()), words.size()));
}

void GateRingSum::sum(View<std::uint64_t> words) {
  const auto width = static_cast<std::size_t>(gates_->interfaces());
  const GateCount use = gate_count(words.size(), BarrierGates::k_words, gates_->interfaces());
  const auto operations = static_cast<std::size_t>(use.operations);
  const auto part = [&](std::size_t k) {
    const std::size_t first = k * BarrierGates::k_words;
    return words.subview(first, std::min(BarrierGates::k_words, words.size() - first));
  };
  for (std::size_t k = 0; k < operations + width; ++k) {
    const int interface = static_cast<int>(k % width);
    if (k >= width && k - width < operations) gates_->finish(interface, part(k - width));
    if (k < operations) gates_->start(interface, part(k));
  }
  count_.operations += use.operations;
  count_.rounds += use.rounds;
}

GateCount gate_count(std::size_t words, std::size_t per_operation, int interfaces) {
  const auto operations = static_cast<std::int64_t>((words + per_operation - 1) / per_operation);
  return {operations, (operations + interfaces - 1) / interfaces};
}

std::unique_ptr<RingSum> make_ring_sum(std::unique_ptr<Transport> ring) {
#if NANODAY_TOFU
  if (ring->size() > 1) return std::make_unique<GateRingSum>(make_tofu_gates(*ring));
#endif
  return std::make_unique<TransportRingSum>(std::move(ring));
}

}  // namespace nanoday
