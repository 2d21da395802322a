// Builds the routes of a halo: counts, then rows with types and ids, then the choice of ghosts.
// SPDX-License-Identifier: Apache-2.0
#include "halo_build.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace nanoday {
namespace {

constexpr int k_size_tag = 0x4843, k_row_tag = 0x4844;
constexpr std::size_t k_words = 3 * sizeof(double);  ///< bytes of a row in ordinary steps

/// A row while the halo is built.
struct NewRow {
  Vec3 position;  ///< translated [Å]
  std::int64_t id = 0;
  std::int32_t type = 0, unused = 0;
};

std::vector<std::size_t> contacts_of(const HaloGeometry& geometry) {
  std::vector<std::size_t> contacts;
  for (const NeighborTeam& n : geometry.neighbors()) contacts.push_back(static_cast<std::size_t>(n.contact));
  return contacts;
}

void write_rows(const GhostRows& rows, const Atoms& atoms, std::byte* buffer) {
  rows.for_each([&](std::int64_t row, std::int32_t atom, Vec3 translation) {
    const auto i = static_cast<std::size_t>(atom);
    const NewRow r{xyz(atoms.position[i]) + translation, atoms.id[i], atoms.type[i]};
    std::memcpy(buffer + static_cast<std::size_t>(row) * sizeof r, &r, sizeof r);
  });
}

NewRow read_row(const std::byte* buffer, std::int64_t row) {
  NewRow r;
  std::memcpy(static_cast<void*>(&r), buffer + static_cast<std::size_t>(row) * sizeof r, sizeof r);
  return r;
}

View<double> words(std::byte* first, std::int64_t rows) {
  return {reinterpret_cast<double*>(first), 3 * static_cast<std::size_t>(rows)};
}

}  // namespace

/// Rows of other ranks that this one keeps, in the order of its ghosts.
struct HaloBuild::Ghosts {
  std::vector<NewRow> row;
  std::vector<std::vector<std::int32_t>> from_neighbor;  ///< (neighbors) row numbers
};

HaloBuild::HaloBuild(const HaloGeometry& geometry, Transport& transport, TeamMemory& control,
                     TeamMemory& data)
    : geometry_(geometry),
      transport_(transport),
      control_(control),
      data_(data),
      member_(static_cast<std::size_t>(geometry.member())),
      census_(geometry.team().size(), contacts_of(geometry)) {
  // One word more, in front: HaloTravel's.
  control_.reserve(
      std::vector<std::size_t>(census_.members, (census_.record_size() + 1) * sizeof(std::int64_t)));
}

HaloRoutes HaloBuild::run(const Box& box, Atoms& atoms) {
  lists_ = halo_lists(geometry_, box, {atoms.position.data(), static_cast<std::size_t>(atoms.nlocal)});
  for (std::size_t k = 0; k < census_.members; ++k)
    census_.to_member[member_ * census_.members + k] = lists_.to_member[k].size();
  for (std::size_t b = 0; b < census_.neighbors; ++b)
    census_.out[member_ * census_.neighbors + b] = lists_.to_neighbor[b].size();
  share_census();
  exchange_sizes();
  share_census();
  reserve(sizeof(NewRow));
  send_rows(atoms);
  const Ghosts ghosts = choose_ghosts();
  for (std::size_t b = 0; b < census_.neighbors; ++b)
    census_.chosen[member_ * census_.neighbors + b] =
        static_cast<std::int64_t>(ghosts.from_neighbor[b].size());
  append(ghosts, atoms);
  share_census();  // all members have read their rows, too
  reserve(k_words);
  return lay_routes(ghosts, atoms);
}

// The barrier in front lets slower members read the last census first.
void HaloBuild::share_census() {
  control_.barrier();
  census_.write_record(member_, reinterpret_cast<std::int64_t*>(control_.part(member_)) + 1);
  control_.barrier();
  for (std::size_t k = 0; k < census_.members; ++k)
    census_.read_record(k, reinterpret_cast<const std::int64_t*>(control_.part(k)) + 1);
}

void HaloBuild::exchange_sizes() {
  std::vector<std::int64_t> out(census_.neighbors);
  std::vector<Transport::Request> pending;
  for (std::size_t b = 0; b < census_.neighbors; ++b) {
    if (census_.contact[b] != member_) continue;
    const int peer = geometry_.neighbors()[b].peer;
    out[b] = census_.out_rows(b);
    pending.push_back(
        transport_.post_receive(peer, k_size_tag, writable_bytes_of(View<std::int64_t>(&census_.in[b], 1))));
    pending.push_back(transport_.post_send(peer, k_size_tag, bytes_of(View<const std::int64_t>(&out[b], 1))));
  }
  for (const auto request : pending) transport_.wait(request);
}

void HaloBuild::reserve(std::size_t row_bytes) {
  row_bytes_ = row_bytes;
  const HaloLayout layout(census_);
  std::vector<std::size_t> bytes;
  for (std::size_t k = 0; k < census_.members; ++k)
    bytes.push_back(static_cast<std::size_t>(layout.rows(k)) * row_bytes +
                    static_cast<std::size_t>(layout.choices(k)) * sizeof(std::int32_t));
  data_.reserve(bytes);
}

std::byte* HaloBuild::at(std::size_t member, std::int64_t row) const {
  return data_.part(member) + static_cast<std::size_t>(row) * row_bytes_;
}

std::int32_t* HaloBuild::choice(std::size_t member, std::size_t neighbor) const {
  const HaloLayout layout(census_);
  return reinterpret_cast<std::int32_t*>(at(member, layout.rows(member))) + layout.choice(member, neighbor);
}

void HaloBuild::send_rows(const Atoms& atoms) {
  const HaloLayout layout(census_);
  for (std::size_t k = 0; k < census_.members; ++k)
    write_rows(lists_.to_member[k], atoms, at(member_, layout.member_row(member_, k)));
  for (std::size_t b = 0; b < census_.neighbors; ++b)
    write_rows(lists_.to_neighbor[b], atoms, at(census_.contact[b], layout.out_row(b, member_)));
  data_.barrier();
  std::vector<Transport::Request> pending;
  for (std::size_t b = 0; b < census_.neighbors; ++b) {
    if (census_.contact[b] != member_) continue;
    const int peer = geometry_.neighbors()[b].peer;
    const auto bytes = [&](std::int64_t rows) { return static_cast<std::size_t>(rows) * sizeof(NewRow); };
    if (const std::size_t n = bytes(census_.in[b]))
      pending.push_back(transport_.post_receive(peer, k_row_tag, {at(member_, layout.in_row(b)), n}));
    if (const std::size_t n = bytes(census_.out_rows(b)))
      pending.push_back(
          transport_.post_send(peer, k_row_tag, View<const std::byte>(at(member_, layout.out_row(b, 0)), n)));
  }
  for (const auto request : pending) transport_.wait(request);
  data_.barrier();
}

// What comes from another team is for all of this one: a rank takes what lies near its own region.
HaloBuild::Ghosts HaloBuild::choose_ghosts() const {
  const HaloLayout layout(census_);
  const auto place = geometry_.grid().place(geometry_.rank());
  const Box& frame = geometry_.grid().frame().box;
  const auto near = [&](Vec3 x) {
    const Vec3 f = frame.fractional(x);
    return geometry_.rank_axis(0).near(place[0], f.x) && geometry_.rank_axis(1).near(place[1], f.y) &&
           geometry_.rank_axis(2).near(place[2], f.z);
  };
  Ghosts ghosts;
  ghosts.from_neighbor.resize(census_.neighbors);
  for (std::size_t k = 0; k < census_.members; ++k)
    for (std::int64_t row = 0; row < census_.to_member[k * census_.members + member_]; ++row)
      ghosts.row.push_back(read_row(at(k, layout.member_row(k, member_)), row));
  for (std::size_t b = 0; b < census_.neighbors; ++b)
    for (std::int64_t row = 0; row < census_.in[b]; ++row) {
      const NewRow r = read_row(at(census_.contact[b], layout.in_row(b)), row);
      if (census_.members > 1 && !near(r.position)) continue;
      ghosts.row.push_back(r);
      ghosts.from_neighbor[b].push_back(static_cast<std::int32_t>(row));
    }
  return ghosts;
}

void HaloBuild::append(const Ghosts& ghosts, Atoms& atoms) const {
  const std::int64_t own = lists_.own.size();
  atoms.nghost = own + static_cast<std::int64_t>(ghosts.row.size());
  require_run(atoms.nall() < std::numeric_limits<std::int32_t>::max(),
              "rank {} would hold {} atoms and {} ghosts (indices have 32 bits); use more ranks",
              transport_.rank(), atoms.nlocal, atoms.nghost);
  const auto nall = static_cast<std::size_t>(atoms.nall());
  atoms.position.resize(nall);
  atoms.type.resize(nall);
  atoms.id.resize(nall);
  lists_.own.for_each([&](std::int64_t row, std::int32_t atom, Vec3 translation) {
    const auto i = static_cast<std::size_t>(atom), g = static_cast<std::size_t>(atoms.nlocal + row);
    atoms.position[g] = padded(xyz(atoms.position[i]) + translation);
    atoms.type[g] = atoms.type[i];
    atoms.id[g] = atoms.id[i];
  });
  auto g = static_cast<std::size_t>(atoms.nlocal + own);
  for (const NewRow& row : ghosts.row) {
    atoms.position[g] = padded(row.position);
    atoms.type[g] = row.type;
    atoms.id[g] = row.id;
    ++g;
  }
}

HaloRoutes::Message HaloBuild::message_of(std::size_t b) const {
  const HaloLayout layout(census_);
  HaloRoutes::Message message;
  message.neighbor = b;
  message.peer = geometry_.neighbors()[b].peer;
  message.out = words(at(member_, layout.out_row(b, 0)), census_.out_rows(b));
  message.in = words(at(member_, layout.in_row(b)), census_.in[b]);
  for (std::size_t k = 0; k < census_.members; ++k)
    message.share.push_back({words(at(k, layout.neighbor_share(k, b)), 0).data(), choice(k, b),
                             census_.chosen[k * census_.neighbors + b]});
  return message;
}

HaloRoutes HaloBuild::lay_routes(const Ghosts& ghosts, const Atoms& atoms) {
  const HaloLayout layout(census_);
  HaloRoutes routes;
  routes.member = member_;
  routes.nlocal = atoms.nlocal;
  routes.nghost = atoms.nghost;
  std::int64_t ghost = lists_.own.size();
  routes.own = std::move(lists_.own);
  for (std::size_t k = 0; k < census_.members; ++k) {
    const std::int64_t count = census_.to_member[k * census_.members + member_];
    if (count > 0)
      routes.from_member.push_back({words(at(k, layout.member_row(k, member_)), count).data(), ghost, count});
    ghost += count;
    if (lists_.to_member[k].size() > 0)
      routes.to_member.push_back({std::move(lists_.to_member[k]),
                                  words(at(member_, layout.member_row(member_, k)), 0).data(),
                                  words(at(k, layout.member_share(k, member_)), 0).data()});
  }
  for (std::size_t b = 0; b < census_.neighbors; ++b) {
    const auto& chosen = ghosts.from_neighbor[b];
    std::copy(chosen.begin(), chosen.end(), choice(member_, b));
    const auto count = static_cast<std::int64_t>(chosen.size());
    routes.from_neighbor.push_back(
        {words(at(census_.contact[b], layout.in_row(b)), 0).data(), choice(member_, b), ghost, count});
    ghost += count;
    routes.to_neighbor.push_back({std::move(lists_.to_neighbor[b]),
                                  words(at(census_.contact[b], layout.out_row(b, member_)), 0).data()});
    if (census_.contact[b] == member_ && census_.in[b] + census_.out_rows(b) > 0)
      routes.message.push_back(message_of(b));
  }
  routes.shares = words(at(member_, 0), 0).data();
  data_.barrier();  // row numbers are complete before anybody adds up shares
  return routes;
}

}  // namespace nanoday
