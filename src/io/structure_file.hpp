// Reads structures: LAMMPS data, extended XYZ, POSCAR, DeePMD npy folders.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/structure.hpp"

#include <string>
#include <vector>

namespace nanoday {

/// Reads every frame of a structure file or folder; the format is recognised by name and content.
/// \param species_names names given by the user for the file's types 1, 2, … ("--types O,H"); empty: none
/// Every frame must go through prepare_for() (io/virtual_atoms.hpp) before it is replicated or bound.
/// Throws InputError with file and line on anything wrong.
std::vector<Structure> read_structures(const std::string& path,
                                       const std::vector<std::string>& species_names = {});

/// nx·ny·nz copies side by side, without bonds. \pre box periodic along replicated directions, else
/// InputError
Structure replicate(const Structure& structure, int nx, int ny, int nz);
/// Atoms first … last − 1 of these copies in their large box; the others are never made. Copies follow each
/// other, the first direction fastest.
Structure replicate(const Structure& structure, const std::array<int, 3>& copies, std::int64_t first,
                    std::int64_t last);

/// Model type of every atom, by element name (never by position). Throws InputError when a species has no
/// name, is ambiguous, or the model does not know it.
/// A model without type names takes species by --types index only when the caller passed names "0", "1", ….
std::vector<std::int32_t> bind_types(const Structure& structure, const std::vector<std::string>& type_map);

}  // namespace nanoday
