// Atoms move to the ranks that own their places: whole rows, column by column.
// SPDX-License-Identifier: Apache-2.0
#include "migration.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <numeric>

namespace nanoday {
namespace {

/// Every array with a row per local atom, in the order in which they travel.
template <class Visit>
void for_each_column(Atoms& atoms, const std::vector<Array<Vec4>*>& rows, Visit&& visit) {
  visit(atoms.id);
  visit(atoms.position);
  visit(atoms.type);
  visit(atoms.velocity);
  visit(atoms.mass);
  visit(atoms.image);
  for (Array<Vec4>* const row : rows) visit(*row);
}

/// Which columns are filled, a bit each: ranks without atoms take the others' word for it.
std::uint64_t filled_columns(Atoms& atoms, const std::vector<Array<Vec4>*>& rows) {
  std::uint64_t filled = 0, bit = 1;
  for_each_column(atoms, rows, [&](const auto& column) {
    if (atoms.nlocal > 0 && column.size() >= static_cast<std::size_t>(atoms.nlocal)) filled |= bit;
    bit <<= 1;
  });
  return filled;
}

struct Header {
  std::int64_t n_atoms = 0;
  std::uint64_t filled = 0;
};

template <class T>
void append(std::vector<std::byte>& bytes, const T* values, std::size_t n) {
  const auto* const first = reinterpret_cast<const std::byte*>(values);
  bytes.insert(bytes.end(), first, first + n * sizeof(T));
}

std::vector<std::byte> pack(Atoms& atoms, const std::vector<Array<Vec4>*>& rows,
                            const std::vector<std::int64_t>& leaving, std::uint64_t filled) {
  std::vector<std::byte> bytes;
  const Header header{static_cast<std::int64_t>(leaving.size()), filled};
  append(bytes, &header, 1);
  std::uint64_t bit = 1;
  for_each_column(atoms, rows, [&](const auto& column) {
    if (filled & bit)
      for (const std::int64_t i : leaving) append(bytes, &column[static_cast<std::size_t>(i)], 1);
    bit <<= 1;
  });
  return bytes;
}

Header header_of(const Parcel& parcel) {
  Header header;
  require_run(parcel.bytes.size() >= sizeof header, "a parcel of atoms from rank {} has only {} bytes",
              parcel.rank, parcel.bytes.size());
  std::memcpy(&header, parcel.bytes.data(), sizeof header);
  return header;
}

/// Rows that stay, in place of all that were there; order kept.
void keep(Atoms& atoms, const std::vector<Array<Vec4>*>& rows, const std::vector<std::int64_t>& staying,
          std::uint64_t filled) {
  std::uint64_t bit = 1;
  for_each_column(atoms, rows, [&](auto& column) {
    const std::size_t n = filled & bit ? staying.size() : 0;
    for (std::size_t k = 0; k < n; ++k) column[k] = column[static_cast<std::size_t>(staying[k])];
    column.resize(n);
    bit <<= 1;
  });
}

void unpack(Atoms& atoms, const std::vector<Array<Vec4>*>& rows, const Parcel& parcel) {
  const Header header = header_of(parcel);
  const auto n = static_cast<std::size_t>(header.n_atoms);
  std::size_t at = sizeof header;
  std::uint64_t bit = 1;
  for_each_column(atoms, rows, [&](auto& column) {
    const bool filled = header.filled & bit;
    bit <<= 1;
    if (!filled) return;
    const std::size_t old = column.size(), bytes = n * sizeof(column[0]);
    require_run(parcel.bytes.size() - at >= bytes, "a parcel of {} atoms from rank {} is too short", n,
                parcel.rank);
    column.resize(old + n);
    std::memcpy(static_cast<void*>(column.data() + old), parcel.bytes.data() + at, bytes);
    at += bytes;
  });
  atoms.nlocal += header.n_atoms;
}

void sort_by_id(Atoms& atoms, const std::vector<Array<Vec4>*>& rows) {
  std::vector<std::size_t> order(static_cast<std::size_t>(atoms.nlocal));
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t i, std::size_t j) { return atoms.id[i] < atoms.id[j]; });
  for_each_column(atoms, rows, [&](auto& column) {
    if (column.empty()) return;
    std::remove_reference_t<decltype(column)> sorted(order.size());
    for (std::size_t k = 0; k < order.size(); ++k) sorted[k] = column[order[k]];
    column = std::move(sorted);
  });
}

}  // namespace

void migrate(const DomainGrid& grid, Transport& transport, Atoms& atoms,
             const std::vector<Array<Vec4>*>& rows) {
  std::vector<int> owner;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    owner.push_back(grid.owner(xyz(atoms.position[static_cast<std::size_t>(i)])));
  move_atoms(transport, owner, atoms, rows);
}

void move_atoms(Transport& transport, const std::vector<int>& destination, Atoms& atoms,
                const std::vector<Array<Vec4>*>& rows) {
  std::vector<std::int64_t> staying;
  std::map<int, std::vector<std::int64_t>> leaving;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const int to = destination[static_cast<std::size_t>(i)];
    (to == transport.rank() ? staying : leaving[to]).push_back(i);
  }
  std::uint64_t filled = filled_columns(atoms, rows);
  std::vector<Parcel> outgoing;
  for (const auto& [rank, atoms_of_rank] : leaving)
    outgoing.push_back({rank, pack(atoms, rows, atoms_of_rank, filled)});
  keep(atoms, rows, staying, filled);
  atoms.nghost = 0;
  atoms.nlocal = static_cast<std::int64_t>(staying.size());
  for (const Parcel& parcel : transport.exchange(std::move(outgoing))) {
    if (filled == 0) filled = header_of(parcel).filled;
    require_run(header_of(parcel).filled == filled,
                "rank {} sends atoms with other arrays than rank {} has (all ranks must fill the same ones)",
                parcel.rank, transport.rank());
    unpack(atoms, rows, parcel);
  }
  sort_by_id(atoms, rows);
}

}  // namespace nanoday
