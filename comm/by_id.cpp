// Rows to the ranks that serve their ids: one parcel per pair of ranks, an id before every row.
// SPDX-License-Identifier: Apache-2.0
#include "by_id.hpp"

#include "core/error.hpp"

#include <cstring>

namespace nanoday {
namespace {

/// Rows that go to each rank.
std::vector<std::size_t> rows_per_rank(const IdShares& shares, View<const std::int64_t> id, int n_ranks) {
  std::vector<std::size_t> count(static_cast<std::size_t>(n_ranks), 0);
  for (const std::int64_t k : id) {
    require_run(k >= 0 && k < shares.natoms(), "an atom has the id {} but there are {} (the run is damaged)",
                k, shares.natoms());
    ++count[static_cast<std::size_t>(shares.owner(k))];
  }
  return count;
}

}  // namespace

void deal_by_id(Transport& transport, const IdShares& shares, View<const std::int64_t> id,
                View<const std::byte> rows, std::size_t row_bytes, View<std::byte> out) {
  const std::size_t stride = sizeof(std::int64_t) + row_bytes;
  const std::vector<std::size_t> count = rows_per_rank(shares, id, transport.size());
  std::vector<Parcel> outgoing;
  std::vector<std::byte*> next(count.size(), nullptr);
  for (std::size_t r = 0; r < count.size(); ++r) {
    if (count[r] == 0) continue;
    outgoing.push_back({static_cast<int>(r), std::vector<std::byte>(count[r] * stride)});
    next[r] = outgoing.back().bytes.data();
  }
  for (std::size_t k = 0; k < id.size(); ++k) {
    std::byte*& to = next[static_cast<std::size_t>(shares.owner(id[k]))];
    std::memcpy(to, &id[k], sizeof(std::int64_t));
    std::memcpy(to + sizeof(std::int64_t), rows.data() + k * row_bytes, row_bytes);
    to += stride;
  }
  const std::int64_t first = shares.first(transport.rank());
  std::vector<bool> seen(static_cast<std::size_t>(shares.count(transport.rank())), false);
  std::size_t n_seen = 0;
  for (const Parcel& parcel : transport.exchange(std::move(outgoing)))
    for (std::size_t at = 0; at + stride <= parcel.bytes.size(); at += stride) {
      std::int64_t which;
      std::memcpy(&which, parcel.bytes.data() + at, sizeof which);
      const auto row = static_cast<std::size_t>(which - first);
      require_run(!seen.at(row), "atom {} is on two ranks (the run is damaged); go on with `nanoday resume`",
                  which + 1);
      seen[row] = true;
      ++n_seen;
      std::memcpy(out.data() + row * row_bytes, parcel.bytes.data() + at + sizeof which, row_bytes);
    }
  require_run(n_seen == seen.size(),
              "{} of {} atoms are on no rank (the run is damaged); go on with `nanoday resume`",
              seen.size() - n_seen, seen.size());
}

}  // namespace nanoday
