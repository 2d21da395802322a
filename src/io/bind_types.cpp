// Ties the species of a structure to the types of a model, by name.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "io/element_table.hpp"
#include "io/structure_file.hpp"
#include "io/text.hpp"

#include <algorithm>

namespace nanoday {
namespace {

/// "type_map: O H", as far as a message should go.
std::string describe(const std::vector<std::string>& type_map) {
  const std::size_t shown = std::min<std::size_t>(type_map.size(), 120);
  const std::vector<std::string> first(type_map.begin(),
                                       type_map.begin() + static_cast<std::ptrdiff_t>(shown));
  return fmt::format("type_map: {}{}", fmt::join(first, " "), shown < type_map.size() ? " …" : "");
}

/// Why the species got no name.
std::string reason(const Structure& structure, std::size_t species) {
  const double mass = structure.species_mass[species];
  if (mass == 0) return "the file gives neither a name nor a mass";
  const auto near = elements_near_mass(mass);
  if (near.empty()) return fmt::format("its mass, {} u, is that of no element", mass);
  if (near.size() > 1) return fmt::format("its mass, {} u, may be {}", mass, fmt::join(near, " or "));
  for (std::size_t other = 0; other < structure.species_name.size(); ++other) {
    const bool named = structure.species_name[other] == near[0];
    if (other != species && (named || element_of_mass(structure.species_mass[other]) == near[0]))
      return fmt::format("types {} and {} both have the mass of {}", std::min(species, other) + 1,
                         std::max(species, other) + 1, near[0]);
  }
  return "its mass is ambiguous";
}

/// Type of a model that names none: species are then called by the type's number.
std::int32_t numbered_type(const Structure& structure, const std::string& name, std::size_t n_types) {
  std::int64_t index = -1;
  const bool ok = parse_number(name, index) && index >= 0 && index < static_cast<std::int64_t>(n_types);
  require(
      ok,
      "{}: species '{}' cannot be found in the model (the model names no elements, only {} types); say which "
      "type each species is, for example --types 0,1",
      structure.source, name, n_types);
  return static_cast<std::int32_t>(index);
}

std::int32_t named_type(const Structure& structure, const std::string& name,
                        const std::vector<std::string>& type_map) {
  const auto at = std::find(type_map.begin(), type_map.end(), name);
  if (at != type_map.end()) {
    require(
        std::find(at + 1, type_map.end(), name) == type_map.end(),
        "{}: {} is ambiguous (the model has several types of that name; {}); use a model whose names differ",
        structure.source, name, describe(type_map));
    return static_cast<std::int32_t>(at - type_map.begin());
  }
  const auto close = std::find_if(type_map.begin(), type_map.end(),
                                  [&](const std::string& known) { return lower(known) == lower(name); });
  const std::string hint = close == type_map.end() ? "" : fmt::format(" (did you mean {}?)", *close);
  throw InputError(
      fmt::format("{}: the model does not know {} ({}){}; use a model trained with it, or name the "
                  "species with --types",
                  structure.source, name, describe(type_map), hint));
}

}  // namespace

std::vector<std::int32_t> bind_types(const Structure& structure, const std::vector<std::string>& type_map) {
  const bool unnamed =
      std::all_of(type_map.begin(), type_map.end(), [](const std::string& name) { return name.empty(); });
  std::vector<std::int32_t> model_type(structure.species_name.size(), -1);
  std::vector<std::int32_t> types;
  types.reserve(structure.natoms());
  for (const std::int32_t s : structure.species) {
    const auto species = static_cast<std::size_t>(s);
    if (model_type[species] < 0) {
      const std::string& name = structure.species_name[species];
      require(!name.empty(),
              "{}: which element type {} is cannot be told ({}); name the types with --types (model's {}) or "
              "with "
              "a comment after each mass, as in \"1 15.9994 # O\"",
              structure.source, species + 1, reason(structure, species), describe(type_map));
      model_type[species] =
          unnamed ? numbered_type(structure, name, type_map.size()) : named_type(structure, name, type_map);
    }
    types.push_back(model_type[species]);
  }
  return types;
}

}  // namespace nanoday
