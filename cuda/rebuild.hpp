// What the parts of a rebuild share: bounds of all atoms, room for orders, lattice shifts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/neighbor_list.hpp"

#include <array>
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
inline constexpr std::size_t k_shift_numbers = sizeof(Shift) / sizeof(double);

/// How far ghosts reach beyond the unit cell, and which images that takes.
struct GhostReach {
  std::array<double, 3> fraction{};  ///< in fractional coordinates; infinite where the box does not repeat
  std::vector<double> shifts;        ///< rows of Shift in a fixed order, the atoms' own place left out
};

/// Throws InputError for boxes without volume or too small to count images.
GhostReach ghost_reach(const Box& box, double cutoff, std::int64_t nlocal);

/// Throws RunError when that many atoms and ghosts cannot be numbered with 32 bits.
void check_index_range(std::int64_t nall);

/// Room for n keys and values, sorted and not.
inline void size_orders(RebuildWork& work, std::int64_t n) {
  work.key.resize(n);
  work.key_sorted.resize(n);
  work.order.resize(n);
  work.order_sorted.resize(n);
}

/// Replica numbers, or null when there is one replica: they need not be read then.
inline const std::int32_t* replicas(const DeviceAtoms& atoms) {
  return atoms.n_replicas > 1 ? atoms.replica.data() : nullptr;
}

}  // namespace nanoday::NANODAY_GPU
