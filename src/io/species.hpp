// What the species of a file are called, and how heavy they are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/structure.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// Most kinds of atoms a file may declare.
inline constexpr std::int64_t k_max_species = 10000;

/// True when `name` can name a species: letters, digits, "_", "-", "+", "." and at most 32 of them.
bool is_species_name(std::string_view name);

/// True when every species that has atoms has a name.
bool all_named(const Structure& structure);

/// Names species of a file that numbers them. A name comes from the user, else from the file, else from the
/// mass when that fits exactly one element that no other species has; otherwise it stays empty.
/// \param file_names   (n_species) names in the file, "" where there is none
/// \param user_names   (n_species) or empty; fewer where there are bonds: then they become
/// structure.real_names
///                     and the species are named as if there were none
/// \pre species_mass has n_species entries. Throws InputError when the counts differ, a name is malformed,
/// or the masses show that the names are interchanged.
void name_numbered_species(Structure& structure, const std::vector<std::string>& file_names,
                           const std::vector<std::string>& user_names);

/// Checks the user's names against a file that names its species itself: each must be among them.
void check_named_species(const Structure& structure, const std::vector<std::string>& user_names);

/// Index of a species by name, appended when new (for files whose atoms carry names).
std::int32_t species_index(Structure& structure, std::string_view name);

/// Sets masses the file does not give from the element table; species that are no element keep 0.
void complete_masses(Structure& structure);

/// Masses of all species [u]. Throws InputError naming a species that has atoms but no mass.
std::vector<double> species_masses(const Structure& structure);

}  // namespace nanoday
