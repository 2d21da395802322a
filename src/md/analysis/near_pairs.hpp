// All pairs of atoms within a distance, each once, nearest images.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/box.hpp"
#include "core/view.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

namespace nanoday {

/// Fractional coordinates within 0 … 1, sorted into cells of the box at least r_max high. Only cells with
/// atoms are kept, so that a rank's memory is that of its atoms and not of the box.
class FractionCells {
 public:
  FractionCells(const Box& box, View<const Vec3> position, double r_max) : box_(box), r_max2_(r_max * r_max) {
    constexpr std::size_t k_few_atoms = 2000;  // below, all pairs cost less than sorting is worth
    constexpr double k_most_cells = 1 << 20;   // per direction: numbers of cells fit into 60 bits
    const Vec3 h = box.heights();
    const std::array<double, 3> height{h.x, h.y, h.z};
    const double least = r_max * (1 + 1e-9);  // so that rounding never parts a pair by two cells
    for (std::size_t d = 0; d < 3; ++d)
      n_[d] = static_cast<std::int64_t>(std::clamp(std::floor(height[d] / least), 1.0, k_most_cells));
    // With fewer than three cells a direction's neighbors below and above are the same cell.
    if (position.size() < k_few_atoms || n_[0] < 3 || n_[1] < 3 || n_[2] < 3) n_ = {1, 1, 1};
    sort(position);
  }

  /// Calls visit(i, j, distance²) for each pair nearer than r_max; i, j are positions in the array.
  template <class Visit>
  void for_each_pair(Visit&& visit) const {
    const bool one_cell = n_[0] == 1;
    for (std::size_t c = 0; c + 1 < cells_.size(); ++c) {
      const Range own = range(c);
      if (one_cell) {
        for (std::size_t i = own.begin; i < own.end; ++i) visit_range(i, i + 1, own.end, visit);
        continue;
      }
      const std::array<std::int64_t, 3> cell = cell_of(fraction_[own.begin]);
      for (int a = -1; a <= 1; ++a)
        for (int b = -1; b <= 1; ++b)
          for (int k = -1; k <= 1; ++k) {
            const Range near =
                find(number({around(cell[0] + a, 0), around(cell[1] + b, 1), around(cell[2] + k, 2)}));
            for (std::size_t i = own.begin; i < own.end; ++i)
              visit_range(i, std::max(i + 1, near.begin), near.end, visit);
          }
    }
  }

 private:
  struct Cell {
    std::int64_t number;
    std::size_t begin;
  };
  struct Range {
    std::size_t begin = 0, end = 0;
  };

  std::array<std::int64_t, 3> cell_of(Vec3 f) const {
    return {static_cast<std::int64_t>(f.x * static_cast<double>(n_[0])),
            static_cast<std::int64_t>(f.y * static_cast<double>(n_[1])),
            static_cast<std::int64_t>(f.z * static_cast<double>(n_[2]))};
  }
  std::int64_t number(const std::array<std::int64_t, 3>& c) const {
    return (c[0] * n_[1] + c[1]) * n_[2] + c[2];
  }
  std::int64_t around(std::int64_t c, std::size_t d) const {
    return c < 0 ? c + n_[d] : c >= n_[d] ? c - n_[d] : c;
  }
  Range range(std::size_t c) const { return {cells_[c].begin, cells_[c + 1].begin}; }
  /// Atoms of a cell; none when it is not kept.
  Range find(std::int64_t number) const {
    const auto before = [](const Cell& cell, std::int64_t wanted) { return cell.number < wanted; };
    const auto found = std::lower_bound(cells_.begin(), cells_.end() - 1, number, before);
    if (found == cells_.end() - 1 || found->number != number) return {};
    return range(static_cast<std::size_t>(found - cells_.begin()));
  }

  /// x − ⌊x⌋, below 1 also when x is a tiny negative number.
  static double within(double x) {
    const double f = x - std::floor(x);
    return f < 1 ? f : 0;
  }
  /// Nearest image of a difference of numbers within 0 … 1.
  static double nearest(double x) { return x - (x > 0.5 ? 1.0 : 0.0) + (x < -0.5 ? 1.0 : 0.0); }

  void sort(View<const Vec3> position) {
    struct Key {
      std::int64_t cell;
      std::size_t atom;
    };
    std::vector<Vec3> fraction;
    std::vector<Key> key;
    for (const Vec3& x : position) {
      const Vec3 f = box_.fractional(x);
      fraction.push_back({within(f.x), within(f.y), within(f.z)});
      key.push_back({number(cell_of(fraction.back())), key.size()});
    }
    std::sort(key.begin(), key.end(), [](const Key& a, const Key& b) {
      return a.cell != b.cell ? a.cell < b.cell : a.atom < b.atom;
    });
    for (const Key& k : key) {
      if (cells_.empty() || cells_.back().number != k.cell) cells_.push_back({k.cell, atom_.size()});
      fraction_.push_back(fraction[k.atom]);
      atom_.push_back(k.atom);
    }
    cells_.push_back({-1, atom_.size()});
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
  std::array<std::int64_t, 3> n_{1, 1, 1};
  std::vector<Vec3> fraction_;     ///< (natoms) in cell order
  std::vector<std::size_t> atom_;  ///< (natoms) which atom that is
  std::vector<Cell> cells_;        ///< with atoms, in order of their numbers; then one that marks the end
};

/// Calls visit(i, j, distance²) once for every pair of positions nearer than r_max. distance² has the same
/// bits whichever of the two comes first, and whatever other positions there are. \pre the box repeats in all
/// directions and r_max is at most half its smallest height: a displacement that short has fractional
/// components within ±1/2, so rounding those finds it also in tilted boxes.
template <class Visit>
void for_each_near_pair(const Box& box, View<const Vec3> position, double r_max, Visit&& visit) {
  FractionCells(box, position, r_max).for_each_pair(visit);
}

}  // namespace nanoday
