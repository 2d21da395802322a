// Turns a parsed graph into a Model: the order of the steps.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_graph_reader.hpp"

#include "model/model_graph_parts.hpp"

namespace nanoday {
namespace {

constexpr int k_max_width = 16384;

// Accepts [n] and, in old files, [1, n].
std::vector<double> read_row(const GraphModel& from, const std::string& name, int n, Model& model) {
  RealTensor row = from.graph.reals(name);
  const bool flat = row.shape.size() == 1 || (row.shape.size() == 2 && row.shape[0] == 1);
  from.graph.expect(flat && static_cast<int>(row.values.size()) == n,
                    "node '{}' has {} values where its layer is {} wide; the file is damaged", name,
                    row.values.size(), n);
  model.float32 = model.float32 || row.float32;
  return std::move(row.values);
}

}  // namespace

DenseLayer read_layer(const GraphModel& from, const LayerNames& names, int n_in, Model& model) {
  RealTensor matrix = from.graph.reals(names.matrix);
  from.graph.expect(matrix.shape.size() == 2 && matrix.shape[0] >= 1 && matrix.shape[1] >= 1 &&
                        matrix.shape[1] <= k_max_width,
                    "node '{}' is not a matrix of 1 to {} columns; the file is damaged", names.matrix,
                    k_max_width);
  from.graph.expect(n_in < 0 || matrix.shape[0] == n_in,
                    "node '{}' has {} rows where the layer before it is {} wide; the file is damaged",
                    names.matrix, matrix.shape[0], n_in);
  DenseLayer layer;
  layer.n_in = static_cast<int>(matrix.shape[0]);
  layer.n_out = static_cast<int>(matrix.shape[1]);
  layer.weight = std::move(matrix.values);
  layer.bias = read_row(from, names.bias, layer.n_out, model);
  if (from.graph.has(names.idt)) layer.idt = read_row(from, names.idt, layer.n_out, model);
  model.float32 = model.float32 || matrix.float32;
  return layer;
}

Model read_graph_model(const Graph& graph, const std::string& prefix) {
  Model model;
  model.source = graph.source();
  model.kind = read_kind(graph, prefix);
  GraphModel from{graph, prefix, "", nullptr, {}};
  constexpr const char* k_script = "train_attr/training_script";
  if (prefix.empty() && graph.has(k_script))
    from.script = parse_training_script(graph.text(k_script), graph.source());
  find_descriptor(from);
  refuse_unsupported(from);
  read_descriptor(from, model);
  read_embedding(from, model);
  read_fitting(from, model);
  return model;
}

}  // namespace nanoday
