// Describes a model to people and to programs.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_info.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace nanoday {
namespace {

using Json = nlohmann::ordered_json;

const EmbeddingNet* first_embedding(const Model& model) {
  for (const EmbeddingNet& net : model.embedding) {
    if (!net.empty()) return &net;
  }
  return nullptr;
}

const FittingNet& first_fitting(const Model& model) {
  return *std::find_if(model.fitting.begin(), model.fitting.end(),
                       [](const FittingNet& net) { return !net.empty(); });
}

std::vector<int> widths(const std::vector<DenseLayer>& layers) {
  std::vector<int> result;
  for (const DenseLayer& layer : layers) result.push_back(layer.n_out);
  return result;
}

std::vector<int> embedding_widths(const Model& model) {
  const EmbeddingNet* net = first_embedding(model);
  return net ? widths(net->layers) : std::vector<int>{model.m1};
}

Activation embedding_activation(const Model& model) {
  const EmbeddingNet* net = first_embedding(model);
  return net ? net->activation : first_fitting(model).activation;
}

std::vector<std::array<int, 2>> excluded_pairs(const Model& model) {
  std::vector<std::array<int, 2>> pairs;
  for (int a = 0; a < model.n_types(); ++a) {
    for (int b = a; b < model.n_types(); ++b) {
      if (model.is_excluded(a, b) || model.is_excluded(b, a)) pairs.push_back({a, b});
    }
  }
  return pairs;
}

std::vector<int> selected_types(const Model& model) {
  std::vector<int> types;
  for (int a = 0; a < model.n_types(); ++a) {
    if (model.selected[a]) types.push_back(a);
  }
  return types;
}

// Widest range any table of the model covers; strides are the same in all.
CompressedTable table_range(const Model& model) {
  CompressedTable range;
  for (const CompressedTable& table : model.tables) {
    if (table.empty()) continue;
    if (range.n_outputs == 0) {
      range.n_outputs = table.n_outputs;
      range.lower = table.lower, range.upper = table.upper, range.max = table.max;
      range.stride0 = table.stride0, range.stride1 = table.stride1;
    }
    range.lower = std::min(range.lower, table.lower);
    range.upper = std::max(range.upper, table.upper);
    range.max = std::max(range.max, table.max);
  }
  return range;
}

std::string type_names(const Model& model) {
  const bool named = std::none_of(model.type_map.begin(), model.type_map.end(),
                                  [](const std::string& name) { return name.empty(); });
  return named ? fmt::format("{}", fmt::join(model.type_map, " "))
               : fmt::format("{} without names", model.n_types());
}

std::string line(std::string_view label, const std::string& value) {
  return fmt::format("{:<14}{}\n", label, value);
}

std::string_view kind_name(const Model& model) {
  if (model.dipole_charge) return "dplr";
  return model.kind == ModelKind::energy ? "energy" : "dipole";
}

// What describes one net, be it the model's own or the Wannier net inside.
void add_net(const Model& model, Json& info) {
  info["descriptor"] = "se_e2_a";
  info["rcut"] = model.rcut;
  info["rcut_smth"] = model.rcut_smth;
  info["sel"] = model.sel;
  info["precision"] = model.float32 ? "float32" : "float64";
  info["compressed"] = model.compressed;
  info["type_one_side"] = model.one_sided;
  info["embedding"] = embedding_widths(model);
  info["axis_neuron"] = model.m2;
  info["fitting"] = widths(first_fitting(model).layers);
  info["activation"] = activation_name(embedding_activation(model));
  info["fitting_activation"] = activation_name(first_fitting(model).activation);
  info["resnet_dt"] = model.resnet_dt;
  info["exclude_types"] = excluded_pairs(model);
  if (model.min_nbor_dist > 0) info["min_nbor_dist"] = model.min_nbor_dist;
  if (!model.compressed) return;
  const CompressedTable range = table_range(model);
  info["table_range"] = {{"lower", range.lower},
                         {"upper", range.upper},
                         {"max", range.max},
                         {"stride0", range.stride0},
                         {"stride1", range.stride1}};
}

void add_charges(const DipoleCharge& charges, Json& info) {
  const std::vector<int> selected = selected_types(*charges.wannier);
  std::vector<double> of_selected;
  for (const int type : selected) of_selected.push_back(charges.wannier_charge[type]);
  info["sel_type"] = selected;
  info["ion_charges"] = charges.ion_charge;
  info["wannier_charges"] = of_selected;
  info["ewald_beta"] = charges.beta;
  info["ewald_h"] = charges.spacing;
  Json wannier;
  wannier["model"] = charges.wannier->source;
  wannier["hash"] = charges.wannier->hash;
  add_net(*charges.wannier, wannier);
  info["wannier"] = std::move(wannier);
}

std::string net_text(const Model& model) {
  std::string text =
      line("descriptor", fmt::format("se_e2_a, {} nets{}", model.one_sided ? "one-sided" : "two-sided",
                                     model.compressed ? ", compressed to tables" : ""));
  text += line("cut-off", fmt::format("{:.7g} A, smooth from {:.7g} A", model.rcut, model.rcut_smth));
  text += line("sel", fmt::format("{}", fmt::join(model.sel, " ")));
  text += line("embedding", fmt::format("{} ({}{}), axis {}", fmt::join(embedding_widths(model), " x "),
                                        activation_name(embedding_activation(model)),
                                        model.resnet_dt ? ", time step" : "", model.m2));
  const FittingNet& fitting = first_fitting(model);
  text += line("fitting", fmt::format("{} ({})", fmt::join(widths(fitting.layers), " x "),
                                      activation_name(fitting.activation)));
  text += line("precision", model.float32 ? "float32" : "float64");
  for (const auto& [a, b] : excluded_pairs(model))
    text += line("excluded", fmt::format("types {} and {}", a, b));
  if (model.min_nbor_dist > 0)
    text += line("nearest pair", fmt::format("{:.4f} A in training", model.min_nbor_dist));
  if (!model.compressed) return text;
  const CompressedTable range = table_range(model);
  return text + line("table", fmt::format("{:g} to {:g} in steps of {:g}, to {:g} in steps of {:g}",
                                          range.lower, range.upper, range.stride0, range.max, range.stride1));
}

std::string type_name(const Model& model, int type) {
  return model.type_map[type].empty() ? fmt::format("type {}", type) : model.type_map[type];
}

std::string charges_text(const Model& model) {
  const DipoleCharge& charges = *model.dipole_charge;
  std::vector<std::string> ions, centroids;
  for (int a = 0; a < model.n_types(); ++a)
    ions.push_back(fmt::format("{} {:+g}", type_name(model, a), charges.ion_charge[a]));
  for (const int a : selected_types(*charges.wannier))
    centroids.push_back(fmt::format("{:+g} on {}", charges.wannier_charge[a], type_name(model, a)));
  std::string text = line("ions", fmt::format("{} e", fmt::join(ions, ", ")));
  text += line("centroids", fmt::format("{}, in e", fmt::join(centroids, ", ")));
  text += line("Ewald", fmt::format("beta {:.7g} 1/A, h {:.7g} A", charges.beta, charges.spacing));
  text += charges.wannier->source == model.source ? "Wannier net, inside the model\n"
                                                  : fmt::format("Wannier net, {}\n", charges.wannier->source);
  return text + net_text(*charges.wannier);
}

std::string kind_text(const Model& model) {
  if (model.dipole_charge) return "dplr: energy with long-range electrostatics of Wannier centroids";
  if (model.kind == ModelKind::energy) return "energy";
  return fmt::format("dipole of types {}", fmt::join(selected_types(model), " "));
}

}  // namespace

std::string model_info_json(const Model& model) {
  Json info;
  info["model"] = model.source;
  info["hash"] = model.hash;
  info["kind"] = kind_name(model);
  info["type_map"] = model.type_map;
  add_net(model, info);
  if (model.kind == ModelKind::dipole) info["sel_type"] = selected_types(model);
  if (model.dipole_charge) add_charges(*model.dipole_charge, info);
  // File names may hold any bytes; JSON may not.
  return info.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string model_info_text(const Model& model) {
  std::string text = line("model", model.source);
  text += line("kind", kind_text(model));
  text += line("types", type_names(model));
  text += net_text(model);
  if (model.dipole_charge) text += charges_text(model);
  text += line("hash", model.hash);
  text.pop_back();
  return text;
}

}  // namespace nanoday
