// What the parts of a rebuild share: bounds of all atoms, room for orders, lattice shifts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/image_reach.hpp"
#include "cuda/neighbor_list.hpp"

#include <cstdint>
#include <vector>

namespace nanoday::NANODAY_GPU {

/// Axis-aligned box around positions; low > high when there are none.
struct Bounds {
  Vec3 low{1e300, 1e300, 1e300}, high{-1e300, -1e300, -1e300};
};

/// Bounds of n positions in device memory; waits for them.
Bounds bounds_of(Stream& stream, RebuildWork& work, const Vec4* position, std::int64_t n);

/// A lattice shift: in units of the cell vectors, and as a vector [Å].
struct Shift {
  double n[3], vector[3];
};

/// The reach's translations as rows of Shift.
std::vector<double> shift_rows(const Box& box, const ImageReach& reach);

/// Throws RunError when that many atoms and ghosts cannot be numbered with 32 bits.
void check_index_range(std::int64_t nall);

/// Room for n keys and values, sorted and not.
inline void size_orders(RebuildWork& work, std::int64_t n) {
  work.key.resize(n);
  work.key_sorted.resize(n);
  work.order.resize(n);
  work.order_sorted.resize(n);
}

}  // namespace nanoday::NANODAY_GPU
