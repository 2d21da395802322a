// Which of a rank's atoms are ghosts elsewhere: index lists per destination, without any message.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "core/view.hpp"
#include "halo_geometry.hpp"

#include <cstdint>
#include <vector>

namespace nanoday {

/// Atoms for one destination, in runs of one lattice translation each; ascending indices inside a run.
struct GhostRows {
  struct Run {
    std::int64_t end;  ///< rows of this run end here; they begin where the last one ended
    Vec3 translation;  ///< [Å]
  };
  std::vector<std::int32_t> atom;  ///< (rows) local index
  std::vector<Run> run;

  std::int64_t size() const { return static_cast<std::int64_t>(atom.size()); }
  /// Calls f(row, atom, translation) for every row in order.
  template <class Visit>
  void for_each(Visit&& visit) const {
    std::int64_t row = 0;
    for (const Run& r : run)
      for (; row < r.end; ++row) visit(row, atom[static_cast<std::size_t>(row)], r.translation);
  }
};

/// Everything a rank's atoms are needed for. A pair (atom, translation) stands at most once in each list.
struct HaloLists {
  GhostRows own;                       ///< images of its own atoms
  std::vector<GhostRows> to_member;    ///< (team) exactly what each other member needs; empty for itself
  std::vector<GhostRows> to_neighbor;  ///< (neighbors) what any rank of the other team needs
};

/// Pure: an atom moved by a translation is needed wherever it then lies within the cutoff of a region, along
/// each axis by itself. \param box of the run \param local this rank's atoms, in its region
HaloLists halo_lists(const HaloGeometry& geometry, const Box& box, View<const Vec4> local);

}  // namespace nanoday
