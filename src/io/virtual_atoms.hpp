// Fits a structure to a model: virtual Wannier atoms of LAMMPS data files go, charges are compared.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/structure.hpp"
#include "model/model.hpp"

#include <vector>

namespace nanoday {

/// Farthest a virtual atom may sit from its host [Å].
inline constexpr double k_farthest_virtual = 1;
/// Largest difference between a charge in the file and in the model [e].
inline constexpr double k_charge_tolerance = 1e-6;

/// The structure as the model can use it: what every frame must go through after reading, before
/// replicate() and bind_types(). For a DPLR model drop_virtual_atoms(); bonds are then forgotten, and
/// overlaps that reading could not judge are refused. Throws InputError, also when a model without long-range
/// part is given a file with virtual atoms.
Structure prepare_for(const Model& model, Structure structure);

/// Without the virtual atoms LAMMPS needs for its DPLR (spec dplr.md 2.1), which are checked before: each
/// bonded to one atom of a selected type, within k_farthest_virtual of it, every such atom having exactly
/// one. Virtual species leave the list of species, those left get their names; order and ids of real atoms
/// are kept. Charges of a file that gives any other than 0 must agree with the model's, virtual atoms or not.
/// Throws InputError naming the atoms. \pre model.dipole_charge
Structure drop_virtual_atoms(const Structure& structure, const Model& model);

/// Which species are virtual atoms of a DPLR file (n_species flags). A species is when its atoms carry a
/// Wannier charge, or when the model does not know it and each of its atoms is bonded to another atom of a
/// selected type. With a model without long-range part: unknown species bonded one to one to known ones.
std::vector<char> find_virtual_species(const Structure& structure, const Model& model);

/// True when the file gives charges: a column of them that are not all 0.
bool gives_charges(const Structure& structure);

}  // namespace nanoday
