// Refuses structures nothing can be computed for: no atoms, no volume, atoms on top of each other.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/structure.hpp"

namespace nanoday {

/// Closest two atoms (or an atom and its own image) may be [Å].
inline constexpr double k_overlap_distance = 0.05;

/// Throws InputError when there are no atoms, a coordinate or the volume is not usable, or the box is thinner
/// than k_overlap_distance.
void check_extent(const Structure& structure);

/// Throws InputError naming two atoms (file's ids) closer than k_overlap_distance, periodic images included.
/// \pre check_extent() passed. Cost: n log n for n atoms.
void check_overlaps(const Structure& structure);

/// check_extent() and check_overlaps().
void check_structure(const Structure& structure);

}  // namespace nanoday
