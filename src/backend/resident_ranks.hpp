// What a resident system of one rank needs of the others: their atoms at list builds, their rows at steps.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "backend/device_exchange.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// Rows that travel in every step until the next list build. Every atom goes to a peer once, as it stands;
/// the peer makes as many ghosts of it as it needs.
struct HaloRows {
  struct Peer {
    int rank = 0;
    std::int64_t sent = 0, received = 0;  ///< rows
  };
  std::vector<Peer> peer;
  std::vector<std::int32_t> sent;  ///< (rows sent) local atoms, peer after peer
  /// (nghost) what a ghost is made from: a local atom, or nlocal + a row received
  std::vector<std::int32_t> source;
  std::vector<Vec4> translation;  ///< (nghost) from there [Å]
};

/// The other ranks of a run. All calls are collective.
class ResidentRanks {
 public:
  virtual ~ResidentRanks() = default;
  /// The way between the ranks' devices, made when a machine asks for it.
  /// \param device name of this rank's device, unlike that of any other device of its node; empty where a CPU
  /// plays it
  virtual std::unique_ptr<DeviceExchange> connect(const std::string& device) = 0;
  /// A list build: atoms go to the ranks that own their places, are put into an order in space, and get
  /// ghosts. Throws RunError when a position is not finite. \pre positions are wrapped
  virtual HaloRows deal(Atoms& atoms) = 0;
  /// The list build of an earlier run again. \param atoms with the positions they had then  \param now
  /// (nlocal) their present positions, which travel along  \param dealt they stand on ranks of another run:
  /// they first go to their owners
  virtual HaloRows restore(Atoms& atoms, Array<Vec4>& now, bool dealt) = 0;
};

}  // namespace nanoday
