// All pairs of local atoms within a distance, each once, nearest images.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "core/box.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

namespace nanoday {

/// Atoms' fractional coordinates within 0 … 1, sorted into cells of the box at least r_max high.
class FractionCells {
 public:
  FractionCells(const Box& box, const Atoms& atoms, double r_max) : box_(box), r_max2_(r_max * r_max) {
    constexpr std::int64_t k_few_atoms = 2000;  // below, all pairs cost less than sorting is worth
    const Vec3 h = box.heights();
    const std::array<double, 3> height{h.x, h.y, h.z};
    for (std::size_t d = 0; d < 3; ++d)
      n_[d] = static_cast<int>(std::clamp(std::floor(height[d] / r_max), 1.0, 256.0));
    // With fewer than three cells a direction's neighbors below and above are the same cell.
    if (atoms.nlocal < k_few_atoms || n_[0] < 3 || n_[1] < 3 || n_[2] < 3) n_ = {1, 1, 1};
    sort(atoms);
  }

  /// Calls visit(i, j, distance²) for each pair nearer than r_max; i, j are positions in the atoms' arrays.
  template <class Visit>
  void for_each_pair(Visit&& visit) const {
    const bool one_cell = n_[0] == 1;
    for (std::size_t i = 0; i < fraction_.size(); ++i) {
      if (one_cell) {
        visit_range(i, i + 1, fraction_.size(), visit);
        continue;
      }
      const std::array<int, 3> cell = cell_of(fraction_[i]);
      for (int a = -1; a <= 1; ++a)
        for (int b = -1; b <= 1; ++b)
          for (int c = -1; c <= 1; ++c) {
            const std::size_t near =
                index({around(cell[0] + a, 0), around(cell[1] + b, 1), around(cell[2] + c, 2)});
            visit_range(i, std::max(i + 1, start_[near]), start_[near + 1], visit);
          }
    }
  }

 private:
  std::array<int, 3> cell_of(Vec3 f) const {
    return {static_cast<int>(f.x * n_[0]), static_cast<int>(f.y * n_[1]), static_cast<int>(f.z * n_[2])};
  }
  std::size_t index(const std::array<int, 3>& c) const {
    return (static_cast<std::size_t>(c[0]) * n_[1] + c[1]) * n_[2] + c[2];
  }
  int around(int c, std::size_t d) const { return c < 0 ? c + n_[d] : c >= n_[d] ? c - n_[d] : c; }

  /// x − ⌊x⌋, below 1 also when x is a tiny negative number.
  static double within(double x) {
    const double f = x - std::floor(x);
    return f < 1 ? f : 0;
  }
  /// Nearest image of a difference of numbers within 0 … 1.
  static double nearest(double x) { return x - (x > 0.5 ? 1.0 : 0.0) + (x < -0.5 ? 1.0 : 0.0); }

  void sort(const Atoms& atoms) {
    const auto natoms = static_cast<std::size_t>(atoms.nlocal);
    std::vector<Vec3> fraction(natoms);
    start_.assign(static_cast<std::size_t>(n_[0]) * n_[1] * n_[2] + 1, 0);
    for (std::size_t i = 0; i < natoms; ++i) {
      const Vec3 f = box_.fractional(xyz(atoms.position[i]));
      fraction[i] = {within(f.x), within(f.y), within(f.z)};
      ++start_[index(cell_of(fraction[i])) + 1];
    }
    std::partial_sum(start_.begin(), start_.end(), start_.begin());
    std::vector<std::size_t> next(start_.begin(), start_.end() - 1);
    fraction_.resize(natoms);
    atom_.resize(natoms);
    for (std::size_t i = 0; i < natoms; ++i) {
      const std::size_t at = next[index(cell_of(fraction[i]))]++;
      fraction_[at] = fraction[i];
      atom_[at] = i;
    }
  }

  template <class Visit>
  void visit_range(std::size_t i, std::size_t first, std::size_t last, Visit& visit) const {
    const Vec3 fi = fraction_[i];
    const auto& [a, b, c] = box_.cell;
    for (std::size_t j = first; j < last; ++j) {
      const Vec3 f = fraction_[j] - fi;
      const Vec3 d = nearest(f.x) * a + nearest(f.y) * b + nearest(f.z) * c;
      const double distance2 = dot(d, d);
      if (distance2 < r_max2_) visit(atom_[i], atom_[j], distance2);
    }
  }

  const Box& box_;
  double r_max2_;
  std::array<int, 3> n_{1, 1, 1};
  std::vector<Vec3> fraction_;      ///< (natoms) in cell order
  std::vector<std::size_t> atom_;   ///< (natoms) which atom that is
  std::vector<std::size_t> start_;  ///< (n_cells + 1)
};

/// Calls visit(i, j, distance²) once for every pair of local atoms nearer than r_max.
/// \pre the box repeats in all directions and r_max is at most half its smallest height: a displacement that
/// short has fractional components within ±1/2, so rounding those finds it also in tilted boxes.
template <class Visit>
void for_each_near_pair(const Box& box, const Atoms& atoms, double r_max, Visit&& visit) {
  FractionCells(box, atoms, r_max).for_each_pair(visit);
}

}  // namespace nanoday
