// Ghosts: copies of atoms near the faces of a domain, made so that every neighbor is at hand.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "atoms/forces.hpp"
#include "backend/resident_ranks.hpp"
#include "core/box.hpp"
#include "domain_grid.hpp"
#include "halo_geometry.hpp"
#include "transport.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace nanoday {

/// Ghosts of one rank: periodic images of its own atoms and copies of other ranks' atoms (all that lie within
/// the cutoff of its domain, in as many layers as that takes). A ghost's position is its owner's plus a
/// lattice translation, in the same bits as on one rank.
class Halo {
 public:
  using Route = HaloRoute;

  explicit Halo(Transport& transport, Route route = Route::by_node);
  ~Halo();
  Halo(Halo&&) noexcept;
  Halo& operator=(Halo&&) noexcept;

  /// Collective: appends ghosts within `cutoff` of this rank's region to `atoms` (position, type, id),
  /// replacing old ones. Throws InputError when the box is so small that images cannot be counted. \pre local
  /// atoms lie in the region but for positions outside a box that does not repeat
  void build(const DomainGrid& grid, const Box& box, double cutoff, Atoms& atoms);
  /// Collective: ghosts follow their owners. update() = start_update() + finish_update(); between the two,
  /// rows of ghosts must not be read or written, local positions not be written.
  void update(Atoms& atoms);
  void start_update(const Atoms& atoms);
  void finish_update(Atoms& atoms);
  /// Collective: ghosts' shares of forces (and per-atom virials, when all ranks have them) go home and are
  /// cleared. Fixed-point sums stay exact.
  void reverse(Forces& forces, std::int64_t nlocal);

  /// Collective: one row per ghost from its owner's row; no lattice translation (dipoles, cotangents).
  void forward_rows(View<const Vec4> local, View<Vec4> ghost);

  /// The rows of ordinary steps, for those who move them by themselves. \pre Route::direct and build()
  HaloRows rows() const;

  /// Memory that this rank holds for all this, beyond the rows of its atoms and ghosts.
  std::size_t bytes() const;

 private:
  struct Plan;
  std::unique_ptr<Plan> plan_;
};

}  // namespace nanoday
