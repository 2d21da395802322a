// Ordering of neighbor candidates by atom number, which does not depend on how atoms are stored.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/atoms.hpp"

#include <cstdint>

namespace nanoday::NANODAY_GPU {

/// Sorts index[offset[s]] … index[offset[s + 1] − 1] of every segment s by (id, x, y, z).
void sort_segments(Stream& stream, const DeviceAtoms& atoms, std::int64_t segments,
                   const std::int64_t* offset, std::int32_t* index);

}  // namespace nanoday::NANODAY_GPU
