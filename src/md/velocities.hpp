// Initial velocities: Maxwell-Boltzmann by seed and input id, without total momentum.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"

#include <cstdint>

namespace nanoday {

/// Draws velocities from the Maxwell distribution, then removes the total momentum and rescales to exactly
/// `temperature` (counted with 3N − 3 degrees of freedom; a single atom keeps its momentum and counts 3).
/// The result depends on seed and ids only, given the order in memory.
/// \pre masses are positive.
void draw_velocities(Atoms& atoms, double temperature, std::uint64_t seed);

/// Takes the total momentum away: v −= Σ m v / Σ m.
void remove_momentum(Atoms& atoms);

}  // namespace nanoday
