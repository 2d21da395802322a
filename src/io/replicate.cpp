// Copies of a structure side by side.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "io/structure_file.hpp"

#include <algorithm>

namespace nanoday {
namespace {

constexpr std::int64_t k_most_held = 2'000'000'000;
constexpr std::int64_t k_most_atoms = 1'000'000'000'000'000;  // ids and coordinates stay exact far beyond

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

/// Appends atom i of a copy. One that has left its small box sits image·cell further: that is counted in
/// large boxes, and what remains goes into the position, so that molecules stay whole.
void append_copy(const Structure& cell, std::size_t i, const std::array<int, 3>& n,
                 const std::array<int, 3>& place, Structure& out) {
  std::array<int, 3> shift = place, image{};
  for (std::size_t d = 0; d < 3 && !cell.image.empty(); ++d) {
    const int total = cell.image[i][d] + place[d];
    image[d] = floor_divide(total, n[d]);
    shift[d] = total - n[d] * image[d];
  }
  out.position.push_back(cell.position[i] + cell.box.translation(shift[0], shift[1], shift[2]));
  out.species.push_back(cell.species[i]);
  if (!cell.image.empty()) out.image.push_back(image);
  if (!cell.velocity.empty()) out.velocity.push_back(cell.velocity[i]);
  if (!cell.charge.empty()) out.charge.push_back(cell.charge[i]);
}

/// The parts of a structure that are not per atom.
Structure without_atoms(const Structure& structure) {
  Structure out;
  out.source = structure.source;
  out.box = structure.box;
  out.species_name = structure.species_name;
  out.species_mass = structure.species_mass;
  return out;
}

}  // namespace

Structure replicate(const Structure& structure, const std::array<int, 3>& n, std::int64_t first,
                    std::int64_t last) {
  check_replication(structure, n);
  Structure out = without_atoms(structure);
  for (std::size_t d = 0; d < 3; ++d) out.box.cell[d] = double(n[d]) * structure.box.cell[d];
  const auto natoms = static_cast<std::int64_t>(structure.natoms());
  const std::int64_t last_id =
      structure.id.empty() ? 0 : *std::max_element(structure.id.begin(), structure.id.end());
  for (std::int64_t k = first; k < last; ++k) {
    const std::int64_t copy = k / natoms;
    const auto i = static_cast<std::size_t>(k % natoms);
    append_copy(structure, i, n,
                {static_cast<int>(copy % n[0]), static_cast<int>(copy / n[0] % n[1]),
                 static_cast<int>(copy / n[0] / n[1])},
                out);
    if (!structure.id.empty()) out.id.push_back(structure.id[i] + copy * last_id);
  }
  return out;
}

Structure replicate(const Structure& structure, int nx, int ny, int nz) {
  const std::array<int, 3> n{nx, ny, nz};
  check_replication(structure, n);
  if (n == std::array<int, 3>{1, 1, 1}) return structure;
  const std::int64_t natoms = static_cast<std::int64_t>(structure.natoms()) * nx * ny * nz;
  require(natoms <= k_most_held,
          "{}: {} x {} x {} copies are {} atoms (more than {} in one place); use fewer", structure.source, nx,
          ny, nz, natoms, k_most_held);
  return replicate(structure, n, 0, natoms);
}

}  // namespace nanoday
