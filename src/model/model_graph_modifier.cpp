// Reads the long-range part of a DPLR graph: charges, Ewald settings, the embedded Wannier net.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_graph_reader.hpp"

#include "model/dipole_charge.hpp"

#include <charconv>
#include <cmath>

namespace nanoday {
namespace {

constexpr const char* k_type_node = "modifier_attr/type";
constexpr const char* k_wannier_prefix = "dipole_charge/";

// A graph that lost the node naming its modifier must not pass for a short-range model.
void refuse_remains(const Graph& graph) {
  for (const char* part : {"modifier_attr/sys_charge_map", "modifier_attr/mdl_charge_map",
                           "modifier_attr/ewald_beta", "dipole_charge/model_attr/model_type"}) {
    graph.expect(!graph.has(part), "node '{}' is missing but '{}' is there; the file is damaged", k_type_node,
                 part);
  }
}

// Numbers separated by blanks, kept as written: "6 1", "-8", also "5.998".
std::vector<double> read_charges(const Graph& graph, const char* name, std::size_t count, const char* whom) {
  const std::string text = graph.text(name);
  std::vector<double> charges;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (true) {
    while (at != end && *at == ' ') ++at;
    if (at == end) break;
    double charge = 0;
    const auto [rest, error] = std::from_chars(at, end, charge);
    graph.expect(error == std::errc{} && (rest == end || *rest == ' '),
                 "node '{}' holds '{}' (numbers separated by blanks are needed); the file is damaged", name,
                 printable(text));
    graph.expect(std::abs(charge) <= k_max_charge,
                 "node '{}' holds a charge of {} e (at most {} is accepted); the file is damaged", name,
                 charge, k_max_charge);
    charges.push_back(charge);
    graph.expect(charges.size() <= count,
                 "node '{}' holds more than {} charges (one for each of {}); the file "
                 "is damaged",
                 name, count, whom);
    at = rest;
  }
  graph.expect(charges.size() == count,
               "node '{}' holds {} charges where {} are needed (one for each of {}); the file is damaged",
               name, charges.size(), count, whom);
  return charges;
}

double read_number(const Graph& graph, const char* name, double least, double most, const char* unit) {
  const RealTensor number = graph.reals(name);
  graph.expect(number.values.size() == 1, "node '{}' has {} values where one is needed; the file is damaged",
               name, number.values.size());
  const double value = number.values[0];
  graph.expect(value >= least && value <= most,
               "node '{}' is {} {} ({} to {} is accepted); the file is damaged", name, value, unit, least,
               most);
  return value;
}

// The producer pairs the types of both nets by their numbers, so their names have to agree.
void check_types(const Graph& graph, const Model& model, const Model& wannier) {
  graph.expect(wannier.kind == ModelKind::dipole,
               "the net embedded under '{}' is an energy model (it has to be a dipole model); the file is "
               "damaged",
               k_wannier_prefix);
  graph.expect(wannier.n_types() == model.n_types(),
               "the embedded Wannier net has {} types but the model has {}; the file is damaged",
               wannier.n_types(), model.n_types());
  for (int a = 0; a < model.n_types(); ++a) {
    const std::string &name = model.type_map[a], &other = wannier.type_map[a];
    graph.expect(name.empty() || other.empty() || name == other,
                 "type {} is {} in the model but {} in the embedded Wannier net; the file is damaged", a,
                 name, other);
  }
}

}  // namespace

void read_modifier(const Graph& graph, Model& model) {
  if (!graph.has(k_type_node)) return refuse_remains(graph);
  const std::string type = graph.text(k_type_node);
  if (type != "dipole_charge") graph.refuse(fmt::format("the modifier '{}'", printable(type)));
  graph.expect(
      model.kind == ModelKind::energy,
      "has a dipole-charge modifier but is a dipole model (the modifier adds to an energy); the file "
      "is damaged");
  graph.expect(graph.has("dipole_charge/model_attr/model_type"),
               "has a dipole-charge modifier (DPLR) but no Wannier net inside (node "
               "'dipole_charge/model_attr/model_type' is missing); freeze it again with the dipole model");
  Model wannier = read_graph_model(graph, k_wannier_prefix);
  check_types(graph, model, wannier);
  wannier.type_map = model.type_map;
  wannier.hash = model.hash;
  DipoleCharge charges;
  charges.ion_charge =
      read_charges(graph, "modifier_attr/sys_charge_map", model.sel.size(), "the model's types");
  const std::vector<std::int64_t> selected = graph.integers("dipole_charge/model_attr/sel_type");
  const std::vector<double> of_selected =
      read_charges(graph, "modifier_attr/mdl_charge_map", selected.size(), "the selected types");
  charges.wannier_charge.assign(model.sel.size(), 0);
  for (std::size_t k = 0; k < selected.size(); ++k) {
    graph.expect(
        of_selected[k] != 0,
        "node 'modifier_attr/mdl_charge_map' gives Wannier centroids of type {} no charge; the file is "
        "damaged",
        selected[k]);
    charges.wannier_charge[selected[k]] = of_selected[k];
  }
  charges.beta = read_number(graph, "modifier_attr/ewald_beta", k_min_beta, k_max_beta, "1/A");
  charges.spacing = read_number(graph, "modifier_attr/ewald_h", k_min_spacing, k_max_spacing, "A");
  charges.wannier = std::make_shared<const Model>(std::move(wannier));
  model.dipole_charge = std::move(charges);
}

}  // namespace nanoday
