// Finds out which activation function a layer of the graph computes.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_graph_parts.hpp"

#include <algorithm>

namespace nanoday {
namespace {

constexpr std::pair<std::string_view, Activation> k_ops[] = {
    {"Tanh", Activation::tanh},       {"GeluCustom", Activation::gelu}, {"Gelu", Activation::gelu},
    {"Relu", Activation::relu},       {"Relu6", Activation::relu6},     {"Softplus", Activation::softplus},
    {"Sigmoid", Activation::sigmoid}, {"Reshape", Activation::linear},
};

// First consumer whose op is one of `ops`, or null.
const Graph::Node* next(const Graph& graph, const Graph::Node* node,
                        std::initializer_list<std::string_view> ops) {
  if (node == nullptr) return nullptr;
  for (const Graph::Node* candidate : graph.consumers(node->name())) {
    if (std::find(ops.begin(), ops.end(), candidate->op()) != ops.end()) return candidate;
  }
  return nullptr;
}

// What follows the bias of a layer. Nothing when the op is unknown, or when the sum is used more than once:
// then the function is spelled out in several ops (x·sigmoid(x), for one).
std::optional<Activation> infer(const Graph& graph, const std::string& matrix) {
  const Graph::Node* weights = graph.find(matrix);
  if (const Graph::Node* read = next(graph, weights, {"Identity"})) weights = read;
  const Graph::Node* product = next(graph, weights, {"MatMul"});
  const Graph::Node* sum = next(graph, product, {"BiasAdd", "Add", "AddV2"});
  if (sum == nullptr) return std::nullopt;
  const std::vector<const Graph::Node*> users = graph.consumers(sum->name());
  if (users.size() != 1) return std::nullopt;
  for (const auto& [op, activation] : k_ops) {
    if (users[0]->op() == op) return activation;
  }
  return std::nullopt;
}

}  // namespace

Activation read_activation(const GraphModel& from, const std::string& matrix,
                           std::optional<Activation> script) {
  const std::optional<Activation> computed = infer(from.graph, matrix);
  if (!script) {
    from.graph.expect(computed.has_value(),
                      "the activation function behind node '{}' is not recognised (the file has "
                      "no training script to name it); freeze the model with its script",
                      matrix);
    return *computed;
  }
  from.graph.expect(!computed || *computed == *script,
                    "the training script names activation '{}' but the graph "
                    "computes '{}' behind node '{}'; the file is damaged",
                    activation_name(*script), activation_name(computed.value_or(*script)), matrix);
  return *script;
}

}  // namespace nanoday
