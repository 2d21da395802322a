// Which lattice translations bring copies of a box's contents within a cutoff of it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/box.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace nanoday {

/// How far copies reach beyond the unit cell, and the translations that takes.
struct ImageReach {
  std::array<double, 3> fraction{};  ///< in fractional coordinates; infinite where the box does not repeat
  std::vector<std::array<int, 3>> shifts;  ///< in a fixed order, the contents' own place left out
};

/// \param natoms atoms in the box; Throws InputError for boxes without volume, or too small to count images.
ImageReach image_reach(const Box& box, double cutoff, std::int64_t natoms);

}  // namespace nanoday
