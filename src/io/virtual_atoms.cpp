// Checks virtual Wannier atoms against their hosts and the model, and takes them out.
// SPDX-License-Identifier: Apache-2.0
#include "io/virtual_atoms.hpp"

#include "core/error.hpp"
#include "core/printable.hpp"
#include "io/check_structure.hpp"
#include "io/species.hpp"
#include "io/structure_file.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

constexpr std::int64_t k_no_host = -1;

std::int64_t id_of(const Structure& structure, std::size_t atom) {
  return structure.id.empty() ? static_cast<std::int64_t>(atom + 1) : structure.id[atom];
}

/// "3 (X)", as a message calls a species.
std::string describe(const Structure& structure, std::size_t species) {
  const std::string& name = structure.species_name[species];
  return name.empty() ? fmt::format("{}", species + 1) : fmt::format("{} ({})", species + 1, printable(name));
}

/// For each virtual atom the real atom it is bonded to; k_no_host for real atoms.
std::vector<std::int64_t> find_hosts(const Structure& structure, const std::vector<char>& is_virtual) {
  const auto is_virtual_atom = [&](std::size_t i) {
    return is_virtual[static_cast<std::size_t>(structure.species[i])] != 0;
  };
  std::vector<std::int64_t> host(structure.natoms(), k_no_host);
  for (const auto& bond : structure.bond) {
    for (int end = 0; end < 2; ++end) {
      const auto atom = static_cast<std::size_t>(bond[end]), other = static_cast<std::size_t>(bond[1 - end]);
      if (!is_virtual_atom(atom)) continue;
      require(!is_virtual_atom(other),
              "{}: virtual atoms {} and {} are bonded to each other (each belongs to a "
              "real atom); correct the bond",
              structure.source, id_of(structure, atom), id_of(structure, other));
      require(host[atom] == k_no_host,
              "{}: virtual atom {} has two bonds, to atoms {} and {} (it belongs to one atom); remove one",
              structure.source, id_of(structure, atom),
              id_of(structure, static_cast<std::size_t>(std::max<std::int64_t>(host[atom], 0))),
              id_of(structure, other));
      host[atom] = static_cast<std::int64_t>(other);
    }
  }
  for (std::size_t i = 0; i < structure.natoms(); ++i)
    require(
        !is_virtual_atom(i) || host[i] != k_no_host,
        "{}: virtual atom {} of type {} has no bond to a real atom (its host is not known); add the bond to "
        "the Bonds section",
        structure.source, id_of(structure, i), describe(structure, structure.species[i]));
  return host;
}

template <class T>
void keep(std::vector<T>& values, const std::vector<char>& wanted) {
  if (values.empty()) return;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i)
    if (wanted[i]) values[kept++] = values[i];
  values.resize(kept);
}

/// The structure without virtual atoms and species, all else in order; bonds are left out.
Structure real_part(const Structure& structure, const std::vector<char>& is_virtual) {
  Structure out = structure;
  out.bond.clear();
  out.real_names.clear();
  std::vector<char> real_species, real_atoms;
  std::vector<std::int32_t> number;  // of each species among the real ones
  std::int32_t n_real = 0;
  for (const char flag : is_virtual) {
    number.push_back(n_real);
    real_species.push_back(!flag);
    n_real += !flag;
  }
  for (const std::int32_t s : structure.species)
    real_atoms.push_back(!is_virtual[static_cast<std::size_t>(s)]);
  keep(out.species_name, real_species);
  keep(out.species_mass, real_species);
  for (std::int32_t& s : out.species) s = number[static_cast<std::size_t>(s)];
  keep(out.species, real_atoms);
  keep(out.position, real_atoms);
  keep(out.velocity, real_atoms);
  keep(out.image, real_atoms);
  keep(out.charge, real_atoms);
  keep(out.id, real_atoms);
  return out;
}

/// Names of real species: the user's, the file's, or by mass, which is less ambiguous without virtual ones.
void name_real_species(const Structure& before, Structure& real) {
  const std::size_t n_all = before.species_name.size(), n_real = real.species_name.size();
  require(
      before.real_names.empty() || before.real_names.size() == n_real,
      "{}: --types gives {} name(s) ({}) but the file has {} types, {} of them recognised as virtual; name "
      "the others, or all with X for the virtual ones",
      before.source, before.real_names.size(),
      printable(fmt::format("{}", fmt::join(before.real_names, ","))), n_all, n_all - n_real);
  if (n_real == n_all && before.real_names.empty()) return;
  name_numbered_species(real, std::vector<std::string>(real.species_name), before.real_names);
  complete_masses(real);
}

/// Distance of two atoms, nearest image. Rounding finds it in any box whose heights exceed twice the
/// distances that matter here.
double distance(const Box& box, Vec3 a, Vec3 b) {
  if (box.is_open()) return norm(b - a);
  const Vec3 f = box.fractional(b) - box.fractional(a);
  const auto whole = [&](int k, double x) { return box.periodic[k] ? -static_cast<int>(std::lround(x)) : 0; };
  return norm(b - a + box.translation(whole(0, f.x), whole(1, f.y), whole(2, f.z)));
}

struct Hosted {
  const Structure& structure;             ///< with virtual atoms
  const std::vector<std::int64_t>& host;  ///< (natoms) of find_hosts()
  const std::vector<std::int32_t>& type;  ///< (natoms) model type; −1 for virtual atoms
  const Model& model;
};

/// Every atom of a selected type has one virtual atom, no other has any.
void check_counts(const Hosted& all) {
  const Structure& structure = all.structure;
  std::vector<std::int64_t> first(structure.natoms(), k_no_host);
  for (std::size_t i = 0; i < structure.natoms(); ++i) {
    if (all.host[i] == k_no_host) continue;
    const auto host = static_cast<std::size_t>(all.host[i]);
    require(all.model.dipole_charge->wannier->selected[all.type[host]],
            "{}: virtual atom {} is bonded to atom {}, of type {}, which carries no Wannier centroid in {}; "
            "correct the bond",
            structure.source, id_of(structure, i), id_of(structure, host),
            describe(structure, structure.species[host]), all.model.source);
    require(first[host] == k_no_host,
            "{}: atom {} has two virtual atoms, {} and {} (each has one); remove one", structure.source,
            id_of(structure, host),
            id_of(structure, static_cast<std::size_t>(std::max<std::int64_t>(first[host], 0))),
            id_of(structure, i));
    first[host] = static_cast<std::int64_t>(i);
  }
  for (std::size_t i = 0; i < structure.natoms(); ++i) {
    const bool needs = all.type[i] >= 0 && all.model.dipole_charge->wannier->selected[all.type[i]];
    require(
        !needs || first[i] != k_no_host,
        "{}: atom {} of type {} has no virtual atom, unlike others (is a bond or an atom missing?); add it, "
        "or remove all virtual atoms: they are not needed here",
        structure.source, id_of(structure, i), describe(structure, structure.species[i]));
  }
}

void check_places_and_charges(const Hosted& all) {
  const Structure& structure = all.structure;
  const bool charged = gives_charges(structure);
  for (std::size_t i = 0; i < structure.natoms(); ++i) {
    if (all.host[i] == k_no_host) continue;
    const auto host = static_cast<std::size_t>(all.host[i]);
    const double away = distance(structure.box, structure.position[host], structure.position[i]);
    require(
        away <= k_farthest_virtual,
        "{}: virtual atom {} is {:.4g} A away from its host, atom {} (a Wannier centroid lies within {} A); "
        "put it onto its host or correct the bond",
        structure.source, id_of(structure, i), away, id_of(structure, host), k_farthest_virtual);
    if (!charged) continue;
    const double model_charge = all.model.dipole_charge->wannier_charge[all.type[host]];
    require(std::abs(structure.charge[i] - model_charge) <= k_charge_tolerance,
            "{}: virtual atom {} of atom {} has charge {} e in the file but {} e in {} (they have to agree); "
            "correct the file or use the model it was made for",
            structure.source, id_of(structure, i), id_of(structure, host), structure.charge[i], model_charge,
            all.model.source);
  }
}

void check_ion_charges(const Structure& structure, const std::vector<std::int32_t>& types,
                       const Model& model) {
  for (std::size_t i = 0; i < structure.natoms(); ++i) {
    const double model_charge = model.dipole_charge->ion_charge[types[i]];
    require(
        std::abs(structure.charge[i] - model_charge) <= k_charge_tolerance,
        "{}: atom {} of type {} has charge {} e in the file but {} e in {} (they have to agree); correct the "
        "file, use the model it was made for, or set all charges to 0 to take the model's",
        structure.source, id_of(structure, i), describe(structure, structure.species[i]), structure.charge[i],
        model_charge, model.source);
  }
}

void refuse_virtual_atoms(const Structure& structure, const Model& model) {
  const std::vector<char> is_virtual = find_virtual_species(structure, model);
  for (std::size_t s = 0; s < is_virtual.size(); ++s)
    require(
        !is_virtual[s],
        "{}: the file has virtual atoms (type {}: the model does not know it, and each such atom is bonded "
        "to "
        "one other, as in LAMMPS data for DPLR) but {} has no long-range part; use the DPLR model, or a file "
        "without virtual atoms",
        structure.source, describe(structure, s), model.source);
  require(structure.real_names.empty(),
          "{}: --types gives {} name(s) ({}) but the file has {} type(s); give one "
          "name for each",
          structure.source, structure.real_names.size(),
          printable(fmt::format("{}", fmt::join(structure.real_names, ","))), structure.species_name.size());
}

}  // namespace

Structure drop_virtual_atoms(const Structure& structure, const Model& model) {
  const std::vector<char> is_virtual = find_virtual_species(structure, model);
  const bool any = std::find(is_virtual.begin(), is_virtual.end(), 1) != is_virtual.end();
  std::vector<std::int64_t> host(structure.natoms(), k_no_host);
  if (any) host = find_hosts(structure, is_virtual);
  Structure real = real_part(structure, is_virtual);
  name_real_species(structure, real);
  if (!any && !gives_charges(structure)) return real;
  require(real.natoms() > 0, "{}: all atoms look virtual (they carry Wannier charges); correct the charges",
          structure.source);
  const std::vector<std::int32_t> real_types = bind_types(real, model.type_map);
  std::vector<std::int32_t> types;  // of all atoms
  for (std::size_t i = 0, k = 0; i < structure.natoms(); ++i)
    types.push_back(is_virtual[static_cast<std::size_t>(structure.species[i])] ? -1 : real_types[k++]);
  if (any) {
    const Hosted all{structure, host, types, model};
    check_counts(all);
    check_places_and_charges(all);
  }
  if (gives_charges(structure)) check_ion_charges(real, real_types, model);
  return real;
}

Structure prepare_for(const Model& model, Structure structure) {
  const bool had_bonds = !structure.bond.empty();
  if (model.dipole_charge) {
    structure = drop_virtual_atoms(structure, model);
  } else if (had_bonds) {
    refuse_virtual_atoms(structure, model);
    structure.bond.clear();
  }
  if (had_bonds && all_named(structure)) check_overlaps(structure);
  return structure;
}

}  // namespace nanoday
