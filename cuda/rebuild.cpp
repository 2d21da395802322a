// Lattice shifts that ghosts need, and checks of sizes: host code of rebuilds.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/rebuild.hpp"

#include "core/error.hpp"

namespace nanoday::NANODAY_GPU {

std::vector<double> shift_rows(const Box& box, const ImageReach& reach) {
  std::vector<double> rows;
  for (const auto& [a, b, c] : reach.shifts) {
    const Vec3 x = box.translation(a, b, c);
    rows.insert(rows.end(), {double(a), double(b), double(c), x.x, x.y, x.z});
  }
  return rows;
}

void check_index_range(std::int64_t nall) {
  // Loops run a warp beyond the last atom.
  require_run(nall < 0x7fffffff - 64, "{} atoms and ghosts on one rank (more than 2^31 - 1); use more ranks",
              nall);
}

}  // namespace nanoday::NANODAY_GPU
