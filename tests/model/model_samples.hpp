// Model files for tests: their bytes, graphs to edit, and what every Model must satisfy.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.hpp"
#include "graph.pb.h"
#include "model/model_file.hpp"
#include "reference/paths.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace nanoday::reference {

inline std::string file_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Graph of a shipped model, to be edited and parsed again.
inline graph::GraphDef graph_of(const std::string& name) {
  graph::GraphDef graph;
  if (!graph.ParseFromString(file_bytes(data_path(name)))) ADD_FAILURE() << "cannot parse " << name;
  return graph;
}

inline graph::NodeDef& node_of(graph::GraphDef& graph, const std::string& name) {
  for (auto& node : *graph.mutable_node()) {
    if (node.name() == name) return node;
  }
  throw std::runtime_error("no node " + name);
}

inline graph::AttrValue& attribute_of(graph::NodeDef& node, const std::string& key) {
  for (auto& entry : *node.mutable_attr()) {
    if (entry.key() == key) return *entry.mutable_value();
  }
  throw std::runtime_error("no attribute " + key);
}

inline graph::TensorProto& tensor_of(graph::GraphDef& graph, const std::string& name) {
  return *attribute_of(node_of(graph, name), "value").mutable_tensor();
}

/// What parse_graph_model says against the graph; "" when it accepts it.
inline std::string refusal_of(const graph::GraphDef& graph) {
  try {
    parse_graph_model(graph.SerializeAsString(), "edited.pb");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// Replaces the first element of a double constant.
inline void set_first(graph::GraphDef& graph, const std::string& name, double value) {
  graph::TensorProto& tensor = tensor_of(graph, name);
  if (tensor.tensor_content().empty()) {
    tensor.set_double_val(0, value);
  } else {
    std::memcpy(tensor.mutable_tensor_content()->data(), &value, sizeof value);
  }
}

/// True when `message` contains `words`.
inline testing::AssertionResult says(const std::string& message, const std::string& words) {
  if (message.find(words) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << words << "' is not in: " << message;
}

inline bool layer_fits(const DenseLayer& layer, int n_in) {
  const std::size_t n_out = layer.n_out;
  return layer.n_in == n_in && n_out > 0 && layer.weight.size() == n_in * n_out &&
         layer.bias.size() == n_out && (layer.idt.empty() || layer.idt.size() == n_out);
}

inline bool chain_fits(const std::vector<DenseLayer>& layers, int n_in, int& n_out) {
  n_out = n_in;
  for (const DenseLayer& layer : layers) {
    if (!layer_fits(layer, n_out)) return false;
    n_out = layer.n_out;
  }
  return true;
}

inline bool pair_fits(const Model& model, int centre, int neighbor) {
  const int p = model.pair_index(centre, neighbor);
  if (!model.one_sided && model.is_excluded(centre, neighbor)) {
    return model.embedding[p].empty() && (!model.compressed || model.tables[p].empty());
  }
  if (!model.compressed) {
    int width = 0;
    return !model.embedding[p].empty() && chain_fits(model.embedding[p].layers, 1, width) &&
           width == model.m1;
  }
  const CompressedTable& table = model.tables[p];
  return table.n_outputs == model.m1 && table.n_rows > 0 && table.stride0 > 0 && table.stride1 > 0 &&
         table.coefficients.size() == std::size_t(table.n_rows) * model.m1 * 6;
}

std::string inconsistency(const Model& model);

/// What must hold for the long-range part.
inline std::string charge_inconsistency(const Model& model) {
  const DipoleCharge& charges = *model.dipole_charge;
  const std::size_t n_types = model.sel.size();
  if (model.kind != ModelKind::energy || charges.ion_charge.size() != n_types ||
      charges.wannier_charge.size() != n_types)
    return "charges";
  if (!(charges.beta > 0 && charges.beta <= 100 && charges.spacing > 0 && charges.spacing <= 100))
    return "Ewald settings";
  if (!charges.wannier || charges.wannier->kind != ModelKind::dipole || charges.wannier->dipole_charge)
    return "Wannier net";
  if (charges.wannier->type_map != model.type_map) return "types of the Wannier net";
  for (std::size_t a = 0; a < n_types; ++a) {
    if (!(std::abs(charges.ion_charge[a]) <= 1000 && std::abs(charges.wannier_charge[a]) <= 1000))
      return "charge out of bounds";
    if ((charges.wannier_charge[a] != 0) != (charges.wannier->selected[a] != 0)) return "Wannier charge";
  }
  return inconsistency(*charges.wannier);
}

/// The first invariant that does not hold, or "".
inline std::string inconsistency(const Model& model) {
  if (model.dipole_charge) {
    const std::string problem = charge_inconsistency(model);
    if (!problem.empty()) return problem;
  }
  const std::size_t n_types = model.sel.size();
  if (n_types == 0 || model.type_map.size() != n_types || model.avg.size() != n_types ||
      model.std.size() != n_types)
    return "types";
  if (!(model.rcut > 0 && model.rcut <= 100 && model.rcut_smth >= 0 && model.switch_width > 0))
    return "cut-offs";
  if (model.normaliser < 1 || model.m1 < 1 || model.m2 < 1 || model.m2 > model.m1) return "widths";
  if (model.excluded.size() != n_types * n_types || model.selected.size() != n_types) return "flags";
  if (int(model.embedding.size()) != model.pair_count()) return "embedding";
  if (model.compressed != !model.tables.empty()) return "tables";
  for (std::size_t a = 0; a < n_types; ++a) {
    for (int c = 0; c < 4; ++c) {
      if (!(model.std[a][c] > 0) || !std::isfinite(model.avg[a][c])) return "shift and scale";
    }
    for (std::size_t b = 0; b < n_types; ++b) {
      if (!pair_fits(model, int(a), int(b))) return "pair";
    }
    if (model.fitting[a].empty() == (model.selected[a] != 0)) return "selected";
    if (model.fitting[a].empty()) continue;
    int width = 0;
    if (!chain_fits(model.fitting[a].layers, model.m1 * model.m2, width)) return "fitting";
    if (!layer_fits(model.fitting[a].output, width)) return "fitting output";
    if (model.fitting[a].output.n_out != (model.kind == ModelKind::energy ? 1 : model.m1)) return "outputs";
  }
  if (model.bias_atom_e.size() != n_types || model.out_bias.size() != n_types ||
      model.out_std.size() != n_types)
    return "biases";
  return model.hash.size() == 16 ? "" : "hash";
}

}  // namespace nanoday::reference
