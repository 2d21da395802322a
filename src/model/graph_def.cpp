// A frozen TensorFlow graph as data: parsing, the index of its nodes, typed access to constants.
// SPDX-License-Identifier: Apache-2.0
#include "model/graph_def.hpp"

#include "model/graph_tensor.hpp"

#include <google/protobuf/io/coded_stream.h>

#include <limits>

namespace nanoday {
namespace {

// A GraphDef nests six messages deep down to a tensor's dimension; unknown fields are skipped unopened.
constexpr int k_max_nesting = 16;
constexpr int k_max_nodes = 2'000'000;
constexpr std::int64_t k_fill_budget = std::int64_t{1} << 24;
constexpr int k_max_hops = 4;

}  // namespace

std::string_view input_node(std::string_view input) {
  if (input.starts_with('^')) input.remove_prefix(1);
  return input.substr(0, input.find(':'));
}

bool is_gradient(std::string_view name) {
  return name.starts_with("gradients") || name.find("/gradients") != std::string_view::npos;
}

Graph::Graph(std::string_view bytes, std::string source)
    : source_(std::move(source)), fill_budget_(k_fill_budget) {
  expect(bytes.size() <= std::numeric_limits<int>::max(),
         "the file has {} bytes (a frozen graph has less than 2 GiB); it is not a model", bytes.size());
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(k_max_nesting);
  const bool parsed = graph_.ParseFromCodedStream(&stream) && stream.ConsumedEntireMessage() &&
                      stream.CurrentPosition() == static_cast<int>(bytes.size());
  expect(parsed,
         "cannot be read as a TensorFlow graph (the file is truncated, damaged, or of another kind); "
         "copy it again or freeze the model to a .pb file");
  expect(graph_.node_size() > 0,
         "holds no graph nodes (the file is empty or of another kind); "
         "freeze the model to a .pb file");
  // A file cut between two nodes is well-formed; freezing always writes one of these behind the last node.
  expect(graph_.has_library() || graph_.has_versions(),
         "ends before the graph does (neither library nor versions follow the nodes); the file is truncated, "
         "copy it "
         "again");
  expect(graph_.node_size() <= k_max_nodes, "has {} nodes (at most {} are accepted); it is not a model",
         graph_.node_size(), k_max_nodes);
  index_nodes();
  index_inputs();
}

void Graph::index_nodes() {
  by_name_.reserve(graph_.node_size());
  for (const Node& node : graph_.node()) {
    expect(!node.name().empty(), "holds a node without a name; the file is damaged");
    const bool inserted = by_name_.emplace(node.name(), &node).second;
    expect(inserted, "node '{}' occurs twice; the file is damaged", printable(node.name()));
  }
}

// A dangling input means that a node was lost or renamed: without this check a lost last layer could pass for
// a smaller net.
void Graph::index_inputs() {
  for (const Node& node : graph_.node()) {
    const bool forward = !is_gradient(node.name());
    for (const std::string& input : node.input()) {
      const std::string_view name = input_node(input);
      expect(has(name), "node '{}' takes input from '{}', which is missing; the file is damaged",
             printable(node.name()), printable(input));
      if (forward) consumers_.emplace(name, &node);
    }
  }
}

const Graph::Node* Graph::find(std::string_view name) const {
  const auto it = by_name_.find(name);
  return it == by_name_.end() ? nullptr : it->second;
}

std::vector<const Graph::Node*> Graph::consumers(std::string_view name) const {
  std::vector<const Node*> nodes;
  const auto [first, last] = consumers_.equal_range(name);
  for (auto it = first; it != last; ++it) nodes.push_back(it->second);
  return nodes;
}

const graph::TensorProto& Graph::constant(std::string_view name) const {
  const Node* node = find(name);
  expect(node != nullptr, "node '{}' is missing; the file is damaged or not a Deep Potential model",
         printable(name));
  const graph::AttrValue* value = attribute(*node, "value");
  expect(node->op() == "Const" && value != nullptr && value->has_tensor(),
         "node '{}' is a '{}' (a constant is needed); freeze the model again", printable(name),
         printable(node->op()));
  return value->tensor();
}

RealTensor Graph::reals(std::string_view name) const {
  const Node* node = find(name);
  bool rounded = false;  // went through a cast to float32
  for (int hop = 0; node != nullptr && hop < k_max_hops && node->input_size() > 0; ++hop) {
    if (node->op() != "Identity" && node->op() != "Cast") break;
    const graph::AttrValue* target = attribute(*node, "DstT");
    if (node->op() == "Cast" && target != nullptr) {
      rounded = rounded || target->type() == static_cast<int>(WireType::float32);
    }
    name = input_node(node->input(0));
    node = find(name);
  }
  const graph::TensorProto& tensor = constant(name);
  const std::string where = fmt::format("{}: node '{}'", source_, printable(name));
  RealTensor result;
  result.values = tensor_reals(tensor, where, fill_budget_);
  result.shape = tensor_shape(tensor, where);
  result.float32 = rounded || tensor.dtype() == static_cast<int>(WireType::float32);
  if (rounded) {
    for (double& value : result.values) value = static_cast<float>(value);
  }
  return result;
}

std::vector<std::int64_t> Graph::integers(std::string_view name) const {
  return tensor_integers(constant(name), fmt::format("{}: node '{}'", source_, printable(name)),
                         fill_budget_);
}

std::int64_t Graph::integer(std::string_view name) const {
  const std::vector<std::int64_t> values = integers(name);
  expect(values.size() == 1, "node '{}' has {} values where one is needed; the file is damaged",
         printable(name), values.size());
  return values[0];
}

std::string Graph::text(std::string_view name) const {
  const graph::TensorProto& tensor = constant(name);
  expect(tensor.dtype() == static_cast<int>(WireType::string) && tensor.string_val_size() == 1,
         "node '{}' does not hold one string; the file is damaged", printable(name));
  return tensor.string_val(0);
}

const graph::AttrValue* Graph::attribute(const Node& node, std::string_view key) {
  for (const graph::AttrEntry& entry : node.attr()) {
    if (entry.key() == key && entry.has_value()) return &entry.value();
  }
  return nullptr;
}

float Graph::float_attribute(const Node& node, std::string_view key) const {
  const graph::AttrValue* value = attribute(node, key);
  expect(value != nullptr && value->has_f(), "node '{}' lacks the number '{}'; the file is damaged",
         printable(node.name()), key);
  return value->f();
}

std::int64_t Graph::int_attribute(const Node& node, std::string_view key) const {
  const graph::AttrValue* value = attribute(node, key);
  expect(value != nullptr && value->has_i(), "node '{}' lacks the number '{}'; the file is damaged",
         printable(node.name()), key);
  return value->i();
}

std::vector<std::int64_t> Graph::int_list_attribute(const Node& node, std::string_view key) const {
  const graph::AttrValue* value = attribute(node, key);
  expect(value != nullptr && value->has_list(), "node '{}' lacks the list '{}'; the file is damaged",
         printable(node.name()), key);
  return {value->list().i().begin(), value->list().i().end()};
}

void Graph::refuse(std::string_view feature) const {
  throw InputError(
      fmt::format("{}: the model uses {}, which is not supported; nanoday runs energy and dipole models "
                  "with one se_e2_a descriptor",
                  source_, feature));
}

}  // namespace nanoday
