// How the reader of graph models is divided: each function fills one part of a Model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/graph_def.hpp"
#include "model/model.hpp"
#include "model/training_script.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace nanoday {

/// One model inside a graph. `prefix` is "" or "dipole_charge/"; `suffix` is "" or, for the member of a
/// hybrid,
/// "_0". A model embedded under a prefix has no training script of its own.
struct GraphModel {
  const Graph& graph;
  std::string prefix;
  std::string suffix;
  const Graph::Node* environment = nullptr;  ///< the ProdEnvMatA node
  TrainingScript script;

  std::string node(std::string_view name) const { return fmt::format("{}{}", prefix, name); }
  /// "descrpt_attr<suffix>/name".
  std::string descriptor_attr(std::string_view name) const {
    return fmt::format("{}descrpt_attr{}/{}", prefix, suffix, name);
  }
  /// Scope of the embedding nets of a centre type, or of all of them: "filter_type_<centre><suffix>".
  std::string filter(std::string_view centre) const {
    return fmt::format("{}filter_type_{}{}", prefix, centre, suffix);
  }
  std::string filter(int centre) const { return filter(std::to_string(centre)); }
};

/// Model type ("ener", "dipole") after refusing other types and versions by name.
ModelKind read_kind(const Graph& graph, const std::string& prefix);

/// Finds the one environment op and with it the suffix; refuses other descriptors and hybrids by name.
void find_descriptor(GraphModel& from);

/// Refuses everything else that would change the mathematics, by name.
void refuse_unsupported(const GraphModel& from);

/// Cut-offs, sel, normaliser, type map, shift and scale.
void read_descriptor(const GraphModel& from, Model& model);

/// Embedding nets or tables, excluded pairs, m1. \pre read_descriptor
void read_embedding(const GraphModel& from, Model& model);

/// Tables of a compressed graph and m1. \pre model.excluded, model.one_sided
void read_tables(const GraphModel& from, Model& model);

/// Fitting nets, biases, selected types, m2. \pre read_embedding
void read_fitting(const GraphModel& from, Model& model);

/// Names of the constants of one dense layer; `idt` need not exist.
struct LayerNames {
  std::string matrix, bias, idt;
};

/// Reads one layer with `n_in` inputs; −1 accepts any number. Sets model.float32 for single precision.
DenseLayer read_layer(const GraphModel& from, const LayerNames& names, int n_in, Model& model);

/// Activation of the layer whose weights are `matrix`: what the script says, checked against the graph;
/// without a script, what the graph computes.
Activation read_activation(const GraphModel& from, const std::string& matrix,
                           std::optional<Activation> script);

}  // namespace nanoday
