// Builds the routes of a halo: who needs what is agreed once, at list rebuilds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "halo_geometry.hpp"
#include "halo_layout.hpp"
#include "halo_lists.hpp"
#include "halo_routes.hpp"
#include "team_memory.hpp"
#include "transport.hpp"

#include <vector>

namespace nanoday {

/// One build; collective from its first to its last call. Stage by stage teams agree on counts through
/// `control` and rows travel with types and ids; then every rank chooses its ghosts among them, and the
/// routes are laid into `data`.
class HaloBuild {
 public:
  HaloBuild(const HaloGeometry& geometry, Transport& transport, TeamMemory& control, TeamMemory& data);
  /// Appends ghosts to `atoms`.
  HaloRoutes run(const Box& box, Atoms& atoms);

 private:
  struct Ghosts;

  /// A row while the halo is built.
  struct NewRow {
    Vec3 position;  ///< its owner's, or translated inside a team [Å]
    std::int64_t id = 0;
    std::int32_t type = 0, unused = 0;
  };
  /// What a contact forwards with one message.
  struct Relayed {
    std::vector<std::int32_t> row;  ///< in the message it came with
    std::vector<NewRow> rows;
  };

  bool contact_of(std::size_t neighbor, int stage) const;
  void share_census();
  void exchange_sizes(int stage);
  void reserve(std::size_t row_bytes);
  void exchange_rows(int stage, const Atoms& atoms);
  void lay_rows(int stage, const Atoms& atoms);
  void choose_relays(int stage);
  std::vector<NewRow> rows_from(std::size_t neighbor) const;
  Ghosts choose_ghosts(const Box& box) const;
  void append(const Ghosts& ghosts, Atoms& atoms) const;
  HaloRoutes lay_routes(const Ghosts& ghosts, const Atoms& atoms);
  void lay_relays();
  HaloRoutes::Message message_of(std::size_t neighbor) const;
  std::byte* at(std::size_t member, std::int64_t row) const;
  std::int32_t* choices(std::size_t member, std::int64_t place) const;

  const HaloGeometry& geometry_;
  Transport& transport_;
  TeamMemory& control_;
  TeamMemory& data_;
  std::size_t member_, row_bytes_ = 0;
  HaloLists lists_;
  HaloCensus census_;
  std::vector<Relayed> relayed_;               ///< (relays) where this member is the contact of `to`
  std::vector<std::vector<NewRow>> received_;  ///< (neighbors) where this member is the contact
};

}  // namespace nanoday
