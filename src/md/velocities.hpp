// Initial velocities: Maxwell-Boltzmann by seed and input id, without total momentum.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "transport.hpp"

#include <cstdint>

namespace nanoday {

/// Draws velocities from the Maxwell distribution, then removes the total momentum and rescales to exactly
/// `temperature` (counted with 3N − 3 degrees of freedom; a single atom keeps its momentum and counts 3).
/// The result depends on seed and ids only: sums over all ranks' atoms are exact. Collective.
/// \param ranks whose local atoms together are the system
/// \pre masses are positive.
void draw_velocities(Atoms& atoms, double temperature, std::uint64_t seed, Transport& ranks);
/// The same for a system that one rank holds.
void draw_velocities(Atoms& atoms, double temperature, std::uint64_t seed);

}  // namespace nanoday
