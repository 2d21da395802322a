// Where every row of a halo lies in the memory that a team shares: prefix sums.
// SPDX-License-Identifier: Apache-2.0
#include "halo_layout.hpp"

#include <algorithm>
#include <utility>

namespace nanoday {

HaloCensus::HaloCensus(std::size_t n_members, std::vector<std::size_t> contacts,
                       const std::vector<int>& stage)
    : members(n_members),
      neighbors(contacts.size()),
      contact(std::move(contacts)),
      to_member(n_members * n_members),
      out(n_members * neighbors),
      chosen(n_members * neighbors),
      in(neighbors) {
  for (std::size_t to = 0; to < neighbors; ++to)
    for (std::size_t from = 0; stage[from] < stage[to]; ++from) relay.push_back({from, to});
  passed.resize(relay.size());
}

std::int64_t HaloCensus::out_rows(std::size_t neighbor) const {
  std::int64_t rows = 0;
  for (std::size_t k = 0; k < members; ++k) rows += out[k * neighbors + neighbor];
  for (std::size_t r = 0; r < relay.size(); ++r)
    if (relay[r].to == neighbor) rows += passed[r];
  return rows;
}

void HaloCensus::write_record(std::size_t member, std::int64_t* record) const {
  record = std::copy_n(&to_member[member * members], members, record);
  record = std::copy_n(out.begin() + static_cast<std::ptrdiff_t>(member * neighbors), neighbors, record);
  record = std::copy_n(chosen.begin() + static_cast<std::ptrdiff_t>(member * neighbors), neighbors, record);
  record = std::copy(in.begin(), in.end(), record);
  std::copy(passed.begin(), passed.end(), record);
}

void HaloCensus::read_record(std::size_t member, const std::int64_t* record) {
  std::copy_n(record, members, &to_member[member * members]);
  record += members;
  std::copy_n(record, neighbors, out.begin() + static_cast<std::ptrdiff_t>(member * neighbors));
  record += neighbors;
  std::copy_n(record, neighbors, chosen.begin() + static_cast<std::ptrdiff_t>(member * neighbors));
  record += neighbors;
  for (std::size_t b = 0; b < neighbors; ++b)
    if (contact[b] == member) in[b] = record[b];
  record += neighbors;
  for (std::size_t r = 0; r < relay.size(); ++r)
    if (contact[relay[r].to] == member) passed[r] = record[r];
}

HaloLayout::HaloLayout(const HaloCensus& census)
    : census_(&census), rows_(census.members), out_first_(census.neighbors), in_first_(census.neighbors) {
  for (std::size_t k = 0; k < census.members; ++k)
    rows_[k] = std::max(member_row(k, census.members), neighbor_share(k, census.neighbors));
  for (std::size_t b = 0; b < census.neighbors; ++b) {
    out_first_[b] = rows_[census.contact[b]];
    rows_[census.contact[b]] += census.out_rows(b);
  }
  for (std::size_t b = 0; b < census.neighbors; ++b) {
    in_first_[b] = rows_[census.contact[b]];
    rows_[census.contact[b]] += census.in[b];
  }
}

std::int64_t HaloLayout::member_row(std::size_t from, std::size_t to) const {
  std::int64_t row = 0;
  for (std::size_t k = 0; k < to; ++k) row += census_->to_member[from * census_->members + k];
  return row;
}

std::int64_t HaloLayout::member_share(std::size_t member, std::size_t owner) const {
  std::int64_t row = 0;
  for (std::size_t k = 0; k < owner; ++k) row += census_->to_member[k * census_->members + member];
  return row;
}

std::int64_t HaloLayout::neighbor_share(std::size_t member, std::size_t neighbor) const {
  return member_share(member, census_->members) + choice(member, neighbor);
}

std::int64_t HaloLayout::out_row(std::size_t neighbor, std::size_t member) const {
  std::int64_t row = out_first_[neighbor];
  for (std::size_t k = 0; k < member; ++k) row += census_->out[k * census_->neighbors + neighbor];
  return row;
}

std::int64_t HaloLayout::in_row(std::size_t neighbor) const { return in_first_[neighbor]; }

std::int64_t HaloLayout::relay_row(std::size_t r) const {
  const std::size_t to = census_->relay[r].to;
  std::int64_t row = out_row(to, census_->members);
  for (std::size_t q = 0; q < r; ++q)
    if (census_->relay[q].to == to) row += census_->passed[q];
  return row;
}

std::int64_t HaloLayout::relay_choice(std::size_t r) const {
  const std::size_t member = census_->contact[census_->relay[r].to];
  std::int64_t place = choice(member, census_->neighbors);
  for (std::size_t q = 0; q < r; ++q)
    if (census_->contact[census_->relay[q].to] == member) place += census_->passed[q];
  return place;
}

std::int64_t HaloLayout::choices(std::size_t member) const {
  std::int64_t sum = choice(member, census_->neighbors);
  for (std::size_t q = 0; q < census_->relay.size(); ++q)
    if (census_->contact[census_->relay[q].to] == member) sum += census_->passed[q];
  return sum;
}

std::int64_t HaloLayout::choice(std::size_t member, std::size_t neighbor) const {
  std::int64_t place = 0;
  for (std::size_t b = 0; b < neighbor; ++b) place += census_->chosen[member * census_->neighbors + b];
  return place;
}

}  // namespace nanoday
