// Structures of tests as the files users write.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reference/evaluate.hpp"

#include <fmt/format.h>

#include <string>
#include <vector>

namespace nanoday::reference {

/// Extended XYZ, numbers with all digits. \param names of the types
inline std::string extxyz_text(const System& system, const std::vector<std::string>& names) {
  std::string lattice;
  for (const Vec3& side : system.box.cell) lattice += fmt::format(" {} {} {}", side.x, side.y, side.z);
  std::string text = fmt::format("{}\nLattice=\"{}\" Properties=species:S:1:pos:R:3 pbc=\"T T T\"\n",
                                 system.position.size(), lattice.substr(1));
  for (std::size_t i = 0; i < system.position.size(); ++i) {
    const Vec3 x = system.position[i];
    text += fmt::format("{} {} {} {}\n", names.at(static_cast<std::size_t>(system.type[i])), x.x, x.y, x.z);
  }
  return text;
}

/// LAMMPS data of water for its DPLR: atom style full, one virtual atom of type 3 on every oxygen, bonded.
/// The box is orthorhombic.
inline std::string lammps_dplr_text(const System& water) {
  const std::size_t n = water.position.size();
  const auto& cell = water.box.cell;
  std::string atoms, bonds;
  std::size_t virtual_atoms = 0;
  const auto row = [&](std::size_t id, int type, double charge, Vec3 x) {
    atoms += fmt::format("{} 1 {} {} {} {} {}\n", id, type, charge, x.x, x.y, x.z);
  };
  for (std::size_t i = 0; i < n; ++i)
    row(i + 1, water.type[i] + 1, water.type[i] == 0 ? 6 : 1, water.position[i]);
  for (std::size_t i = 0; i < n; ++i) {
    if (water.type[i] != 0) continue;
    ++virtual_atoms;
    row(n + virtual_atoms, 3, -8, water.position[i]);
    bonds += fmt::format("{} 1 {} {}\n", virtual_atoms, i + 1, n + virtual_atoms);
  }
  return fmt::format(
      "water with virtual atoms\n\n{} atoms\n3 atom types\n{} bonds\n1 bond types\n"
      "0 {} xlo xhi\n0 {} ylo yhi\n0 {} zlo zhi\n\nMasses\n\n1 15.9994\n2 1.00794\n3 15.9994\n\n"
      "Atoms # full\n\n{}\nBonds\n\n{}",
      n + virtual_atoms, virtual_atoms, cell[0].x, cell[1].y, cell[2].z, atoms, bonds);
}

}  // namespace nanoday::reference
