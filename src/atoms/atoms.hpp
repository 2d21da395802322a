// What matter is: positions, velocities, types of the atoms owned here, followed by their ghosts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "core/view.hpp"

#include <array>
#include <cstdint>

namespace nanoday {

/// Atoms in structure-of-arrays layout. Local atoms come first, ghosts (copies owned elsewhere, or
/// periodic images) after them; arrays marked (nall) hold both, arrays marked (nlocal) only local atoms.
/// The order in memory is a spatial one; `id` tells which atom of the input each one is.
struct Atoms {
  std::int64_t nlocal = 0;                   ///< owned atoms
  std::int64_t nghost = 0;                   ///< copies; nall = nlocal + nghost
  Array<Vec4> position;                      ///< (nall) [Å]
  Array<std::int32_t> type;                  ///< (nall) model type index
  Array<std::int64_t> id;                    ///< (nall) zero-based index in the input
  Array<Vec4> velocity;                      ///< (nlocal) [Å/ps]
  Array<double> mass;                        ///< (nlocal) [u]
  Array<std::array<std::int32_t, 3>> image;  ///< (nlocal) unwrapped = position + image · cell

  std::int64_t nall() const { return nlocal + nghost; }
};

}  // namespace nanoday
