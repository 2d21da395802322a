// Refuses structures nothing can be computed for.
// SPDX-License-Identifier: Apache-2.0
#include "io/check_structure.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

namespace nanoday {
namespace {

/// Beyond these nothing keeps its digits: coordinates [Å], and boxes an atom may be away from its own.
constexpr double k_farthest = 1e8;
constexpr double k_farthest_image = 1e6;

bool usable(Vec3 x) {
  return std::fabs(x.x) <= k_farthest && std::fabs(x.y) <= k_farthest && std::fabs(x.z) <= k_farthest;
}

std::int64_t id_of(const Structure& structure, std::size_t i) {
  return structure.id.empty() ? static_cast<std::int64_t>(i) + 1 : structure.id[i];
}

void check_box(const Structure& structure) {
  const Box& box = structure.box;
  if (box.is_open()) return;
  require(usable(box.origin) && usable(box.cell[0]) && usable(box.cell[1]) && usable(box.cell[2]),
          "{}: the box is not finite or larger than {:g} A; correct its vectors", structure.source,
          k_farthest);
  const double volume = box.volume();
  require(std::isfinite(volume) && volume > 0,
          "{}: the box has no volume (a lattice vector is zero, or the three lie in a plane); correct its "
          "vectors",
          structure.source);
  const Vec3 h = box.heights();
  const double thinnest = std::min({h.x, h.y, h.z});
  require(
      thinnest >= k_overlap_distance,
      "{}: the box is only {:.3g} A thin (less than {} A, so atoms would meet their own images); correct its "
      "vectors",
      structure.source, thinnest, k_overlap_distance);
}

/// A box around all atoms: the structure's own, or one that just holds them when it is open.
Box surrounding_box(const Structure& structure) {
  if (!structure.box.is_open()) return structure.box;
  Vec3 low = structure.position.front(), high = low;
  for (const Vec3& x : structure.position) {
    low = {std::min(low.x, x.x), std::min(low.y, x.y), std::min(low.z, x.z)};
    high = {std::max(high.x, x.x), std::max(high.y, x.y), std::max(high.z, x.z)};
  }
  Box box = Box::orthorhombic(high.x - low.x + 1, high.y - low.y + 1, high.z - low.z + 1);
  box.origin = low;
  box.periodic = {false, false, false};
  return box;
}

/// Atoms sorted into bins of about 1 Å, of which only those that hold atoms take memory. So few atoms fit
/// into a bin without overlapping that looking through it costs a bounded time.
class Bins {
 public:
  explicit Bins(const Structure& structure) : box_(surrounding_box(structure)), wrapped_(structure.position) {
    constexpr double k_most_bins = 1 << 20;
    const Vec3 h = box_.heights();
    const std::array<double, 3> height{h.x, h.y, h.z};
    for (int d = 0; d < 3; ++d) {
      n_[d] = static_cast<std::int64_t>(std::clamp(std::floor(height[d]), 1.0, k_most_bins));
      reach_[d] = k_overlap_distance / height[d] * double(n_[d]) + 1e-6;
    }
    sorted_.reserve(wrapped_.size());
    for (std::size_t i = 0; i < wrapped_.size(); ++i) {
      wrap(box_, wrapped_[i]);
      sorted_.push_back({key(place(i).bin), i});
    }
    std::sort(sorted_.begin(), sorted_.end());
  }

  /// Calls visit(j, displacement from i to j's image) for all j ≤ i that may be within k_overlap_distance.
  template <class Visit>
  void visit_near(std::size_t i, Visit&& visit) const {
    const Place here = place(i);
    const auto low = [&](int d) { return here.within[d] < reach_[d] ? -1 : 0; };
    const auto high = [&](int d) { return here.within[d] > 1 - reach_[d] ? 1 : 0; };
    for (int a = low(0); a <= high(0); ++a)
      for (int b = low(1); b <= high(1); ++b)
        for (int c = low(2); c <= high(2); ++c)
          visit_bin(i, {here.bin[0] + a, here.bin[1] + b, here.bin[2] + c}, visit);
  }

 private:
  struct Place {
    std::array<std::int64_t, 3> bin;
    std::array<double, 3>
        within;  ///< place in the bin, 0…1; beyond that outside a direction that does not repeat
  };

  Place place(std::size_t i) const {
    const Vec3 f = box_.fractional(wrapped_[i]);
    const std::array<double, 3> fraction{f.x, f.y, f.z};
    Place out{};
    for (int d = 0; d < 3; ++d) {
      const double u = fraction[d] * double(n_[d]);
      out.bin[d] = static_cast<std::int64_t>(std::clamp(std::floor(u), 0.0, double(n_[d] - 1)));
      out.within[d] = u - double(out.bin[d]);
    }
    return out;
  }

  static std::int64_t key(const std::array<std::int64_t, 3>& bin) {
    return (bin[0] << 40) | (bin[1] << 20) | bin[2];
  }

  template <class Visit>
  void visit_bin(std::size_t i, std::array<std::int64_t, 3> bin, Visit& visit) const {
    std::array<int, 3> image{0, 0, 0};
    for (int d = 0; d < 3; ++d) {
      if (bin[d] >= 0 && bin[d] < n_[d]) continue;
      if (!box_.periodic[d]) return;
      image[d] = bin[d] < 0 ? -1 : 1;
      bin[d] -= image[d] * n_[d];
    }
    const Vec3 shift = box_.translation(image[0], image[1], image[2]);
    const bool own_bin = image == std::array<int, 3>{0, 0, 0};
    auto at = std::lower_bound(sorted_.begin(), sorted_.end(), std::pair{key(bin), std::size_t{0}});
    for (; at != sorted_.end() && at->first == key(bin) && at->second <= i; ++at)
      if (at->second != i || !own_bin) visit(at->second, wrapped_[at->second] + shift - wrapped_[i]);
  }

  Box box_;
  std::vector<Vec3> wrapped_;
  std::array<std::int64_t, 3> n_{};
  std::array<double, 3> reach_{};                             ///< k_overlap_distance in units of bins
  std::vector<std::pair<std::int64_t, std::size_t>> sorted_;  ///< (bin, atom)
};

}  // namespace

void check_extent(const Structure& structure) {
  require(structure.natoms() > 0, "{}: there are no atoms; give a structure with atoms", structure.source);
  check_box(structure);
  for (std::size_t i = 0; i < structure.natoms(); ++i) {
    const Vec3 x = structure.position[i];
    require(usable(x),
            "{}: atom {} is at ({:g}, {:g}, {:g}) A, which is not finite or beyond {:g} A; correct it",
            structure.source, id_of(structure, i), x.x, x.y, x.z, k_farthest);
    if (structure.box.is_open()) continue;
    const Vec3 f = structure.box.fractional(x);
    const double away = std::max({std::fabs(f.x), std::fabs(f.y), std::fabs(f.z)});
    require(away <= k_farthest_image, "{}: atom {} is {:.3g} box lengths away from the box; correct it",
            structure.source, id_of(structure, i), away);
  }
  for (std::size_t i = 0; i < structure.velocity.size(); ++i)
    require(usable(structure.velocity[i]),
            "{}: the velocity of atom {} is not finite or beyond {:g} A/ps; correct it", structure.source,
            id_of(structure, i), k_farthest);
}

void check_overlaps(const Structure& structure) {
  const Bins bins(structure);
  for (std::size_t i = 0; i < structure.natoms(); ++i)
    bins.visit_near(i, [&](std::size_t j, Vec3 d) {
      require(
          norm(d) >= k_overlap_distance,
          "{}: atoms {} and {} overlap (they are {:.4g} A apart{}); remove one or correct the coordinates",
          structure.source, id_of(structure, j), id_of(structure, i), norm(d),
          i == j ? ", as images of each other" : "");
    });
}

void check_structure(const Structure& structure) {
  check_extent(structure);
  check_overlaps(structure);
}

}  // namespace nanoday
