// Atoms to the ranks that write their lines.
// SPDX-License-Identifier: Apache-2.0
#include "md/gather_frame.hpp"

#include "by_id.hpp"

#include <algorithm>
#include <limits>

namespace nanoday {
namespace {

/// What of an atom a frame may show.
struct FrameRow {
  Vec3 position, velocity, force;
  std::array<std::int32_t, 3> image;
  std::int32_t type;
};

std::vector<FrameRow> local_rows(const Box& box, const Atoms& atoms, const Forces& forces, FrameParts parts) {
  std::vector<FrameRow> rows(static_cast<std::size_t>(atoms.nlocal));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Vec3 x = xyz(atoms.position[i]);
    const std::array<int, 3> crossed = wrap(box, x);
    rows[i].position = x;
    for (std::size_t d = 0; d < 3; ++d) rows[i].image[d] = atoms.image[i][d] + crossed[d];
    rows[i].type = atoms.type[i];
    if (parts.velocity) rows[i].velocity = xyz(atoms.velocity[i]);
    if (parts.force) rows[i].force = xyz(forces.force[i]);
  }
  return rows;
}

/// Extent of the rows of all ranks.
void set_extent(Transport& ranks, Frame& frame) {
  constexpr double k_none = -std::numeric_limits<double>::infinity();
  std::array<double, 6> most{k_none, k_none, k_none, k_none, k_none, k_none};  // of −x, −y, −z, x, y, z
  for (const Vec3& x : frame.position)
    most = {std::max(most[0], -x.x), std::max(most[1], -x.y), std::max(most[2], -x.z),
            std::max(most[3], x.x),  std::max(most[4], x.y),  std::max(most[5], x.z)};
  ranks.all_reduce_max(View<double>(most.data(), most.size()));
  // Whether a maximum of 0 is +0 or −0 depends on who came first; the difference to 0 is always +0.
  frame.low = {0 - most[0], 0 - most[1], 0 - most[2]};
  frame.high = {most[3] + 0, most[4] + 0, most[5] + 0};
}

}  // namespace

Frame gather_frame(Transport& ranks, std::int64_t natoms, const Box& box, const Atoms& atoms,
                   const Forces& forces, FrameParts parts) {
  const IdShares shares(natoms, ranks.size());
  const View<const std::int64_t> id(atoms.id.data(), static_cast<std::size_t>(atoms.nlocal));
  const auto rows = rows_by_id(ranks, shares, id, local_rows(box, atoms, forces, parts));
  Frame frame;
  frame.box = box;
  frame.natoms = natoms;
  frame.parts = parts;
  frame.first = shares.first(ranks.rank());
  for (const FrameRow& row : rows) {
    frame.species.push_back(row.type);
    frame.position.push_back(row.position);
    frame.image.push_back({row.image[0], row.image[1], row.image[2]});
    if (parts.velocity) frame.velocity.push_back(row.velocity);
    if (parts.force) frame.force.push_back(row.force);
  }
  if (box.is_open()) set_extent(ranks, frame);
  return frame;
}

}  // namespace nanoday
