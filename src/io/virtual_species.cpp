// Recognises the species of virtual Wannier atoms by names, bonds and charges.
// SPDX-License-Identifier: Apache-2.0
#include "io/text.hpp"
#include "io/virtual_atoms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace nanoday {
namespace {

/// Model type a species is called by, or −1.
int known_type(const std::string& name, const Model& model) {
  if (name.empty()) return -1;
  const auto at = std::find(model.type_map.begin(), model.type_map.end(), name);
  if (at != model.type_map.end()) return static_cast<int>(at - model.type_map.begin());
  std::int64_t number = -1;
  const bool unnamed = std::all_of(model.type_map.begin(), model.type_map.end(),
                                   [](const std::string& type) { return type.empty(); });
  const bool is_type = unnamed && parse_number(name, number) && number >= 0 && number < model.n_types();
  return is_type ? static_cast<int>(number) : -1;
}

constexpr int k_none = -1, k_several = -2;

/// Calls visit(atom, other) for both ends of every bond.
template <class Visit>
void for_each_end(const Structure& structure, Visit&& visit) {
  for (const auto& [a, b] : structure.bond) {
    visit(static_cast<std::size_t>(a), static_cast<std::size_t>(b));
    visit(static_cast<std::size_t>(b), static_cast<std::size_t>(a));
  }
}

/// The one other species the atoms of each species are bonded to, every atom having exactly one bond; or
/// below 0.
std::vector<int> only_partners(const Structure& structure) {
  std::vector<int> partner(structure.species_name.size(), k_none);
  std::vector<std::int64_t> degree(structure.natoms(), 0);
  for_each_end(structure, [&](std::size_t atom, std::size_t other) {
    int& of_species = partner[static_cast<std::size_t>(structure.species[atom])];
    const int species = structure.species[other];
    of_species = of_species == k_none || of_species == species ? species : k_several;
    ++degree[atom];
  });
  for (std::size_t i = 0; i < structure.natoms(); ++i)
    if (degree[i] != 1) partner[static_cast<std::size_t>(structure.species[i])] = k_none;
  for (std::size_t s = 0; s < partner.size(); ++s)
    if (partner[s] == static_cast<int>(s)) partner[s] = k_none;
  return partner;
}

/// The species whose atoms the atoms of each species are bonded to one to one, or below 0: every atom has
/// exactly one bond, all go to one other species, and each atom of that has exactly one of them.
std::vector<int> one_to_one_hosts(const Structure& structure) {
  std::vector<int> host = only_partners(structure);
  std::vector<std::pair<std::int32_t, std::size_t>> used;  // (species, atom of its host species)
  for_each_end(structure, [&](std::size_t atom, std::size_t other) {
    const std::int32_t species = structure.species[atom];
    if (host[static_cast<std::size_t>(species)] >= 0) used.emplace_back(species, other);
  });
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  std::vector<std::int64_t> count(host.size(), 0), hosts(host.size(), 0);
  for (const std::int32_t species : structure.species) ++count[static_cast<std::size_t>(species)];
  for (const auto& [species, atom] : used) ++hosts[static_cast<std::size_t>(species)];
  for (std::size_t s = 0; s < host.size(); ++s) {
    if (host[s] < 0) continue;
    const bool complete = hosts[s] == count[s] && count[static_cast<std::size_t>(host[s])] == count[s];
    if (!complete) host[s] = k_none;
  }
  return host;
}

/// Distance of a charge from the nearest one of a list; zeros of `charges` are no charges when `skip_zero`.
double nearest(double charge, const std::vector<double>& charges, bool skip_zero) {
  double least = std::numeric_limits<double>::infinity();
  for (const double other : charges)
    if (!skip_zero || other != 0) least = std::min(least, std::abs(charge - other));
  return least;
}

/// Judges by charges. A named species must have a Wannier charge on most of its atoms; one without a name
/// (mostly two of equal mass, host and virtual) must be nearer to a Wannier charge than to an ion's.
bool looks_like_wannier(const Structure& structure, std::size_t species, const Model& model) {
  const DipoleCharge& charges = *model.dipole_charge;
  double sum = 0;
  std::int64_t count = 0, matching = 0;
  for (std::size_t i = 0; i < structure.natoms(); ++i) {
    if (structure.species[i] != static_cast<std::int32_t>(species)) continue;
    ++count;
    sum += structure.charge[i];
    matching += nearest(structure.charge[i], charges.wannier_charge, true) <= k_charge_tolerance;
  }
  if (count == 0) return false;
  const std::string& name = structure.species_name[species];
  if (name.empty()) {
    const double mean = sum / static_cast<double>(count);
    return nearest(mean, charges.wannier_charge, true) < nearest(mean, charges.ion_charge, false);
  }
  const int type = known_type(name, model);
  const bool an_ion =
      type >= 0 && nearest(charges.ion_charge[type], charges.wannier_charge, true) <= k_charge_tolerance;
  return !an_ion && 2 * matching > count;
}

}  // namespace

bool gives_charges(const Structure& structure) {
  return std::any_of(structure.charge.begin(), structure.charge.end(), [](double q) { return q != 0; });
}

std::vector<char> find_virtual_species(const Structure& structure, const Model& model) {
  const std::size_t n_species = structure.species_name.size();
  const std::vector<int> host = one_to_one_hosts(structure);
  const bool by_charge = model.dipole_charge && gives_charges(structure);
  std::vector<char> is_virtual(n_species, 0);
  for (std::size_t s = 0; s < n_species; ++s) {
    if (by_charge) is_virtual[s] = looks_like_wannier(structure, s, model);
    if (is_virtual[s] || host[s] < 0 || known_type(structure.species_name[s], model) >= 0) continue;
    const std::string& host_name = structure.species_name[static_cast<std::size_t>(host[s])];
    const int host_type = known_type(host_name, model);
    if (model.dipole_charge) {
      is_virtual[s] = host_type >= 0 && model.dipole_charge->wannier->selected[host_type];
    } else {
      // Of a host and its virtual atom without names, for their masses are equal, one is as good as the
      // other.
      const bool both_unnamed = host_name.empty() && structure.species_name[s].empty() && host[s] < int(s);
      is_virtual[s] = host_type >= 0 || both_unnamed;
    }
  }
  return is_virtual;
}

}  // namespace nanoday
