// Atoms in the input's order, shared out: rank r serves the r-th part of all ids, whoever owns the atoms.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport.hpp"

#include <cstdint>
#include <type_traits>
#include <vector>

namespace nanoday {

/// Which rank serves which ids; parts differ by one at most, and are empty where there are more ranks than
/// atoms.
class IdShares {
 public:
  /// \param natoms  all atoms of all ranks; ids are 0 … natoms − 1
  IdShares(std::int64_t natoms, int n_ranks) : natoms_(natoms), n_ranks_(n_ranks) {}

  std::int64_t natoms() const { return natoms_; }
  /// First id that `rank` serves; natoms for rank = n_ranks.
  std::int64_t first(int rank) const {
    return static_cast<std::int64_t>(static_cast<__int128>(natoms_) * rank / n_ranks_);
  }
  std::int64_t count(int rank) const { return first(rank + 1) - first(rank); }
  /// \pre 0 ≤ id < natoms
  int owner(std::int64_t id) const {
    return static_cast<int>((static_cast<__int128>(id + 1) * n_ranks_ - 1) / natoms_);
  }

 private:
  std::int64_t natoms_;
  int n_ranks_;
};

/// Collective: sends every row to the rank that serves its id.
/// \param rows (id.size() · row_bytes) in any order; out (count of this rank · row_bytes): rows ordered by id
/// Throws RunError when an id is out of range, missing or there twice.
void deal_by_id(Transport& transport, const IdShares& shares, View<const std::int64_t> id,
                View<const std::byte> rows, std::size_t row_bytes, View<std::byte> out);

/// The same for plain structs: the rows of this rank's share, ordered by id.
template <class Row>
std::vector<Row> rows_by_id(Transport& transport, const IdShares& shares, View<const std::int64_t> id,
                            const std::vector<Row>& rows) {
  static_assert(std::is_trivially_copyable_v<Row>);
  std::vector<Row> out(static_cast<std::size_t>(shares.count(transport.rank())));
  deal_by_id(transport, shares, id, bytes_of(View<const Row>(rows)), sizeof(Row),
             writable_bytes_of(View<Row>(out)));
  return out;
}

}  // namespace nanoday
