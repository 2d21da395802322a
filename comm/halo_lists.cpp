// Which of a rank's atoms are ghosts elsewhere: axis by axis, so that an atom meets only what is near it.
// SPDX-License-Identifier: Apache-2.0
#include "halo_lists.hpp"

#include <algorithm>
#include <utility>

namespace nanoday {
namespace {

using Triple = std::array<int, 3>;
using Targets = std::vector<BlockAxis::Target>;

constexpr int k_nobody = -1;

/// Deals atoms to destinations. A target is a block and a translation, one of each axis; what belongs to one
/// destination is gathered there, ordered by translation.
class Selection {
 public:
  /// \param destination  maps a block to 0 … n − 1 or k_nobody; asked with the block and the translation
  template <class Destination>
  Selection(std::array<const BlockAxis*, 3> axis, std::array<Targets, 3> targets, Destination&& destination)
      : axis_(axis), targets_(std::move(targets)) {
    std::vector<std::pair<std::pair<int, Triple>, std::size_t>> found;
    slot_of_.assign(targets_[0].size() * targets_[1].size() * targets_[2].size(), k_nobody);
    std::size_t k = 0;
    for (const auto& a : targets_[0])
      for (const auto& b : targets_[1])
        for (const auto& c : targets_[2]) {
          const Triple shift{a.shift, b.shift, c.shift};
          const int to = destination(Triple{a.block, b.block, c.block}, shift);
          if (to != k_nobody) found.push_back({{to, shift}, k});
          ++k;
        }
    std::sort(found.begin(), found.end());
    for (const auto& [key, index] : found) {
      slot_of_[index] = static_cast<std::int32_t>(key_.size());
      key_.push_back(key);
    }
    rows_.resize(key_.size());
  }

  /// \param f fractions of the atom
  void add(std::int32_t atom, const std::array<double, 3>& f) {
    for (std::size_t d = 0; d < 3; ++d) {
      hits_[d].clear();
      for (std::size_t k = 0; k < targets_[d].size(); ++k)
        if (axis_[d]->near(targets_[d][k].block, f[d] + targets_[d][k].shift)) hits_[d].push_back(k);
    }
    for (const std::size_t a : hits_[0])
      for (const std::size_t b : hits_[1])
        for (const std::size_t c : hits_[2]) {
          const std::int32_t slot = slot_of_[(a * targets_[1].size() + b) * targets_[2].size() + c];
          if (slot != k_nobody) rows_[static_cast<std::size_t>(slot)].push_back(atom);
        }
  }

  std::vector<GhostRows> rows(const Box& box, std::size_t n_destinations) const {
    std::vector<GhostRows> result(n_destinations);
    for (std::size_t slot = 0; slot < key_.size(); ++slot) {
      if (rows_[slot].empty()) continue;
      const auto& [to, shift] = key_[slot];
      GhostRows& list = result[static_cast<std::size_t>(to)];
      list.atom.insert(list.atom.end(), rows_[slot].begin(), rows_[slot].end());
      list.run.push_back({list.size(), box.translation(shift[0], shift[1], shift[2])});
    }
    return result;
  }

 private:
  std::array<const BlockAxis*, 3> axis_;
  std::array<Targets, 3> targets_;
  std::array<std::vector<std::size_t>, 3> hits_;  ///< targets of the atom at hand, along each axis
  std::vector<std::int32_t> slot_of_;             ///< (targets a × b × c)
  std::vector<std::pair<int, Triple>> key_;       ///< (slots) destination and translation
  std::vector<std::vector<std::int32_t>> rows_;   ///< (slots) atoms
};

Selection select_for_neighbors(const HaloGeometry& geometry) {
  std::array<const BlockAxis*, 3> axis;
  std::array<Targets, 3> targets;
  for (int d = 0; d < 3; ++d) {
    axis[d] = &geometry.team_axis(d);
    targets[d] = axis[d]->targets(geometry.team_place()[d]);
  }
  const auto& neighbors = geometry.neighbors();
  return {axis, targets, [&](const Triple& block, const Triple&) {
            if (block == geometry.team_place()) return k_nobody;
            const auto at =
                std::lower_bound(neighbors.begin(), neighbors.end(), block,
                                 [](const NeighborTeam& n, const Triple& b) { return n.place < b; });
            return static_cast<int>(at - neighbors.begin());
          }};
}

/// Destinations are the members of the team; for itself a rank only makes images.
Selection select_for_team(const HaloGeometry& geometry) {
  const Triple place = geometry.grid().place(geometry.rank());
  std::array<const BlockAxis*, 3> axis;
  std::array<Targets, 3> targets;
  for (int d = 0; d < 3; ++d) {
    axis[d] = &geometry.rank_axis(d);
    for (const auto& target : axis[d]->targets(place[d]))
      if (target.block / geometry.inner()[d] == geometry.team_place()[d]) targets[d].push_back(target);
  }
  const auto& team = geometry.team();
  return {axis, targets, [&](const Triple& block, const Triple& shift) {
            if (block == place && shift == Triple{0, 0, 0}) return k_nobody;
            const int rank = geometry.grid().rank_at(block);
            return static_cast<int>(std::lower_bound(team.begin(), team.end(), rank) - team.begin());
          }};
}

}  // namespace

HaloLists halo_lists(const HaloGeometry& geometry, const Box& box, View<const Vec4> local) {
  Selection inside = select_for_team(geometry), outside = select_for_neighbors(geometry);
  const Box& frame = geometry.grid().frame().box;
  for (std::size_t i = 0; i < local.size(); ++i) {
    const Vec3 f = frame.fractional(xyz(local[i]));
    inside.add(static_cast<std::int32_t>(i), {f.x, f.y, f.z});
    outside.add(static_cast<std::int32_t>(i), {f.x, f.y, f.z});
  }
  HaloLists lists;
  lists.to_member = inside.rows(box, geometry.team().size());
  lists.to_neighbor = outside.rows(box, geometry.neighbors().size());
  std::swap(lists.own, lists.to_member[static_cast<std::size_t>(geometry.member())]);
  return lists;
}

}  // namespace nanoday
