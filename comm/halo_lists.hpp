// Which of a rank's atoms are ghosts elsewhere: index lists per destination, without any message.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "core/view.hpp"
#include "halo_geometry.hpp"

#include <cstdint>
#include <vector>

namespace nanoday {

/// Rows made from others by lattice translations, in runs of one translation each; ascending indices inside a
/// run.
struct GhostRows {
  struct Run {
    std::int64_t end;  ///< rows of this run end here; they begin where the last one ended
    Vec3 translation;  ///< [Å]
  };
  std::vector<std::int32_t>
      atom;  ///< (rows) index of what they are made from: a local atom, a row of a message
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
  GhostRows own;                     ///< images of its own atoms
  std::vector<GhostRows> to_member;  ///< (team) exactly what each other member needs; empty for itself
  /// (neighbors) atoms that any rank of the other team needs under whatever translation, each once,
  /// ascending; in a staged exchange also what is to be forwarded from there
  std::vector<std::vector<std::int32_t>> to_neighbor;
};

/// Pure: an atom moved by a translation is needed wherever it then lies within the cutoff of a region, along
/// each axis by itself. \param box of the run \param local this rank's atoms, in its region
HaloLists halo_lists(const HaloGeometry& geometry, const Box& box, View<const Vec4> local);

/// Pure: says which positions messages to some of a team's neighbors must hold, whoever owns the atoms.
class NeighborSelection {
 public:
  explicit NeighborSelection(const HaloGeometry& geometry);
  /// Calls f(neighbor) for every neighbor that needs or forwards what lies at a position of the team, or at
  /// one that came to it in an earlier stage.
  template <class Visit>
  void for_each(Vec3 position, Visit&& visit) {
    if (!find_hits(position)) return;
    for (std::size_t b = 0; b < neighbor_.size(); ++b)
      if (hit_[0][neighbor_[b][0]] && hit_[1][neighbor_[b][1]] && hit_[2][neighbor_[b][2]]) visit(b);
  }

 private:
  bool find_hits(Vec3 position);

  const HaloGeometry* geometry_;
  std::array<std::vector<BlockAxis::Target>, 3> targets_;
  std::array<std::vector<char>, 3> hit_;              ///< by blocks: 1 where the position is needed
  std::vector<std::array<std::size_t, 3>> neighbor_;  ///< (neighbors) blocks
};

/// Pure: the ghosts of one rank among rows that came from other teams. \param position  (rows) their owners'
GhostRows ghosts_among(const HaloGeometry& geometry, const Box& box, View<const Vec4> position);

}  // namespace nanoday
