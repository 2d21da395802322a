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

std::vector<std::size_t> contacts_of(const HaloGeometry& geometry) {
  std::vector<std::size_t> contacts;
  for (const NeighborTeam& n : geometry.neighbors()) contacts.push_back(static_cast<std::size_t>(n.contact));
  return contacts;
}

std::vector<int> stages_of(const HaloGeometry& geometry) {
  std::vector<int> stages;
  for (const NeighborTeam& n : geometry.neighbors()) stages.push_back(n.stage);
  return stages;
}

template <class Row>
void write_row(const Row& row, std::byte* buffer, std::size_t k) {
  std::memcpy(buffer + k * sizeof row, &row, sizeof row);
}

View<double> words(std::byte* first, std::int64_t rows) {
  return {reinterpret_cast<double*>(first), 3 * static_cast<std::size_t>(rows)};
}

}  // namespace

/// Rows of other ranks that this one keeps, in the order of its ghosts.
struct HaloBuild::Ghosts {
  std::vector<NewRow> row;               ///< translated
  std::vector<GhostRows> from_neighbor;  ///< (neighbors)
};

HaloBuild::HaloBuild(const HaloGeometry& geometry, Transport& transport, TeamMemory& control,
                     TeamMemory& data)
    : geometry_(geometry),
      transport_(transport),
      control_(control),
      data_(data),
      member_(static_cast<std::size_t>(geometry.member())),
      census_(geometry.team().size(), contacts_of(geometry), stages_of(geometry)),
      relayed_(census_.relay.size()),
      received_(census_.neighbors) {
  // One word more, in front: HaloTravel's.
  control_.reserve(
      std::vector<std::size_t>(census_.members, (census_.record_size() + 1) * sizeof(std::int64_t)));
}

HaloRoutes HaloBuild::run(const Box& box, Atoms& atoms) {
  lists_ = halo_lists(geometry_, box, {atoms.position.data(), static_cast<std::size_t>(atoms.nlocal)});
  for (std::size_t k = 0; k < census_.members; ++k)
    census_.to_member[member_ * census_.members + k] = lists_.to_member[k].size();
  for (std::size_t b = 0; b < census_.neighbors; ++b)
    census_.out[member_ * census_.neighbors + b] = static_cast<std::int64_t>(lists_.to_neighbor[b].size());
  share_census();
  for (int stage = 0; stage < geometry_.stages(); ++stage) exchange_rows(stage, atoms);
  const Ghosts ghosts = choose_ghosts(box);
  for (std::size_t b = 0; b < census_.neighbors; ++b)
    census_.chosen[member_ * census_.neighbors + b] = ghosts.from_neighbor[b].size();
  append(ghosts, atoms);
  share_census();  // all members have read their rows, too
  reserve(k_words);
  return lay_routes(ghosts, atoms);
}

bool HaloBuild::contact_of(std::size_t neighbor, int stage) const {
  return census_.contact[neighbor] == member_ && geometry_.neighbors()[neighbor].stage == stage;
}

// The barrier in front lets slower members read the last census first.
void HaloBuild::share_census() {
  control_.barrier();
  census_.write_record(member_, reinterpret_cast<std::int64_t*>(control_.part(member_)) + 1);
  control_.barrier();
  for (std::size_t k = 0; k < census_.members; ++k)
    census_.read_record(k, reinterpret_cast<const std::int64_t*>(control_.part(k)) + 1);
}

void HaloBuild::exchange_sizes(int stage) {
  std::vector<std::int64_t> out(census_.neighbors);
  std::vector<Transport::Request> pending;
  for (std::size_t b = 0; b < census_.neighbors; ++b) {
    if (!contact_of(b, stage)) continue;
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

std::int32_t* HaloBuild::choices(std::size_t member, std::int64_t place) const {
  return reinterpret_cast<std::int32_t*>(at(member, HaloLayout(census_).rows(member))) + place;
}

void HaloBuild::exchange_rows(int stage, const Atoms& atoms) {
  if (stage > 0) choose_relays(stage);
  exchange_sizes(stage);
  share_census();
  reserve(sizeof(NewRow));
  lay_rows(stage, atoms);
  data_.barrier();
  const HaloLayout layout(census_);
  std::vector<Transport::Request> pending;
  for (std::size_t b = 0; b < census_.neighbors; ++b) {
    if (!contact_of(b, stage)) continue;
    const int peer = geometry_.neighbors()[b].peer;
    const auto bytes = [&](std::int64_t rows) { return static_cast<std::size_t>(rows) * sizeof(NewRow); };
    if (const std::size_t n = bytes(census_.in[b]))
      pending.push_back(transport_.post_receive(peer, k_row_tag, {at(member_, layout.in_row(b)), n}));
    if (const std::size_t n = bytes(census_.out_rows(b)))
      pending.push_back(
          transport_.post_send(peer, k_row_tag, View<const std::byte>(at(member_, layout.out_row(b, 0)), n)));
  }
  for (const auto request : pending) transport_.wait(request);
  if (stage + 1 < geometry_.stages())
    for (std::size_t b = 0; b < census_.neighbors; ++b)
      if (contact_of(b, stage)) received_[b] = rows_from(b);
  data_.barrier();
}

// Memory that grew has forgotten what earlier stages brought, and all places in it are others now.
void HaloBuild::lay_rows(int stage, const Atoms& atoms) {
  const HaloLayout layout(census_);
  const auto row_of = [&](std::int32_t atom, Vec3 translation) {
    const auto i = static_cast<std::size_t>(atom);
    return NewRow{xyz(atoms.position[i]) + translation, atoms.id[i], atoms.type[i]};
  };
  if (stage + 1 == geometry_.stages())
    for (std::size_t k = 0; k < census_.members; ++k)
      lists_.to_member[k].for_each([&](std::int64_t row, std::int32_t atom, Vec3 translation) {
        write_row(row_of(atom, translation), at(member_, layout.member_row(member_, k)),
                  static_cast<std::size_t>(row));
      });
  for (std::size_t b = 0; b < census_.neighbors; ++b) {
    const auto& list = lists_.to_neighbor[b];
    std::byte* const out = at(census_.contact[b], layout.out_row(b, member_));
    if (geometry_.neighbors()[b].stage == stage)
      for (std::size_t k = 0; k < list.size(); ++k) write_row(row_of(list[k], {}), out, k);
    if (census_.contact[b] != member_) continue;
    for (std::size_t k = 0; k < received_[b].size(); ++k)
      write_row(received_[b][k], at(member_, layout.in_row(b)), k);
  }
  for (std::size_t r = 0; r < census_.relay.size(); ++r)
    if (contact_of(census_.relay[r].to, stage))
      for (std::size_t k = 0; k < relayed_[r].rows.size(); ++k)
        write_row(relayed_[r].rows[k], at(member_, layout.relay_row(r)), k);
}

/// What earlier stages brought goes on with the messages of this one.
void HaloBuild::choose_relays(int stage) {
  bool any = false;
  for (std::size_t b = 0; b < census_.neighbors; ++b) any = any || contact_of(b, stage);
  if (!any) return;
  NeighborSelection selection(geometry_);
  for (std::size_t from = 0; geometry_.neighbors()[from].stage < stage; ++from) {
    std::vector<Relayed> to(census_.neighbors);
    std::int32_t number = 0;
    for (const NewRow& row : rows_from(from)) {
      selection.for_each(row.position, [&](std::size_t b) {
        if (!contact_of(b, stage)) return;
        to[b].row.push_back(number);
        to[b].rows.push_back(row);
      });
      ++number;
    }
    for (std::size_t r = 0; r < census_.relay.size(); ++r) {
      const auto& relay = census_.relay[r];
      if (relay.from == from && contact_of(relay.to, stage)) relayed_[r] = std::move(to[relay.to]);
    }
  }
  // Not before all is read: it moves the places where rows lie.
  for (std::size_t r = 0; r < census_.relay.size(); ++r)
    if (contact_of(census_.relay[r].to, stage))
      census_.passed[r] = static_cast<std::int64_t>(relayed_[r].row.size());
}

std::vector<HaloBuild::NewRow> HaloBuild::rows_from(std::size_t neighbor) const {
  const HaloLayout layout(census_);
  const std::byte* const first = at(census_.contact[neighbor], layout.in_row(neighbor));
  std::vector<NewRow> rows(static_cast<std::size_t>(census_.in[neighbor]));
  if (!rows.empty()) std::memcpy(static_cast<void*>(rows.data()), first, rows.size() * sizeof(NewRow));
  return rows;
}

// What comes from another team is for all of this one: a rank takes what lies near its own region.
HaloBuild::Ghosts HaloBuild::choose_ghosts(const Box& box) const {
  const HaloLayout layout(census_);
  Ghosts ghosts;
  for (std::size_t k = 0; k < census_.members; ++k)
    for (std::int64_t row = 0; row < census_.to_member[k * census_.members + member_]; ++row) {
      ghosts.row.emplace_back();
      std::memcpy(static_cast<void*>(&ghosts.row.back()), at(k, layout.member_row(k, member_) + row),
                  sizeof(NewRow));
    }
  for (std::size_t b = 0; b < census_.neighbors; ++b) {
    const std::vector<NewRow> rows = rows_from(b);
    Array<Vec4> position;
    for (const NewRow& row : rows) position.push_back(padded(row.position));
    ghosts.from_neighbor.push_back(ghosts_among(geometry_, box, position));
    ghosts.from_neighbor.back().for_each([&](std::int64_t, std::int32_t row, Vec3 translation) {
      ghosts.row.push_back(rows[static_cast<std::size_t>(row)]);
      ghosts.row.back().position = ghosts.row.back().position + translation;
    });
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
  message.stage = geometry_.neighbors()[b].stage;
  message.out = words(at(member_, layout.out_row(b, 0)), census_.out_rows(b));
  message.in = words(at(member_, layout.in_row(b)), census_.in[b]);
  for (std::size_t k = 0; k < census_.members; ++k)
    message.share.push_back({words(at(k, layout.neighbor_share(k, b)), 0).data(),
                             choices(k, layout.choice(k, b)), census_.chosen[k * census_.neighbors + b]});
  for (std::size_t r = 0; r < census_.relay.size(); ++r) {
    const auto [from, to] = census_.relay[r];
    const std::size_t contact = census_.contact[to];
    double* const rows = words(at(contact, layout.relay_row(r)), 0).data();
    const std::int32_t* const chosen = choices(contact, layout.relay_choice(r));
    if (from == b && census_.passed[r] > 0) message.share.push_back({rows, chosen, census_.passed[r]});
    if (to == b && census_.passed[r] > 0)
      message.relay.push_back(
          {words(at(census_.contact[from], layout.in_row(from)), 0).data(), chosen, census_.passed[r], rows});
  }
  return message;
}

/// Row numbers of what this member forwards, for those who add up shares.
void HaloBuild::lay_relays() {
  const HaloLayout layout(census_);
  for (std::size_t r = 0; r < census_.relay.size(); ++r)
    if (census_.contact[census_.relay[r].to] == member_)
      std::copy(relayed_[r].row.begin(), relayed_[r].row.end(), choices(member_, layout.relay_choice(r)));
}

HaloRoutes HaloBuild::lay_routes(const Ghosts& ghosts, const Atoms& atoms) {
  const HaloLayout layout(census_);
  HaloRoutes routes;
  routes.member = member_;
  routes.nlocal = atoms.nlocal;
  routes.nghost = atoms.nghost;
  routes.stages = geometry_.stages();
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
    const GhostRows& chosen = ghosts.from_neighbor[b];
    std::int32_t* const row = choices(member_, layout.choice(member_, b));
    std::copy(chosen.atom.begin(), chosen.atom.end(), row);
    routes.from_neighbor.push_back(
        {words(at(census_.contact[b], layout.in_row(b)), 0).data(), row, chosen.run, ghost});
    ghost += chosen.size();
    routes.to_neighbor.push_back({std::move(lists_.to_neighbor[b]),
                                  words(at(census_.contact[b], layout.out_row(b, member_)), 0).data()});
    if (census_.contact[b] == member_ && census_.in[b] + census_.out_rows(b) > 0)
      routes.message.push_back(message_of(b));
  }
  lay_relays();
  routes.shares = words(at(member_, 0), 0).data();
  data_.barrier();  // row numbers are complete before anybody adds up shares
  return routes;
}

}  // namespace nanoday
