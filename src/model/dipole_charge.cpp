// Joins an energy model and a dipole model into one DPLR model; counts charges.
// SPDX-License-Identifier: Apache-2.0
#include "model/dipole_charge.hpp"

#include "core/error.hpp"
#include "core/printable.hpp"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace nanoday {
namespace {

std::string elements(const Model& model) { return fmt::format("{}", fmt::join(model.type_map, " ")); }

bool unnamed(const Model& model) {
  return std::all_of(model.type_map.begin(), model.type_map.end(),
                     [](const std::string& name) { return name.empty(); });
}

// For each type of the energy model its number in the dipole model.
std::vector<int> match_types(const Model& energy, const Model& wannier) {
  require(unnamed(energy) == unnamed(wannier),
          "{} and {} cannot be matched (one of them names no elements); freeze it with a type_map",
          energy.source, wannier.source);
  // A type the energy model lacks cannot be left out: its empty neighbor slots count.
  require(
      energy.n_types() == wannier.n_types(),
      "{} has the elements {} but the Wannier net {} has {} (they have to be the same); use models trained "
      "with the same elements",
      energy.source, elements(energy), wannier.source, elements(wannier));
  std::vector<int> match;
  for (int a = 0; a < energy.n_types(); ++a) {
    if (unnamed(energy)) {
      match.push_back(a);
      continue;
    }
    const auto at = std::find(wannier.type_map.begin(), wannier.type_map.end(), energy.type_map[a]);
    require(
        at != wannier.type_map.end(),
        "the Wannier net {} does not know {} of {} (it has {}); use models trained with the same elements",
        wannier.source, energy.type_map[a], energy.source, elements(wannier));
    match.push_back(static_cast<int>(at - wannier.type_map.begin()));
  }
  return match;
}

template <class T>
std::vector<T> permuted(const std::vector<T>& values, const std::vector<int>& from) {
  std::vector<T> result;
  for (const int t : from) result.push_back(values[t]);
  return result;
}

// Arrays over (centre, neighbor).
template <class T>
std::vector<T> permuted_pairs(const std::vector<T>& values, const std::vector<int>& from) {
  std::vector<T> result;
  for (const int centre : from)
    for (const int neighbor : from) result.push_back(values[centre * from.size() + neighbor]);
  return result;
}

template <class T>
std::vector<T> permuted_nets(const std::vector<T>& values, const Model& model, const std::vector<int>& from) {
  if (values.empty()) return {};
  return model.one_sided ? permuted(values, from) : permuted_pairs(values, from);
}

// The same model with type a being what type from[a] was.
Model in_order(const Model& model, const std::vector<int>& from) {
  Model out = model;
  out.type_map = permuted(model.type_map, from);
  out.sel = permuted(model.sel, from);
  out.avg = permuted(model.avg, from);
  out.std = permuted(model.std, from);
  out.embedding = permuted_nets(model.embedding, model, from);
  out.tables = permuted_nets(model.tables, model, from);
  out.excluded = permuted_pairs(model.excluded, from);
  out.fitting = permuted(model.fitting, from);
  out.bias_atom_e = permuted(model.bias_atom_e, from);
  out.out_bias = permuted(model.out_bias, from);
  out.out_std = permuted(model.out_std, from);
  out.selected = permuted(model.selected, from);
  return out;
}

void set_charges(const std::map<std::string, double>& given, const char* what, const Model& energy,
                 std::vector<double>& charges) {
  for (const auto& [element, charge] : given) {
    const auto at = std::find(energy.type_map.begin(), energy.type_map.end(), element);
    require(at != energy.type_map.end() && !element.empty(),
            "the {} charge is given for {}, which {} does not know (it has {}); correct the element", what,
            printable(element), energy.source, elements(energy));
    require(std::abs(charge) <= k_max_charge,
            "the {} charge of {} is {} e ({} to {} is accepted); correct it", what, element, charge,
            -k_max_charge, k_max_charge);
    charges[at - energy.type_map.begin()] = charge;
  }
}

double checked(double value, double least, double most, const char* what) {
  require(value >= least && value <= most, "{} is {} ({} to {} is accepted); correct it", what, value, least,
          most);
  return value;
}

// Charges of ions: NaN marks what nobody has said.
std::vector<double> ion_charges(const Model& energy, const DipoleChargeSettings& settings) {
  std::vector<double> charges(energy.sel.size(), NAN);
  if (energy.dipole_charge) charges = energy.dipole_charge->ion_charge;
  set_charges(settings.ion_charge, "ion", energy, charges);
  for (int a = 0; a < energy.n_types(); ++a)
    require(
        !std::isnan(charges[a]),
        "{} holds no charges (it was frozen without a dipole-charge modifier) and none is given for {}; give "
        "the ion charges of all elements",
        energy.source, energy.type_map[a]);
  return charges;
}

std::vector<double> wannier_charges(const Model& energy, const Model& wannier,
                                    const DipoleChargeSettings& settings) {
  std::vector<double> charges(energy.sel.size(), 0);
  if (energy.dipole_charge) charges = energy.dipole_charge->wannier_charge;
  set_charges(settings.wannier_charge, "Wannier", energy, charges);
  for (int a = 0; a < energy.n_types(); ++a) {
    const std::string& element = energy.type_map[a];
    const bool given = settings.wannier_charge.contains(element);
    require(wannier.selected[a] || !given,
            "a Wannier charge is given for {}, whose atoms carry no centroid in {}; leave it out", element,
            wannier.source);
    require(!wannier.selected[a] || charges[a] != 0,
            "the centroids of {} that {} predicts have no charge ({}); give their Wannier charge", element,
            wannier.source,
            energy.dipole_charge ? "the energy model has none for them" : "nothing states one");
    if (!wannier.selected[a]) charges[a] = 0;
  }
  return charges;
}

}  // namespace

Model with_wannier(Model energy, const Model& wannier, const DipoleChargeSettings& settings) {
  require(energy.kind == ModelKind::energy,
          "{} is a dipole model (a Wannier net is added to an energy model); exchange the two files",
          energy.source);
  require(wannier.kind == ModelKind::dipole,
          "{} is no dipole model (only such a model predicts Wannier centroids); give a Deep Wannier model",
          wannier.source);
  const std::vector<int> from = match_types(energy, wannier);
  auto net = std::make_shared<Model>(in_order(wannier, from));
  DipoleCharge charges;
  charges.ion_charge = ion_charges(energy, settings);
  charges.wannier_charge = wannier_charges(energy, *net, settings);
  require(
      energy.dipole_charge || settings.beta,
      "{} holds no Ewald parameter (it was frozen without a dipole-charge modifier); give beta, as used in "
      "the training",
      energy.source);
  charges.beta = checked(settings.beta ? *settings.beta : energy.dipole_charge->beta, k_min_beta, k_max_beta,
                         "beta [1/A]");
  const double spacing = energy.dipole_charge ? energy.dipole_charge->spacing : k_default_spacing;
  charges.spacing =
      checked(settings.spacing.value_or(spacing), k_min_spacing, k_max_spacing, "the spacing [A]");
  charges.wannier = std::move(net);
  energy.dipole_charge = std::move(charges);
  return energy;
}

double net_charge(const Model& model, const std::vector<std::int32_t>& types) {
  const DipoleCharge& charges = model.dipole_charge.value();
  // Counts first: a sum over atoms would gather rounding errors of charges that are no integers.
  std::vector<std::int64_t> count(model.sel.size(), 0);
  for (const std::int32_t t : types) ++count[t];
  double sum = 0;
  for (std::size_t t = 0; t < count.size(); ++t)
    sum += static_cast<double>(count[t]) * (charges.ion_charge[t] + charges.wannier_charge[t]);
  return sum;
}

void check_neutral(const Model& model, const std::vector<std::int32_t>& types, const std::string& source) {
  if (!model.dipole_charge) return;
  const DipoleCharge& charges = *model.dipole_charge;
  std::vector<std::string> terms, carriers;
  bool carried = false;
  for (int t = 0; t < model.n_types(); ++t) {
    const auto count = std::count(types.begin(), types.end(), t);
    const std::string name = model.type_map[t].empty() ? fmt::format("type {}", t) : model.type_map[t];
    if (charges.wannier_charge[t] != 0) {
      carried = carried || count > 0;
      carriers.push_back(name);
    }
    if (count > 0)
      terms.push_back(
          fmt::format("{} {} of {:+g} e", count, name, charges.ion_charge[t] + charges.wannier_charge[t]));
  }
  require(carried,
          "{}: no atom carries a Wannier centroid (those of {} do, and there is none); use a structure "
          "the model was trained for, or a model without long-range part",
          source, fmt::join(carriers, " "));
  const double net = net_charge(model, types);
  require(std::abs(net) <= k_neutral,
          "{}: the charges sum to {:+g} e, not to zero ({}, each with its centroid); periodic "
          "electrostatics needs a neutral structure: add or remove atoms, or correct the charges",
          source, net, fmt::join(terms, ", "));
}

}  // namespace nanoday
