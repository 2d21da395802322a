// Copies of a structure side by side.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "io/structure_file.hpp"

#include <algorithm>

namespace nanoday {
namespace {

constexpr std::int64_t k_most_atoms = 2'000'000'000;

template <class T>
void repeat(std::vector<T>& values, std::size_t copies) {
  const std::vector<T> one = values;
  for (std::size_t k = 1; k < copies; ++k) values.insert(values.end(), one.begin(), one.end());
}

void check_replication(const Structure& structure, const std::array<int, 3>& n) {
  std::int64_t natoms = static_cast<std::int64_t>(structure.natoms());
  for (std::size_t d = 0; d < 3; ++d) {
    require(n[d] >= 1, "replication {} {} {} is impossible (each number counts copies); use 1 or more", n[0],
            n[1], n[2]);
    require(n[d] == 1 || structure.box.periodic[d],
            "{}: cannot be replicated along {} (the box does not repeat there); use 1 for that direction",
            structure.source, "abc"[d]);
    require(natoms <= k_most_atoms / n[d], "{}: {} x {} x {} copies are more than {} atoms; use fewer",
            structure.source, n[0], n[1], n[2], k_most_atoms);
    natoms *= n[d];
  }
}

int floor_divide(int a, int n) { return a >= 0 ? a / n : -((-a + n - 1) / n); }

}  // namespace

Structure replicate(const Structure& structure, int nx, int ny, int nz) {
  const std::array<int, 3> n{nx, ny, nz};
  check_replication(structure, n);
  Structure out = structure;
  if (n == std::array<int, 3>{1, 1, 1}) return out;
  out.bond.clear();  // those across a face would join other copies
  for (std::size_t d = 0; d < 3; ++d) out.box.cell[d] = double(n[d]) * structure.box.cell[d];

  const std::size_t natoms = structure.natoms();
  const std::size_t copies = static_cast<std::size_t>(nx) * ny * nz;
  repeat(out.species, copies);
  repeat(out.velocity, copies);
  repeat(out.charge, copies);
  repeat(out.position, copies);
  repeat(out.image, copies);
  repeat(out.id, copies);
  const std::int64_t last_id =
      out.id.empty() ? 0 : *std::max_element(structure.id.begin(), structure.id.end());

  std::size_t first = 0;
  for (std::int64_t copy = 0; copy < static_cast<std::int64_t>(copies); ++copy, first += natoms) {
    const std::array<int, 3> place{static_cast<int>(copy % nx), static_cast<int>(copy / nx % ny),
                                   static_cast<int>(copy / nx / ny)};
    for (std::size_t i = 0; i < natoms; ++i) {
      std::array<int, 3> shift = place;
      // An atom that has left its small box sits image·cell further: count that in large boxes, and put
      // what remains into the position, so that molecules stay whole.
      for (std::size_t d = 0; d < 3 && !out.image.empty(); ++d) {
        const int total = structure.image[i][d] + place[d];
        out.image[first + i][d] = floor_divide(total, n[d]);
        shift[d] = total - n[d] * out.image[first + i][d];
      }
      out.position[first + i] =
          structure.position[i] + structure.box.translation(shift[0], shift[1], shift[2]);
      if (!out.id.empty()) out.id[first + i] = structure.id[i] + copy * last_id;
    }
  }
  return out;
}

}  // namespace nanoday
