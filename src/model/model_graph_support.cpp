// Says what kind of model a graph holds, and refuses by name what is not supported.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_graph_parts.hpp"

namespace nanoday {
namespace {

constexpr std::string_view k_version = "1.1";

// Suffix S if `input` is "<prefix>descrpt_attr<S>/t_avg" (with or without "/read").
std::optional<std::string> descriptor_suffix(const std::string& prefix, std::string_view input) {
  const std::string head = prefix + "descrpt_attr";
  if (!input.starts_with(head)) return std::nullopt;
  input.remove_prefix(head.size());
  const std::size_t slash = input.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view tail = input.substr(slash);
  if (tail != "/t_avg/read" && tail != "/t_avg") return std::nullopt;
  return std::string(input.substr(0, slash));
}

void refuse_suffix(const Graph& graph, const std::string& suffix) {
  if (suffix.starts_with("_model")) graph.refuse("a linear combination of models (linear_ener)");
  if (suffix.starts_with("_qm")) graph.refuse("a pairwise (DPRc) model");
}

void refuse_other_descriptors(const GraphModel& from) {
  const Graph& graph = from.graph;
  const std::string& op = from.environment->op();
  if (op == "ProdEnvMatR") graph.refuse("the descriptor se_e2_r");
  if (op == "ProdEnvMatAMix") graph.refuse("the descriptor se_atten (DPA-1)");
  if (op != "ProdEnvMatA") graph.refuse(fmt::format("the descriptor op '{}'", printable(op)));
  const std::string all = from.filter("all");
  const bool triplets = graph.has(all + "/matrix_1_0_0") || graph.has(all + "/TabulateFusionSeT");
  if (triplets) graph.refuse("the descriptor se_e3");
  if (graph.has(all + "/matrix_1")) graph.refuse("a type embedding");
}

// The fitting net runs a second time, on an empty environment, when vacuum subtraction is on.
bool subtracts_vacuum(const Graph& graph, const std::string& layer) {
  int products = 0;
  for (const char* tail : {"/matrix", "/matrix/read"}) {
    for (const Graph::Node* node : graph.consumers(layer + tail)) products += node->op() == "MatMul";
  }
  return products > 1;
}

void refuse_by_scope(const GraphModel& from) {
  const Graph& graph = from.graph;
  const std::string spin = from.node("spin_attr/"), types = from.node("type_embed_net/"),
                    share = from.node("share_"), attention = from.node("attention_layer_");
  for (const Graph::Node& node : graph.nodes()) {
    const std::string& name = node.name();
    if (name.starts_with(spin)) graph.refuse("spin");
    if (name.starts_with(types)) graph.refuse("a type embedding");
    if (name.starts_with(attention)) graph.refuse("attention layers");
    if (name.starts_with(share)) graph.refuse("shared fitting layers (layer_name)");
  }
}

}  // namespace

ModelKind read_kind(const Graph& graph, const std::string& prefix) {
  const std::string type_node = prefix + "model_attr/model_type";
  graph.expect(graph.has(type_node),
               "is not a Deep Potential model (node '{}' is missing); give a model frozen by "
               "DeePMD-kit",
               type_node);
  const std::string type = graph.text(type_node);
  if (type == "polar") graph.refuse("a polarizability fitting (model type 'polar')");
  if (type == "dos") graph.refuse("a density-of-states fitting (model type 'dos')");
  if (type != "ener" && type != "dipole") graph.refuse(fmt::format("the model type '{}'", printable(type)));
  const std::string version = graph.text(prefix + "model_attr/model_version");
  graph.expect(version == k_version,
               "has model version '{}' (only {} is supported); convert it with DeePMD-kit's "
               "'dp convert-from'",
               printable(version), k_version);
  return type == "ener" ? ModelKind::energy : ModelKind::dipole;
}

void find_descriptor(GraphModel& from) {
  const Graph& graph = from.graph;
  int members = 0;
  const Graph::Node* other = nullptr;
  for (const Graph::Node& node : graph.nodes()) {
    if (is_gradient(node.name())) continue;
    if (node.op().starts_with("Descrpt") && node.name().starts_with(from.prefix)) other = &node;
    if (!node.op().starts_with("ProdEnvMat")) continue;
    for (const std::string& input : node.input()) {
      const auto suffix = descriptor_suffix(from.prefix, input);
      if (!suffix) continue;
      refuse_suffix(graph, *suffix);
      from.suffix = *suffix;
      from.environment = &node;
      ++members;
      break;
    }
  }
  if (members > 1) graph.refuse(fmt::format("a hybrid descriptor of {} members", members));
  if (members == 0 && other != nullptr)
    graph.refuse(fmt::format("the descriptor op '{}'", printable(other->op())));
  graph.expect(members == 1,
               "holds no environment matrix op (ProdEnvMatA) with '{}'; the file is damaged or not a "
               "Deep Potential model",
               from.descriptor_attr("t_avg"));
  refuse_other_descriptors(from);
}

void refuse_unsupported(const GraphModel& from) {
  const Graph& graph = from.graph;
  if (!from.script.unsupported.empty()) graph.refuse(from.script.unsupported.front());
  const auto counts = [&](const char* name) {
    return graph.has(from.node(name)) && graph.integer(from.node(name)) != 0;
  };
  if (counts("fitting_attr/dfparam")) graph.refuse("frame parameters (fparam)");
  if (counts("fitting_attr/daparam")) graph.refuse("atomic parameters (aparam)");
  refuse_by_scope(from);
  if (graph.has(from.node("layer_0/matrix")))
    graph.refuse("one fitting net for all types (a type embedding)");
  for (const char* layer : {"layer_0_type_0", "final_layer_type_0"}) {
    if (subtracts_vacuum(graph, from.node(layer))) graph.refuse("vacuum subtraction (atom_ener)");
  }
}

}  // namespace nanoday
