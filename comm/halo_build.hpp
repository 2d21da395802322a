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

/// One build; collective from its first to its last call. Teams agree on counts through `control`, then rows
/// travel with types and ids, every rank chooses its ghosts among them, and the routes are laid into `data`.
class HaloBuild {
 public:
  HaloBuild(const HaloGeometry& geometry, Transport& transport, TeamMemory& control, TeamMemory& data);
  /// Appends ghosts to `atoms`.
  HaloRoutes run(const Box& box, Atoms& atoms);

 private:
  struct Ghosts;

  void share_census();
  void exchange_sizes();
  void reserve(std::size_t row_bytes);
  void send_rows(const Atoms& atoms);
  Ghosts choose_ghosts() const;
  void append(const Ghosts& ghosts, Atoms& atoms) const;
  HaloRoutes lay_routes(const Ghosts& ghosts, const Atoms& atoms);
  HaloRoutes::Message message_of(std::size_t neighbor) const;
  std::byte* at(std::size_t member, std::int64_t row) const;
  std::int32_t* choice(std::size_t member, std::size_t neighbor) const;

  const HaloGeometry& geometry_;
  Transport& transport_;
  TeamMemory& control_;
  TeamMemory& data_;
  std::size_t member_, row_bytes_ = 0;
  HaloLists lists_;
  HaloCensus census_;
};

}  // namespace nanoday
