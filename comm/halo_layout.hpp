// Where every row of a halo lies in the memory that a team shares, from counts that all members know.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nanoday {

/// Rows that come from one neighbor and are forwarded to another one in a later stage.
struct HaloRelay {
  std::size_t from = 0, to = 0;  ///< neighbors
};

/// How many rows go where, for a whole team. Each member fills in what it knows of itself.
struct HaloCensus {
  HaloCensus() = default;
  /// \param contact (neighbors) \param stage (neighbors) ascending
  HaloCensus(std::size_t members, std::vector<std::size_t> contact, const std::vector<int>& stage);

  std::size_t members = 0, neighbors = 0;
  std::vector<std::size_t> contact;     ///< (neighbors) the member that talks to each
  std::vector<HaloRelay> relay;         ///< all that stages allow, ordered by `to`, then `from`
  std::vector<std::int64_t> to_member;  ///< (members from, members to)
  std::vector<std::int64_t> out;        ///< (members, neighbors) rows for other teams
  std::vector<std::int64_t>
      chosen;                    ///< (members, neighbors) ghosts that a member makes of rows from other teams
  std::vector<std::int64_t> in;  ///< (neighbors) rows from other teams; known to contacts
  std::vector<std::int64_t> passed;  ///< (relays) rows forwarded; known to the contacts of `to`

  /// Of a message: rows of all members and those forwarded.
  std::int64_t out_rows(std::size_t neighbor) const;

  /// What one member knows, as numbers for the others: a record of record_size(). `in` and `passed` only
  /// where it is the contact.
  std::size_t record_size() const { return members + 3 * neighbors + relay.size(); }
  void write_record(std::size_t member, std::int64_t* record) const;
  void read_record(std::size_t member, const std::int64_t* record);
};

/// The part of each member, in rows: [members' rows or shares | out | in], then row numbers: of the rows its
/// ghosts are made from, and of those it forwards. Shares going home lie where the rows between members lay:
/// they are never there together.
class HaloLayout {
 public:
  explicit HaloLayout(const HaloCensus& census);

  /// In the part of `from`: its rows for `to`.
  std::int64_t member_row(std::size_t from, std::size_t to) const;
  /// In the part of `member`: shares of its ghosts from another member, and from a neighbor.
  std::int64_t member_share(std::size_t member, std::size_t owner) const;
  std::int64_t neighbor_share(std::size_t member, std::size_t neighbor) const;
  /// In the part of the neighbor's contact: rows to and from it; the former begin with those of member 0 and
  /// end with those forwarded.
  std::int64_t out_row(std::size_t neighbor, std::size_t member) const;
  std::int64_t in_row(std::size_t neighbor) const;
  /// In the part of the contact of relay[r].to: rows forwarded to it.
  std::int64_t relay_row(std::size_t r) const;
  /// Place among the member's row numbers of what it chose from a neighbor.
  std::int64_t choice(std::size_t member, std::size_t neighbor) const;
  /// Place among the row numbers of the contact of relay[r].to.
  std::int64_t relay_choice(std::size_t r) const;

  std::int64_t rows(std::size_t member) const { return rows_[member]; }
  std::int64_t choices(std::size_t member) const;

 private:
  const HaloCensus* census_;
  std::vector<std::int64_t> rows_;                  ///< (members)
  std::vector<std::int64_t> out_first_, in_first_;  ///< (neighbors)
};

}  // namespace nanoday
