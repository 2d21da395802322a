// The other ranks as the device sees them: rows that travel in every step, sums over all, flags all agree on.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/resident_ranks.hpp"
#include "cuda/integrate.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nanoday::NANODAY_GPU {

/// What a device exchange does for a stream of work. With one rank there is none, and every call that queues
/// work does nothing; with several all are collective. Parts of graphs where capturable().
class DeviceRanks {
 public:
  /// \param ranks null: one rank
  explicit DeviceRanks(ResidentRanks* ranks);

  bool several() const { return exchange_ != nullptr; }
  bool capturable() const { return !several() || exchange_->capturable(); }
  std::string name() const { return several() ? exchange_->name() : ""; }

  /// After a list build; never part of a graph. Sets atoms.ghost_owner, ghost_shift and received.
  void set_rows(Stream& stream, const HaloRows& rows, DeviceAtoms& atoms);
  /// Positions of local atoms go out; those that come in are put into atoms.received.
  void send_positions(Stream& stream, const DeviceAtoms& atoms);
  /// Forces on received rows go home and are added to their owners'.
  /// \param force (nlocal + received) fixed point
  void bring_home(Stream& stream, const DeviceAtoms& atoms, std::array<std::int64_t, 4>* force);

  /// Words of device memory become their sums over all ranks, modulo 2^64.
  void sum(Stream& stream, std::uint64_t* words, std::size_t n);
  /// A signal of one rank becomes one of all; whether somebody has called say(true), too.
  void agree(Stream& stream, Signals* signals);
  void say(bool flag) { voice_[k_said] = flag ? 1 : 0; }
  /// Returns when the mark is reached. Looks meanwhile whether the exchange can still do what is queued, and
  /// throws RunError when it cannot.
  void wait(Mark& mark);
  /// Gives up what the exchange has queued, which other ranks may never take part in: work behind it in the
  /// stream goes on. For a rank that has failed. \pre no graph holds messages any more
  void abandon() noexcept { exchange_.reset(); }
  /// As of the last agree() that the host has waited for.
  bool heard() const { return voice_[k_heard] != 0; }
  /// (1) where this rank's shares of sums stand until they are summed; device memory, null for one rank.
  SystemState* share() const { return share_.data(); }

 private:
  enum Voice { k_said, k_heard, k_voices };

  std::unique_ptr<DeviceExchange> exchange_;
  std::vector<PeerBytes> outward_, home_;
  DeviceArray<std::int32_t> sent_;  ///< (rows sent) local atoms
  DeviceArray<Vec4> outgoing_;      ///< (rows sent) positions going out, forces coming home
  DeviceArray<std::uint64_t> flags_;
  DeviceArray<SystemState> share_;
  PinnedArray<std::uint32_t> voice_;
};

}  // namespace nanoday::NANODAY_GPU
