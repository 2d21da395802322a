// Reads the embedding nets of a graph: which type pairs have one, and its layers.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_graph_parts.hpp"

namespace nanoday {
namespace {

constexpr int k_max_layers = 64;

// Embedding layers count from 1.
LayerNames layer_names(const std::string& scope, int layer, int neighbor) {
  return {fmt::format("{}/matrix_{}_{}", scope, layer, neighbor),
          fmt::format("{}/bias_{}_{}", scope, layer, neighbor),
          fmt::format("{}/idt_{}_{}", scope, layer, neighbor)};
}

bool is_compressed(const GraphModel& from) {
  bool tables = false;
  const std::string filters = from.node("filter_type_");
  for (const Graph::Node& node : from.graph.nodes()) {
    tables = tables || (node.op() == "TabulateFusionSeA" && node.name().starts_with(filters));
  }
  if (from.prefix.empty() && from.graph.has("model_type")) {
    const std::string stated = from.graph.text("model_type");
    from.graph.expect((stated == "compressed_model") == tables,
                      "node 'model_type' says '{}' but the graph has {} tables; the file is damaged",
                      printable(stated), tables ? "its own" : "no");
  }
  return tables;
}

void exclude_as_script_says(const GraphModel& from, Model& model) {
  const int n_types = model.n_types();
  for (const auto& [a, b] : from.script.exclude_types) {
    from.graph.expect(a < n_types && b < n_types,
                      "the training script excludes types ({}, {}) but there are {} types; "
                      "the file is damaged",
                      a, b, n_types);
    model.excluded[a * n_types + b] = model.excluded[b * n_types + a] = 1;
  }
}

// Without a script the only trace of an excluded pair is its missing net. One-sided graphs keep all nets and
// mask the environment matrix instead; the mask cannot be told apart, so it is refused.
void exclude_as_graph_shows(const GraphModel& from, Model& model) {
  const Graph& graph = from.graph;
  if (model.one_sided) {
    const Graph::Node* slice = graph.find(from.filter("all") + "/Slice");
    const Graph::Node* source =
        slice && slice->input_size() > 0 ? graph.find(input_node(slice->input(0))) : nullptr;
    if (source && source->op() == "Mul")
      graph.refuse("excluded pairs in a graph without its training script");
    return;
  }
  const int n_types = model.n_types();
  for (int a = 0; a < n_types; ++a) {
    if (model.compressed && graph.has(from.filter(a) + "/TabulateFusionSeA")) continue;
    for (int b = 0; b < n_types; ++b) {
      model.excluded[a * n_types + b] = !graph.has(layer_names(from.filter(a), 1, b).matrix);
    }
  }
}

EmbeddingNet read_net(const GraphModel& from, const std::string& scope, int neighbor, Model& model) {
  EmbeddingNet net;
  const LayerNames first = layer_names(scope, 1, neighbor);
  net.layers.push_back(read_layer(from, first, 1, model));
  for (int l = 2; from.graph.has(layer_names(scope, l, neighbor).matrix); ++l) {
    from.graph.expect(l <= k_max_layers, "the net at '{}' has more than {} layers; the file is damaged",
                      first.matrix, k_max_layers);
    net.layers.push_back(read_layer(from, layer_names(scope, l, neighbor), net.layers.back().n_out, model));
  }
  net.activation = read_activation(from, first.matrix, from.script.embedding_activation);
  const std::vector<int>& widths = from.script.embedding_neuron;
  bool as_stated = widths.empty() || widths.size() == net.layers.size();
  for (std::size_t l = 0; as_stated && l < widths.size(); ++l) as_stated = net.layers[l].n_out == widths[l];
  from.graph.expect(as_stated,
                    "the net at '{}' has other widths than the training script's 'neuron'; the file is "
                    "damaged",
                    first.matrix);
  for (const DenseLayer& layer : net.layers) model.resnet_dt = model.resnet_dt || !layer.idt.empty();
  return net;
}

void read_nets(const GraphModel& from, Model& model) {
  const int n_types = model.n_types();
  for (int p = 0; p < model.pair_count(); ++p) {
    const int centre = p / n_types, neighbor = p % n_types;
    if (!model.one_sided && model.is_excluded(centre, neighbor)) continue;
    const std::string scope = model.one_sided ? from.filter("all") : from.filter(centre);
    model.embedding[p] = read_net(from, scope, neighbor, model);
    const int width = model.embedding[p].layers.back().n_out;
    if (model.m1 == 0) model.m1 = width;
    from.graph.expect(width == model.m1,
                      "the net at '{}' is {} wide where others are {}; the file is damaged",
                      layer_names(scope, 1, neighbor).matrix, width, model.m1);
  }
}

}  // namespace

void read_embedding(const GraphModel& from, Model& model) {
  const Graph& graph = from.graph;
  const std::string all = from.filter("all");
  model.compressed = is_compressed(from);
  model.one_sided = graph.has(layer_names(all, 1, 0).matrix) || graph.has(all + "/TabulateFusionSeA");
  model.excluded.assign(model.sel.size() * model.sel.size(), 0);
  if (from.script.present) {
    exclude_as_script_says(from, model);
  } else {
    exclude_as_graph_shows(from, model);
  }
  model.embedding.resize(model.pair_count());
  if (model.compressed) {
    read_tables(from, model);
  } else {
    read_nets(from, model);
  }
  graph.expect(model.m1 > 0,
               "holds no embedding net (node '{}' is missing and no pair has one); the file is damaged",
               layer_names(model.one_sided ? all : from.filter(0), 1, 0).matrix);
}

}  // namespace nanoday
