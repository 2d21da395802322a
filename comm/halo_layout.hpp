// Where every row of a halo lies in the memory that a team shares, from counts that all members know.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace nanoday {

/// How many rows go where, for a whole team. Each member fills in what it knows of itself.
struct HaloCensus {
  HaloCensus() = default;
  HaloCensus(std::size_t members, std::vector<std::size_t> contact);

  std::size_t members = 0, neighbors = 0;
  std::vector<std::size_t> contact;     ///< (neighbors) the member that talks to each
  std::vector<std::int64_t> to_member;  ///< (members from, members to)
  std::vector<std::int64_t> out;        ///< (members, neighbors) rows for other teams
  std::vector<std::int64_t>
      chosen;                    ///< (members, neighbors) of the rows from other teams, what a member needs
  std::vector<std::int64_t> in;  ///< (neighbors) rows from other teams; known to contacts

  std::int64_t out_rows(std::size_t neighbor) const;

  /// What one member knows, as numbers for the others: a record of record_size(). `in` only where it is the
  /// contact.
  std::size_t record_size() const { return members + 3 * neighbors; }
  void write_record(std::size_t member, std::int64_t* record) const;
  void read_record(std::size_t member, const std::int64_t* record);
};

/// The part of each member, in rows: [members' rows or shares | out | in], then row numbers of its ghosts.
/// Shares going home lie where the rows between members lay: they are never there together.
class HaloLayout {
 public:
  explicit HaloLayout(const HaloCensus& census);

  /// In the part of `from`: its rows for `to`.
  std::int64_t member_row(std::size_t from, std::size_t to) const;
  /// In the part of `member`: shares of its ghosts from another member, and from a neighbor.
  std::int64_t member_share(std::size_t member, std::size_t owner) const;
  std::int64_t neighbor_share(std::size_t member, std::size_t neighbor) const;
  /// In the part of the neighbor's contact: rows to and from it; the former begin with those of member 0.
  std::int64_t out_row(std::size_t neighbor, std::size_t member) const;
  std::int64_t in_row(std::size_t neighbor) const;
  /// Place among the member's row numbers of what it chose from a neighbor.
  std::int64_t choice(std::size_t member, std::size_t neighbor) const;

  std::int64_t rows(std::size_t member) const { return rows_[member]; }
  std::int64_t choices(std::size_t member) const { return choice(member, census_->neighbors); }

 private:
  const HaloCensus* census_;
  std::vector<std::int64_t> rows_;                  ///< (members)
  std::vector<std::int64_t> out_first_, in_first_;  ///< (neighbors)
};

}  // namespace nanoday
