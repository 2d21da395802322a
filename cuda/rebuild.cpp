// Lattice shifts that ghosts need, and checks of sizes: host code of rebuilds.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/rebuild.hpp"

#include "core/error.hpp"

#include <cmath>
#include <limits>

namespace nanoday::NANODAY_GPU {
namespace {

/// Shifts up to `images` cells away along each direction.
std::vector<double> shifts_of(const Box& box, const std::array<int, 3>& images) {
  std::vector<double> shifts;
  for (int a = -images[0]; a <= images[0]; ++a)
    for (int b = -images[1]; b <= images[1]; ++b)
      for (int c = -images[2]; c <= images[2]; ++c) {
        if (a == 0 && b == 0 && c == 0) continue;
        const Vec3 x = box.translation(a, b, c);
        shifts.insert(shifts.end(), {double(a), double(b), double(c), x.x, x.y, x.z});
      }
  return shifts;
}

}  // namespace

GhostReach ghost_reach(const Box& box, double cutoff, std::int64_t nlocal) {
  require(box.volume() > 0,
          "the periodic box has zero volume (its three cell vectors lie in a plane); give a box "
          "with three independent cell vectors");
  const Vec3 h = box.heights();
  const std::array<double, 3> heights{h.x, h.y, h.z};
  GhostReach reach;
  double copies = 1;
  for (int d = 0; d < 3; ++d) {
    reach.fraction[d] = box.periodic[d] ? cutoff / heights[d] : std::numeric_limits<double>::infinity();
    if (box.periodic[d]) copies *= 1 + 2 * reach.fraction[d];
  }
  // Atom indices are 32-bit: refuse before counting, a box of 1e-3 Å would ask for billions of images.
  require(
      copies * double(nlocal) < 2e9,
      "the box is too small for the cutoff ({} atoms would need {:.3g} images within {} Å); check the cell "
      "vectors and their unit",
      nlocal, copies * double(nlocal), cutoff);
  std::array<int, 3> images{};
  for (int d = 0; d < 3; ++d)
    if (box.periodic[d]) images[d] = static_cast<int>(std::floor(reach.fraction[d])) + 1;
  reach.shifts = shifts_of(box, images);
  return reach;
}

void check_index_range(std::int64_t nall) {
  // Loops run a warp beyond the last atom.
  require_run(nall < 0x7fffffff - 64, "{} atoms and ghosts on one rank (more than 2^31 - 1); use more ranks",
              nall);
}

}  // namespace nanoday::NANODAY_GPU
