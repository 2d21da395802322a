// Reads the fitting nets of a graph and everything that is added to their output.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_graph_parts.hpp"

#include <algorithm>

namespace nanoday {
namespace {

constexpr int k_max_layers = 64;
constexpr int k_dipole_components = 3;

// Fitting layers count from 0.
LayerNames layer_names(const std::string& scope) {
  return {scope + "/matrix", scope + "/bias", scope + "/idt"};
}

LayerNames hidden_names(const GraphModel& from, int layer, int type) {
  return layer_names(from.node(fmt::format("layer_{}_type_{}", layer, type)));
}

void read_selected(const GraphModel& from, Model& model) {
  model.selected.assign(model.sel.size(), model.kind == ModelKind::energy);
  if (model.kind == ModelKind::energy) return;
  const Graph& graph = from.graph;
  const std::int64_t components = graph.integer(from.node("model_attr/output_dim"));
  graph.expect(components == k_dipole_components,
               "node '{}' is {} for a dipole model (3 is needed); the file is damaged",
               from.node("model_attr/output_dim"), components);
  const std::string name = from.node("model_attr/sel_type");
  for (const std::int64_t type : graph.integers(name)) {
    graph.expect(
        type >= 0 && type < model.n_types() && !model.selected[type],
        "node '{}' selects type {}, which is not one of {} types or selected twice; the file is damaged",
        name, type, model.n_types());
    model.selected[type] = 1;
  }
  graph.expect(std::count(model.selected.begin(), model.selected.end(), 1) > 0,
               "node '{}' selects no type; the file is damaged", name);
}

FittingNet read_net(const GraphModel& from, int type, Model& model) {
  FittingNet net;
  int n_in = model.m2 > 0 ? model.m1 * model.m2 : -1;
  for (int l = 0; from.graph.has(hidden_names(from, l, type).matrix); ++l) {
    const LayerNames names = hidden_names(from, l, type);
    from.graph.expect(l < k_max_layers, "the net at '{}' has more than {} layers; the file is damaged",
                      names.matrix, k_max_layers);
    net.layers.push_back(read_layer(from, names, n_in, model));
    n_in = net.layers.back().n_out;
  }
  const LayerNames last = layer_names(from.node(fmt::format("final_layer_type_{}", type)));
  net.output = read_layer(from, last, n_in, model);
  const int n_out = model.kind == ModelKind::energy ? 1 : model.m1;
  from.graph.expect(net.output.n_out == n_out && net.output.idt.empty(),
                    "node '{}' has {} columns where {} are needed; the file is damaged", last.matrix,
                    net.output.n_out, n_out);
  const std::vector<int>& widths = from.script.fitting_neuron;
  bool as_stated = widths.empty() || widths.size() == net.layers.size();
  for (std::size_t l = 0; as_stated && l < widths.size(); ++l) as_stated = net.layers[l].n_out == widths[l];
  from.graph.expect(as_stated,
                    "the fitting net of type {} has other widths than the training script's 'neuron'; the "
                    "file is damaged",
                    type);
  if (!net.layers.empty()) {
    net.activation =
        read_activation(from, hidden_names(from, 0, type).matrix, from.script.fitting_activation);
  }
  return net;
}

// The descriptor has m1·m2 numbers; graphs state m2 only through the width of what takes them.
int axis_neuron(const GraphModel& from, int type, const FittingNet& net, const Model& model) {
  const int width = net.layers.empty() ? net.output.n_in : net.layers[0].n_in;
  const int m2 = width / model.m1;
  const bool fits = width % model.m1 == 0 && m2 >= 1 && m2 <= model.m1;
  from.graph.expect(
      fits && from.script.axis_neuron.value_or(m2) == m2,
      "the fitting net of type {} takes {} inputs, which does not match an embedding width of {}{}; the "
      "file is damaged",
      type, width, model.m1,
      from.script.axis_neuron ? fmt::format(" and axis_neuron {}", *from.script.axis_neuron) : "");
  return m2;
}

// A per-type constant of the output, or `fallback` when the file has none.
std::vector<double> per_type(const GraphModel& from, std::initializer_list<const char*> names,
                             double fallback, const Model& model) {
  for (const char* name : names) {
    if (!from.graph.has(from.node(name))) continue;
    std::vector<double> values = from.graph.reals(from.node(name)).values;
    if (model.kind == ModelKind::dipole) {
      const bool inert = std::all_of(values.begin(), values.end(), [&](double v) { return v == fallback; });
      from.graph.expect(inert, "node '{}' shifts or scales a dipole; such a model is not supported",
                        from.node(name));
      break;
    }
    from.graph.expect(values.size() == model.sel.size(),
                      "node '{}' has {} values for {} types; the file is damaged", from.node(name),
                      values.size(), model.sel.size());
    return values;
  }
  return std::vector<double>(model.sel.size(), fallback);
}

}  // namespace

void read_fitting(const GraphModel& from, Model& model) {
  read_selected(from, model);
  model.fitting.resize(model.sel.size());
  for (int type = 0; type < model.n_types(); ++type) {
    if (!model.selected[type]) continue;
    FittingNet net = read_net(from, type, model);
    model.m2 = axis_neuron(from, type, net, model);
    model.fitting[type] = std::move(net);
  }
  model.bias_atom_e = per_type(from, {"fitting_attr/t_bias_atom_e"}, 0, model);
  model.out_bias = per_type(from, {"model_attr/model_attr/t_out_bias", "model_attr/t_out_bias"}, 0, model);
  model.out_std = per_type(from, {"model_attr/model_attr/t_out_std", "model_attr/t_out_std"}, 1, model);
  for (const double scale : model.out_std) {
    from.graph.expect(scale > 0, "'t_out_std' holds {} (an output scale is positive); the file is damaged",
                      scale);
  }
}

}  // namespace nanoday
