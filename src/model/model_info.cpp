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

}  // namespace

std::string model_info_json(const Model& model) {
  Json info;
  info["model"] = model.source;
  info["hash"] = model.hash;
  info["kind"] = model.kind == ModelKind::energy ? "energy" : "dipole";
  info["type_map"] = model.type_map;
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
  if (model.compressed) {
    const CompressedTable range = table_range(model);
    info["table_range"] = {{"lower", range.lower},
                           {"upper", range.upper},
                           {"max", range.max},
                           {"stride0", range.stride0},
                           {"stride1", range.stride1}};
  }
  if (model.kind == ModelKind::dipole) info["sel_type"] = selected_types(model);
  // File names may hold any bytes; JSON may not.
  return info.dump(2, ' ', false, Json::error_handler_t::replace);
}

std::string model_info_text(const Model& model) {
  std::string text = line("model", model.source);
  text += line("kind", model.kind == ModelKind::energy
                           ? std::string("energy")
                           : fmt::format("dipole of types {}", fmt::join(selected_types(model), " ")));
  text += line("types", type_names(model));
  text += line("descriptor", fmt::format("se_e2_a, {} nets{}", model.one_sided ? "one-sided" : "two-sided",
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
  if (model.compressed) {
    const CompressedTable range = table_range(model);
    text += line("table", fmt::format("{:g} to {:g} in steps of {:g}, to {:g} in steps of {:g}", range.lower,
                                      range.upper, range.stride0, range.max, range.stride1));
  }
  text += line("hash", model.hash);
  text.pop_back();
  return text;
}

}  // namespace nanoday
