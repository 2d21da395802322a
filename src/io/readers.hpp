// One reader per structure format; read_structures() picks among them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/structure.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// What a reader of a text format gets.
struct ReaderInput {
  std::string path;                     ///< for messages
  std::string_view text;                ///< the whole file
  std::vector<std::string> user_names;  ///< --types; empty when not given
};

// Each reader throws InputError with file and line on anything malformed. Structures come out with atoms in
// file order; species_mass holds only what the file gives.

/// LAMMPS data file in "metal" units (or "real", when its title says so); see lammps_data.cpp.
Structure read_lammps_data(const ReaderInput& input);
/// Extended or plain XYZ, all frames; see extxyz.cpp.
std::vector<Structure> read_extxyz(const ReaderInput& input);
/// VASP POSCAR or CONTCAR; see poscar.cpp.
Structure read_poscar(const ReaderInput& input);
/// DeePMD-kit's folder of npy files, all frames; see deepmd_folder.cpp.
std::vector<Structure> read_deepmd_folder(const std::string& folder,
                                          const std::vector<std::string>& user_names);

/// What read_structures() makes of a file's text: recognises the format, reads, adds masses from the element
/// table, and refuses structures nothing can be computed for (check_structure.hpp); overlaps of structures
/// with bonds are left to prepare_for().
std::vector<Structure> read_structure_text(const ReaderInput& input);

}  // namespace nanoday
