// Candidates of a neighbor list that lie within the cutoff.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/pack.hpp"
#include "cpu/kernels/kernel_set.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// Keeps candidates with |r|² < r_c², order preserved. Returns how many; writes up to a vector beyond the
/// last kept. Positions are rows of four, copied to where structure loads find them in order and make vectors
/// of x, y and z: a gather asks the cache once per number, 24 times for eight atoms, the copies 16 times.
template <class Real>
int filter(const BatchArgs& args, Vec4 centre, std::int64_t begin, std::int64_t end, double rcut2,
           NeighborBlock<Real>& n, std::int64_t first) {
  double* const rows = n.g.data();  // room for this segment, and not in use yet
  const std::int64_t count = end - begin;
  const std::int32_t* const candidate = args.index + begin;
#pragma GCC unroll 4
  for (std::int64_t c = 0; c < count; ++c)
    store_row4(rows + 4 * c, load_row4(&args.position[candidate[c]].x));
  double *dx = n.dx.data() + first, *dy = n.dy.data() + first, *dz = n.dz.data() + first, *r2 = n.r2.data();
  std::int32_t* index = n.index.data() + first;
  int kept = 0;
  for (std::int64_t c = 0; c < count; c += k_lanes<double>) {
    Vec<double> r[4];
    load_rows4(rows + 4 * c, r);
    const Vec<double> x = r[0] - centre.x, y = r[1] - centre.y, z = r[2] - centre.z;
    const Vec<double> d2 = x * x + y * y + z * z;
    const Lanes near = lanes_below(d2, rcut2, count - c);
    keep_lanes(near, candidate + c, index + kept);
    keep_lanes(near, x, dx + kept);
    keep_lanes(near, y, dy + kept);
    keep_lanes(near, z, dz + kept);
    keep_lanes(near, d2, r2 + kept);
    kept += count_lanes(near);
  }
  return kept;
}

}  // namespace nanoday::cpu::NANODAY_ISA
