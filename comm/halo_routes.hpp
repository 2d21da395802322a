// How rows of a halo travel in ordinary steps: out to the ghosts, and shares home; one message per stage and
// pair of teams. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "halo_lists.hpp"
#include "team_memory.hpp"
#include "transport.hpp"

#include <array>
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
/// then those of each neighbor. Between teams rows travel as their owners hold them and are translated where
/// they arrive, so that a team gets each atom once. Buffers hold three words per row and lie in the team's
/// memory; who may touch one when:
///
///   outward  pack → barrier → each stage: (forward rows of earlier stages,) send → wait → barrier
///            → read rows of neighbors; other members' rows are read before the last barrier
///   home     write shares → barrier → each stage, the last one first: add up (also what came home from later
///            stages) and send → wait → barrier → read; other members' shares are read before the last
///            barrier
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
    std::vector<std::int32_t> atom;
    double* buffer = nullptr;  ///< in the contact's part; shares come back here
  };
  struct FromNeighbor {
    const double* buffer = nullptr;     ///< in the contact's part
    const std::int32_t* row = nullptr;  ///< (ghosts) in the own part, for contacts to see
    std::vector<GhostRows::Run> run;
    std::int64_t first = 0;  ///< ghost
  };
  /// Shares of the rows of a message: one member's, or those that came home from where rows were forwarded
  /// to.
  struct Share {
    const double* share = nullptr;
    const std::int32_t* row = nullptr;
    std::int64_t count = 0;
  };
  /// Rows of another message's `in` to be copied.
  struct Forward {
    const double* from = nullptr;
    const std::int32_t* row = nullptr;
    std::int64_t count = 0;
    double* to = nullptr;  ///< in this message's `out`
  };
  /// What this rank sends and receives for its team.
  struct Message {
    std::size_t neighbor = 0;
    int peer = 0, stage = 0;
    View<double> out, in;        ///< (3 words per row)
    std::vector<Share> share;    ///< members' in rank order, then those of later stages
    std::vector<Forward> relay;  ///< rows that arrive in earlier stages and leave with this message
  };

  std::size_t member = 0;  ///< this rank's place in its team
  std::int64_t nlocal = 0, nghost = 0;
  GhostRows own;
  std::vector<ToMember> to_member;
  std::vector<FromMember> from_member;
  std::vector<ToNeighbor> to_neighbor;      ///< (neighbors)
  std::vector<FromNeighbor> from_neighbor;  ///< (neighbors)
  std::vector<Message> message;             ///< by stage
  int stages = 1;
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
  /// Requests are of the message's stage.
  void post_send(const HaloRoutes::Message& message, int tag, View<const double> words);
  void post_receive(const HaloRoutes::Message& message, int tag, View<double> words);
  void finish_stage(int stage);
  bool any_member() const;

  Transport& transport_;
  TeamMemory& data_;
  TeamMemory& control_;
  std::array<std::vector<Transport::Request>, 3> pending_;  ///< (stages)
};

}  // namespace nanoday
