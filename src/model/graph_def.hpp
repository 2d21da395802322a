// A frozen TensorFlow graph as data: named nodes, their inputs and constants. Nothing in it is executed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.hpp"
#include "core/printable.hpp"
#include "graph.pb.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nanoday {

/// A constant of floating type, converted to double. All values are finite.
struct RealTensor {
  std::vector<std::int64_t> shape;
  std::vector<double> values;  ///< row-major, product of shape
  bool float32 = false;        ///< stored in single precision
};

/// A parsed graph. Node names are unique and every input names an existing node.
/// All accessors throw InputError naming the node when it is missing or not what is asked for.
class Graph {
 public:
  using Node = graph::NodeDef;

  /// Parses the wire format under bounds on size, nesting and node count.
  /// Throws InputError if the bytes are not a graph, are truncated, or hold dangling inputs.
  Graph(std::string_view bytes, std::string source);

  /// File name, for messages.
  const std::string& source() const { return source_; }
  /// Nodes in file order.
  const google::protobuf::RepeatedPtrField<Node>& nodes() const { return graph_.node(); }

  /// The node of that name, or null.
  const Node* find(std::string_view name) const;
  bool has(std::string_view name) const { return find(name) != nullptr; }
  /// Forward (non-gradient) nodes that take output of `name`, in no particular order.
  std::vector<const Node*> consumers(std::string_view name) const;

  /// Numbers of a float32 or float64 constant, also behind Identity and Cast nodes.
  RealTensor reals(std::string_view name) const;
  /// Elements of an int32 or int64 constant.
  std::vector<std::int64_t> integers(std::string_view name) const;
  /// The one element of an integer constant.
  std::int64_t integer(std::string_view name) const;
  /// The one element of a string constant.
  std::string text(std::string_view name) const;

  /// Attribute of a node, or null.
  static const graph::AttrValue* attribute(const Node& node, std::string_view key);
  /// float32 attribute `key` of `node`.
  float float_attribute(const Node& node, std::string_view key) const;
  /// Integer attribute `key` of `node`.
  std::int64_t int_attribute(const Node& node, std::string_view key) const;
  /// list(int) attribute `key` of `node`.
  std::vector<std::int64_t> int_list_attribute(const Node& node, std::string_view key) const;

  /// Throws InputError "source: text" unless the condition holds.
  template <class... Args>
  void expect(bool condition, fmt::format_string<Args...> text, Args&&... args) const {
    if (!condition) throw InputError(source_ + ": " + fmt::format(text, std::forward<Args>(args)...));
  }
  /// Throws InputError saying that the model uses `feature`, which is not supported.
  [[noreturn]] void refuse(std::string_view feature) const;

 private:
  const graph::TensorProto& constant(std::string_view name) const;
  void index_nodes();
  void index_inputs();

  std::string source_;
  graph::GraphDef graph_;
  std::unordered_map<std::string_view, const Node*> by_name_;
  std::unordered_multimap<std::string_view, const Node*> consumers_;
  mutable std::int64_t fill_budget_;  // elements that short value lists may still be expanded to
};

/// Name without "^" and ":k": the node an input refers to.
std::string_view input_node(std::string_view input);

/// True for nodes of the backward pass, which repeat names of the forward one below "gradients…".
bool is_gradient(std::string_view name);

}  // namespace nanoday
