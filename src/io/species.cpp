// What the species of a file are called, and how heavy they are.
// SPDX-License-Identifier: Apache-2.0
#include "io/species.hpp"

#include "core/error.hpp"
#include "io/element_table.hpp"
#include "io/text.hpp"

#include <algorithm>
#include <cctype>

namespace nanoday {
namespace {

/// Guesses unnamed species by mass; a guess that would give two species one element is none.
void name_by_mass(Structure& structure) {
  auto& names = structure.species_name;
  std::vector<std::string> guess(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i].empty() && structure.species_mass[i] > 0)
      guess[i] = element_of_mass(structure.species_mass[i]).value_or("");
  std::vector<std::string> taken = names;
  taken.insert(taken.end(), guess.begin(), guess.end());
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!guess[i].empty() && std::count(taken.begin(), taken.end(), guess[i]) == 1) names[i] = guess[i];
}

/// Names given in the wrong order are recognised by the masses: type i has the mass of an element that
/// was given to another type, which has not that mass.
void refuse_interchanged(const Structure& structure) {
  const auto& names = structure.species_name;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto by_mass = element_of_mass(structure.species_mass[i]);
    if (!by_mass || names[i].empty() || *by_mass == names[i]) continue;
    bool given = false, fits = false;
    for (std::size_t j = 0; j < names.size(); ++j)
      if (names[j] == *by_mass) {
        given = true;
        fits =
            fits || structure.species_mass[j] == 0 || element_of_mass(structure.species_mass[j]) == by_mass;
      }
    require(
        !given || fits,
        "{}: type {} is called {} but has the mass of {} ({} u), a name another type has (names in the wrong "
        "order?); put the names into the order of the types",
        structure.source, i + 1, names[i], *by_mass, structure.species_mass[i]);
  }
}

}  // namespace

bool is_species_name(std::string_view name) {
  constexpr std::string_view k_extra = "_-+.";
  return !name.empty() && name.size() <= 32 && std::all_of(name.begin(), name.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || k_extra.find(c) != std::string_view::npos;
  });
}

bool all_named(const Structure& structure) {
  return std::none_of(structure.species.begin(), structure.species.end(), [&](std::int32_t s) {
    return structure.species_name[static_cast<std::size_t>(s)].empty();
  });
}

void name_numbered_species(Structure& structure, const std::vector<std::string>& file_names,
                           const std::vector<std::string>& user_names) {
  const std::size_t n = structure.species_mass.size();
  if (!user_names.empty() && user_names.size() < n && !structure.bond.empty()) {
    structure.real_names = user_names;
    return name_numbered_species(structure, file_names, {});
  }
  require(user_names.empty() || user_names.size() == n,
          "{}: --types gives {} name(s) ({}) but the file has {} type(s); give one name for each",
          structure.source, user_names.size(), printable(fmt::format("{}", fmt::join(user_names, ","))), n);
  structure.species_name = user_names.empty() ? file_names : user_names;
  for (const std::string& name : structure.species_name)
    require(name.empty() || is_species_name(name),
            "{}: '{}' cannot name a species (letters, digits and _-+. only); use the element's symbol",
            structure.source, printable(name));
  if (user_names.empty()) name_by_mass(structure);
  refuse_interchanged(structure);
}

void check_named_species(const Structure& structure, const std::vector<std::string>& user_names) {
  if (user_names.empty()) return;
  for (const std::string& name : structure.species_name)
    require(std::find(user_names.begin(), user_names.end(), name) != user_names.end(),
            "{}: the file names its atoms itself and has {}, which --types ({}) lacks; leave --types out or "
            "correct it",
            structure.source, name, printable(fmt::format("{}", fmt::join(user_names, ","))));
}

std::int32_t species_index(Structure& structure, std::string_view name) {
  auto& names = structure.species_name;
  const auto at = std::find(names.begin(), names.end(), name);
  if (at != names.end()) return static_cast<std::int32_t>(at - names.begin());
  names.emplace_back(name);
  structure.species_mass.push_back(0);
  return static_cast<std::int32_t>(names.size() - 1);
}

void complete_masses(Structure& structure) {
  for (std::size_t i = 0; i < structure.species_name.size(); ++i)
    if (structure.species_mass[i] == 0)
      structure.species_mass[i] = find_element_mass(structure.species_name[i]).value_or(0);
}

std::vector<double> species_masses(const Structure& structure) {
  Structure copy;
  copy.species_name = structure.species_name;
  copy.species_mass = structure.species_mass;
  complete_masses(copy);
  for (const std::int32_t s : structure.species) {
    const auto i = static_cast<std::size_t>(s);
    require(copy.species_mass[i] > 0,
            "{}: species {} ('{}') has no mass (the file gives none and it is no element); add its mass to "
            "the file",
            structure.source, i + 1, copy.species_name[i]);
  }
  return copy.species_mass;
}

}  // namespace nanoday
