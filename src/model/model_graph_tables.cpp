// Reads the tables that replace the embedding nets in a compressed graph.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_graph_parts.hpp"

#include <charconv>
#include <cmath>

namespace nanoday {
namespace {

constexpr std::int64_t k_max_outputs = 16384;
constexpr double k_max_rows = 1e8;
constexpr double k_max_abs_limit = 1e9;

// Single-precision limits are the float32 neighbors of round decimals with which the table was made. Counting
// pieces needs the decimals: 11/0.05f is 219.99…, one piece short.
double shortest_decimal(double value) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, static_cast<float>(value)).ptr;
  double decimal = value;
  std::from_chars(text, end, decimal);
  return decimal;
}

// table_info: lower, upper, max, stride0, stride1, check frequency (unused).
void read_limits(const Graph& graph, std::string_view node, CompressedTable& table) {
  RealTensor info = graph.reals(node);
  const std::string name = printable(node);
  graph.expect(info.values.size() == 6, "node '{}' has {} values where 6 are needed; the file is damaged",
               name, info.values.size());
  if (info.float32) {
    for (double& value : info.values) value = shortest_decimal(value);
  }
  table.lower = info.values[0];
  table.upper = info.values[1];
  table.max = info.values[2];
  table.stride0 = info.values[3];
  table.stride1 = info.values[4];
  const bool ordered = -k_max_abs_limit <= table.lower && table.lower < table.upper &&
                       table.upper <= table.max && table.max <= k_max_abs_limit && table.stride0 > 0 &&
                       table.stride1 > 0;
  graph.expect(ordered,
               "node '{}' does not describe a table range (lower < upper <= max, positive strides); the file "
               "is damaged",
               name);
}

void check_rows(const Graph& graph, const std::string& name, const CompressedTable& table) {
  const double fine = (table.upper - table.lower) / table.stride0,
               coarse = (table.max - table.upper) / table.stride1;
  graph.expect(fine + coarse <= k_max_rows, "node '{}' describes {} table rows; the file is damaged", name,
               fine + coarse);
  // The row count was rounded once, each segment's again when it is looked up: allow one row either way.
  const double expected = std::floor(fine + coarse);
  graph.expect(std::abs(table.n_rows - expected) <= 1 && std::floor(fine) <= table.n_rows,
               "node '{}' describes {} table rows but the table has {}; the file is damaged", name, expected,
               table.n_rows);
}

CompressedTable read_table(const Graph& graph, const Graph::Node& op, Model& model) {
  const std::string name = printable(op.name());
  graph.expect(op.op() == "TabulateFusionSeA" && op.input_size() >= 2,
               "node '{}' is not a table look-up of se_e2_a; the file is damaged", name);
  const std::int64_t n_outputs = graph.int_attribute(op, "last_layer_size");
  graph.expect(n_outputs >= 1 && n_outputs <= k_max_outputs && (model.m1 == 0 || n_outputs == model.m1),
               "node '{}' has {} outputs where {} are needed; the file is damaged", name, n_outputs,
               model.m1);
  model.m1 = static_cast<int>(n_outputs);
  CompressedTable table;
  read_limits(graph, input_node(op.input(1)), table);
  RealTensor values = graph.reals(input_node(op.input(0)));
  graph.expect(values.shape.size() == 2 && values.shape[0] >= 1 && values.shape[1] == 6 * n_outputs,
               "the table of node '{}' is not rows by {}; the file is damaged", name, 6 * n_outputs);
  table.n_rows = static_cast<int>(values.shape[0]);
  table.n_outputs = model.m1;
  check_rows(graph, name, table);
  model.float32 = model.float32 || values.float32;
  table.coefficients = std::move(values.values);
  return table;
}

// Look-ups of one scope, in the order of their numbers.
std::vector<const Graph::Node*> look_ups(const Graph& graph, const std::string& scope) {
  std::vector<const Graph::Node*> ops;
  std::string name = scope + "/TabulateFusionSeA";
  while (const Graph::Node* node = graph.find(name)) {
    ops.push_back(node);
    name = fmt::format("{}/TabulateFusionSeA_{}", scope, ops.size());
  }
  return ops;
}

}  // namespace

void read_tables(const GraphModel& from, Model& model) {
  const int n_types = model.n_types();
  model.tables.resize(model.pair_count());
  for (int centre = 0; centre < (model.one_sided ? 1 : n_types); ++centre) {
    const std::string scope = model.one_sided ? from.filter("all") : from.filter(centre);
    std::vector<int> pairs;  // excluded pairs of two-sided graphs have no look-up and take no number
    for (int b = 0; b < n_types; ++b) {
      if (model.one_sided || !model.is_excluded(centre, b)) pairs.push_back(model.pair_index(centre, b));
    }
    const std::vector<const Graph::Node*> ops = look_ups(from.graph, scope);
    from.graph.expect(ops.size() == pairs.size(),
                      "'{}' has {} table look-ups for {} neighbor types; the file is damaged, "
                      "or excludes pairs without a training script to name them",
                      scope, ops.size(), pairs.size());
    for (std::size_t k = 0; k < ops.size(); ++k)
      model.tables[pairs[k]] = read_table(from.graph, *ops[k], model);
  }
}

}  // namespace nanoday
