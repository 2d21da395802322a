// Which of a rank's atoms are ghosts elsewhere: axis by axis, so that an atom meets only what is near it.
// SPDX-License-Identifier: Apache-2.0
#include "halo_lists.hpp"

#include <algorithm>
#include <set>
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

/// Everything that any other team holds may be a ghost here, under each translation that brings it near.
Selection select_from_neighbors(const HaloGeometry& geometry) {
  const Triple place = geometry.grid().place(geometry.rank());
  std::array<const BlockAxis*, 3> axis;
  std::array<Targets, 3> targets;
  for (int d = 0; d < 3; ++d) {
    axis[d] = &geometry.rank_axis(d);
    std::set<int> shifts;
    for (const auto& target : axis[d]->targets(place[d])) shifts.insert(-target.shift);
    for (const int shift : shifts) targets[d].push_back({place[d], shift});
  }
  return {axis, targets, [](const Triple&, const Triple&) { return 0; }};
}

std::array<double, 3> fractions(const HaloGeometry& geometry, Vec3 position) {
  const Vec3 f = geometry.grid().frame().box.fractional(position);
  return {f.x, f.y, f.z};
}

}  // namespace

NeighborSelection::NeighborSelection(const HaloGeometry& geometry) : geometry_(&geometry) {
  for (int d = 0; d < 3; ++d) {
    targets_[d] = geometry.team_axis(d).targets(geometry.team_place()[d]);
    hit_[d].resize(static_cast<std::size_t>(geometry.team_axis(d).blocks()));
  }
  for (const NeighborTeam& n : geometry.neighbors())
    neighbor_.push_back({static_cast<std::size_t>(n.place[0]), static_cast<std::size_t>(n.place[1]),
                         static_cast<std::size_t>(n.place[2])});
}

/// False when no other team needs the position.
bool NeighborSelection::find_hits(Vec3 position) {
  const auto f = fractions(*geometry_, position);
  bool any = false;
  for (int d = 0; d < 3; ++d) {
    const BlockAxis& axis = geometry_->team_axis(d);
    for (const auto& target : targets_[d]) hit_[d][static_cast<std::size_t>(target.block)] = 0;
    const auto own = static_cast<std::size_t>(geometry_->team_place()[d]);
    for (const auto& target : targets_[d]) {
      if (!axis.near(target.block, f[d] + target.shift)) continue;
      hit_[d][static_cast<std::size_t>(target.block)] = 1;
      any = any || static_cast<std::size_t>(target.block) != own;
    }
    hit_[d][own] = 1;  // what is here, or came here in an earlier stage, need not move along this axis
  }
  return any;
}

HaloLists halo_lists(const HaloGeometry& geometry, const Box& box, View<const Vec4> local) {
  Selection inside = select_for_team(geometry);
  NeighborSelection outside(geometry);
  HaloLists lists;
  lists.to_neighbor.resize(geometry.neighbors().size());
  for (std::size_t i = 0; i < local.size(); ++i) {
    const auto atom = static_cast<std::int32_t>(i);
    const Vec3 x = xyz(local[i]);
    inside.add(atom, fractions(geometry, x));
    outside.for_each(x, [&](std::size_t b) { lists.to_neighbor[b].push_back(atom); });
  }
  lists.to_member = inside.rows(box, geometry.team().size());
  std::swap(lists.own, lists.to_member[static_cast<std::size_t>(geometry.member())]);
  return lists;
}

GhostRows ghosts_among(const HaloGeometry& geometry, const Box& box, View<const Vec4> position) {
  Selection near = select_from_neighbors(geometry);
  for (std::size_t row = 0; row < position.size(); ++row)
    near.add(static_cast<std::int32_t>(row), fractions(geometry, xyz(position[row])));
  return near.rows(box, 1).front();
}

}  // namespace nanoday
