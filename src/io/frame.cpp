// One moment of a run, in the input's order.
// SPDX-License-Identifier: Apache-2.0
#include "io/frame.hpp"

namespace nanoday {

Frame gather_frame(const Box& box, const Atoms& atoms, const Forces& forces, FrameParts parts) {
  const auto natoms = static_cast<std::size_t>(atoms.nlocal);
  Frame frame;
  frame.box = box;
  frame.position.resize(natoms);
  frame.image.resize(natoms);
  if (parts.velocity) frame.velocity.resize(natoms);
  if (parts.force) frame.force.resize(natoms);
  for (std::size_t i = 0; i < natoms; ++i) {
    const auto row = static_cast<std::size_t>(atoms.id[i]);
    Vec3 x = xyz(atoms.position[i]);
    const std::array<int, 3> crossed = wrap(box, x);
    frame.position[row] = x;
    for (std::size_t d = 0; d < 3; ++d) frame.image[row][d] = atoms.image[i][d] + crossed[d];
    if (parts.velocity) frame.velocity[row] = xyz(atoms.velocity[i]);
    if (parts.force) frame.force[row] = xyz(forces.force[i]);
  }
  return frame;
}

}  // namespace nanoday
