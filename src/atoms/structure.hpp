// One frame as a file gives it: a box, named species, positions; not yet tied to a model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/box.hpp"
#include "core/vec3.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace nanoday {

/// A structure in input order. Species are the file's kinds of atoms: elements by name where the file
/// says so (empty name where it does not, e.g. a data file without comments and with ambiguous masses).
struct Structure {
  std::string source;  ///< file (and frame) it came from, for messages
  Box box;
  std::vector<std::string> species_name;  ///< (n_species) element names, "" when the file gives none
  std::vector<double> species_mass;       ///< (n_species) [u], 0 when the file gives none
  std::vector<std::int32_t> species;      ///< (natoms) index into species_name
  std::vector<Vec3> position;             ///< (natoms) [Å], as in the file (may lie outside the box)
  std::vector<Vec3> velocity;             ///< (natoms) [Å/ps], empty when the file has none
  std::vector<std::array<int, 3>> image;  ///< (natoms) lattice images, empty when the file has none
  std::vector<double> charge;             ///< (natoms) [e], empty when the file has none
  std::vector<std::int64_t> id;           ///< (natoms) the file's own atom ids (1-based in data files)
  /// Bonded pairs of atoms (indices, 0 … natoms − 1), which tell virtual atoms; gone after prepare_for().
  std::vector<std::array<std::int64_t, 2>> bond;
  /// Names the user gave, when these are fewer than a file with bonds has types: those of the types that are
  /// not virtual, in order. prepare_for() hands them out, since only a model shows which types are virtual.
  std::vector<std::string> real_names;

  std::size_t natoms() const { return position.size(); }
};

}  // namespace nanoday
