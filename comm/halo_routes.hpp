// How rows of a halo travel in ordinary steps: out to the ghosts, and shares home; one message per pair of
// teams. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "halo_lists.hpp"
#include "team_memory.hpp"
#include "transport.hpp"

#include <cstdint>
#include <vector>

namespace nanoday {

/// Rows of three 8-byte words at a stride, inside an array of longer ones.
template <class Word>
struct Rows {
  Word* first = nullptr;
  std::size_t stride = 0;
  Word* operator[](std::int64_t i) const { return first + static_cast<std::size_t>(i) * stride; }
};

/// The routes of one rank. Ghosts are ordered: images of own atoms, then those of the team's other members,
/// then those of each neighbor. Buffers hold three words per row and lie in the team's memory; who may touch
/// one when:
///
///   outward  pack → barrier → send, read other members' rows → wait → barrier → read rows of neighbors
///   home     write shares → barrier → add up and send, read other members' shares → wait → barrier → read
///
/// so that each phase ends before anybody can begin the next one that writes the same words.
struct HaloRoutes {
  struct ToMember {
    GhostRows rows;
    double* buffer = nullptr;       ///< in the own part
    const double* share = nullptr;  ///< in the other's
  };
  struct FromMember {
    const double* buffer = nullptr;
    std::int64_t first = 0, count = 0;  ///< ghosts
  };
  struct ToNeighbor {
    GhostRows rows;
    double* buffer = nullptr;  ///< in the contact's part; shares come back here
  };
  struct FromNeighbor {
    const double* buffer = nullptr;     ///< in the contact's part
    const std::int32_t* row = nullptr;  ///< (count) in the own part, for contacts to see
    std::int64_t first = 0, count = 0;  ///< ghosts
  };
  /// One member's shares of the rows of a message.
  struct Share {
    const double* share = nullptr;
    const std::int32_t* row = nullptr;
    std::int64_t count = 0;
  };
  /// What this rank sends and receives for its team.
  struct Message {
    std::size_t neighbor = 0;
    int peer = 0;
    View<double> out, in;      ///< (3 words per row)
    std::vector<Share> share;  ///< (members), in rank order
  };

  std::size_t member = 0;  ///< this rank's place in its team
  std::int64_t nlocal = 0, nghost = 0;
  GhostRows own;
  std::vector<ToMember> to_member;
  std::vector<FromMember> from_member;
  std::vector<ToNeighbor> to_neighbor;      ///< (neighbors)
  std::vector<FromNeighbor> from_neighbor;  ///< (neighbors)
  std::vector<Message> message;
  double* shares = nullptr;  ///< in the own part: (nghost − own) rows

  /// Bytes of lists and message descriptions that lie in private memory.
  std::size_t bytes() const;
};

/// Moves rows along the routes. Every call is collective.
class HaloTravel {
 public:
  /// \param data  holds the buffers \param control  begins with a word of each member
  HaloTravel(Transport& transport, TeamMemory& data, TeamMemory& control)
      : transport_(transport), data_(data), control_(control) {}

  /// Owners' rows go out. \param translate  add lattice translations (positions) or not
  void start_outward(const HaloRoutes& routes, View<const Vec4> local, bool translate);
  void finish_outward(const HaloRoutes& routes, View<const Vec4> local, View<Vec4> ghost, bool translate);
  /// Ghosts' rows are added to their owners' and become zero. Words are doubles, or integers modulo 2^64.
  /// Returns true on all members of a team when `more` is true on one.
  template <class Word>
  bool bring_home(const HaloRoutes& routes, Rows<Word> rows, bool more);

 private:
  void post_send(int to, int tag, View<const double> words);
  void post_receive(int from, int tag, View<double> words);
  void wait_all();
  bool any_member() const;

  Transport& transport_;
  TeamMemory& data_;
  TeamMemory& control_;
  std::vector<Transport::Request> pending_;
};

}  // namespace nanoday
