// Which lattice translations bring copies of a box's contents within a cutoff of it.
// SPDX-License-Identifier: Apache-2.0
#include "core/image_reach.hpp"

#include "core/error.hpp"

#include <cmath>
#include <limits>

namespace nanoday {
namespace {

/// A layer that no fractional coordinate leaves: stands for "as far as you like".
constexpr double k_everywhere = std::numeric_limits<double>::infinity();

std::vector<std::array<int, 3>> shifts_of(const std::array<int, 3>& images) {
  std::vector<std::array<int, 3>> shifts;
  for (int a = -images[0]; a <= images[0]; ++a)
    for (int b = -images[1]; b <= images[1]; ++b)
      for (int c = -images[2]; c <= images[2]; ++c)
        if (a != 0 || b != 0 || c != 0) shifts.push_back({a, b, c});
  return shifts;
}

}  // namespace

ImageReach image_reach(const Box& box, double cutoff, std::int64_t natoms) {
  require(box.volume() > 0,
          "the periodic box has zero volume (its three cell vectors lie in a plane); give a box "
          "with three independent cell vectors");
  const Vec3 h = box.heights();
  const std::array<double, 3> heights{h.x, h.y, h.z};
  ImageReach reach;
  double copies = 1;
  for (int d = 0; d < 3; ++d) {
    reach.fraction[d] = box.periodic[d] ? cutoff / heights[d] : k_everywhere;
    if (box.periodic[d]) copies *= 1 + 2 * reach.fraction[d];
  }
  // Atom indices are 32-bit: refuse before counting, a box of 1e-3 Å would ask for billions of images.
  require(
      copies * double(natoms) < 2e9,
      "the box is too small for the cutoff ({} atoms would need {:.3g} images within {} Å); check the cell "
      "vectors and their unit",
      natoms, copies * double(natoms), cutoff);
  std::array<int, 3> images{};
  for (int d = 0; d < 3; ++d)
    if (box.periodic[d]) images[d] = static_cast<int>(std::floor(reach.fraction[d])) + 1;
  reach.shifts = shifts_of(images);
  return reach;
}

}  // namespace nanoday
