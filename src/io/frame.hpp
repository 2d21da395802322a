// One moment of a run, in the input's order: what trajectories are written from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "atoms/forces.hpp"
#include "core/box.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace nanoday {

/// A snapshot. Row i belongs to atom i of the input.
struct Frame {
  std::int64_t step = 0;
  double time = 0;  ///< [ps]
  Box box;
  std::vector<Vec3> position;             ///< (natoms) [Å], inside the box along periodic directions
  std::vector<std::array<int, 3>> image;  ///< (natoms) unwrapped = position + image · cell
  std::vector<Vec3> velocity;             ///< (natoms) [Å/ps], or empty: not written
  std::vector<Vec3> force;                ///< (natoms) [eV/Å], or empty: not written
  std::optional<double> energy;           ///< potential energy [eV], when known
};

/// Which arrays a frame carries besides positions.
struct FrameParts {
  bool velocity = false;
  bool force = false;
};

/// Puts local atoms, which lie in memory in any order, into the input's order and into the box.
/// \param forces (nlocal or more) forces.force in the atoms' order; read only when parts.force
/// \pre atom ids are a permutation of 0 … nlocal − 1. Step, time and energy are left to the caller.
Frame gather_frame(const Box& box, const Atoms& atoms, const Forces& forces, FrameParts parts);

}  // namespace nanoday
