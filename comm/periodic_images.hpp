// Ghosts: copies of atoms near the faces of the box, made so that every neighbor is at hand.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "atoms/forces.hpp"
#include "core/box.hpp"

#include <cstdint>
#include <vector>

namespace nanoday {

/// Periodic images of one rank's own atoms (all images within the cutoff, also of boxes smaller than it).
class PeriodicImages {
 public:
  /// Appends ghosts within `cutoff` of the box to `atoms`, replacing old ones.
  /// \pre local atoms are wrapped into the box along periodic directions.
  void build(const Box& box, double cutoff, Atoms& atoms);
  /// Ghosts follow their owners: position = owner's position + lattice shift.
  void update(Atoms& atoms) const;
  /// Ghosts' shares of forces (and per-atom virials) go home and are cleared.
  void reverse(Forces& forces, std::int64_t nlocal) const;

 private:
  std::vector<std::int32_t> owner_;  ///< (nghost) local index
  std::vector<Vec4> shift_;          ///< (nghost) [Å]
};

}  // namespace nanoday
