// One moment of a run, in the input's order: what trajectories are written from.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/box.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace nanoday {

/// Which arrays a frame carries besides positions.
struct FrameParts {
  bool velocity = false;
  bool force = false;
};

/// A snapshot, or one rank's share of it: row i belongs to atom first + i of the input.
struct Frame {
  std::int64_t step = 0;
  double time = 0;  ///< [ps]
  Box box;
  Vec3 low, high;                ///< extent of all atoms [Å]; read where the box is open
  std::optional<double> energy;  ///< potential energy [eV], when known
  std::int64_t natoms = 0;       ///< of the whole snapshot
  FrameParts parts;              ///< what the files show

  std::int64_t first = 0;
  std::vector<std::int32_t> species;      ///< (rows) index into TrajectoryLabels::species_name
  std::vector<Vec3> position;             ///< (rows) [Å], inside the box along periodic directions
  std::vector<std::array<int, 3>> image;  ///< (rows) unwrapped = position + image · cell
  std::vector<Vec3> velocity;             ///< (rows) [Å/ps]; empty unless parts.velocity
  std::vector<Vec3> force;                ///< (rows) [eV/Å]; empty unless parts.force
};

}  // namespace nanoday
