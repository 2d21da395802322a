// Reads what a graph says about neighbors: cut-offs, sel, type map, shift and scale.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_graph_parts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace nanoday {
namespace {

constexpr int k_max_types = 256;
constexpr float k_max_rcut = 100;  // [Å]; far beyond any trained model, keeps neighbor lists finite
constexpr std::int64_t k_max_neighbors = 1 << 20;
constexpr std::size_t k_max_type_name = 64;
// Training keeps scales above 1e-2; a far smaller one is damage, and would blow up every table range.
constexpr double k_min_scale = 1e-6;
constexpr double k_max_shift = 1e6;
constexpr double k_min_distance = 1e-3;  // [Å] a smaller "smallest distance" says nothing about contacts

void read_cutoffs(const GraphModel& from, Model& model) {
  const Graph& graph = from.graph;
  const std::string op = printable(from.environment->name());
  // The op's attributes are float32 and authoritative; the producer forms their difference in float32 too.
  const float rcut = graph.float_attribute(*from.environment, "rcut_r");
  const float rcut_smth = graph.float_attribute(*from.environment, "rcut_r_smth");
  graph.expect(rcut > 0 && rcut <= k_max_rcut,
               "node '{}' has cut-off {} (0 to {} A is accepted); the file is damaged", op, rcut, k_max_rcut);
  graph.expect(
      rcut_smth >= 0 && rcut_smth < rcut,
      "node '{}' starts switching at {}, which is not between 0 and the cut-off {}; the file is damaged", op,
      rcut_smth, rcut);
  model.rcut = rcut;
  model.rcut_smth = rcut_smth;
  model.switch_width = static_cast<float>(rcut - rcut_smth);
  const std::string stated = from.node("descrpt_attr/rcut");
  if (graph.has(stated)) {
    const RealTensor value = graph.reals(stated);
    graph.expect(value.values.size() == 1 && static_cast<float>(value.values[0]) == rcut,
                 "node '{}' contradicts the cut-off {} of node '{}'; the file is damaged", stated, rcut, op);
  }
}

std::int64_t checked_sum(const Graph& graph, const std::vector<std::int64_t>& sel, const std::string& where) {
  std::int64_t sum = 0;
  for (const std::int64_t n : sel) {
    graph.expect(n >= 0 && n <= k_max_neighbors,
                 "node '{}' has a neighbor capacity of {} (0 to {} is accepted); the "
                 "file is damaged",
                 where, n, k_max_neighbors);
    sum += n;
  }
  graph.expect(sum >= 1 && sum <= k_max_neighbors,
               "node '{}' has {} neighbors in all (1 to {} are accepted); the file "
               "is damaged",
               where, sum, k_max_neighbors);
  return sum;
}

void read_sel(const GraphModel& from, Model& model) {
  const Graph& graph = from.graph;
  const std::string op = printable(from.environment->name());
  const std::vector<std::int64_t> sel = graph.int_list_attribute(*from.environment, "sel_a");
  const std::int64_t n_types = graph.integer(from.node("descrpt_attr/ntypes"));
  graph.expect(n_types >= 1 && n_types <= k_max_types,
               "has {} types (1 to {} are accepted); the file is damaged", n_types, k_max_types);
  graph.expect(static_cast<std::int64_t>(sel.size()) == n_types,
               "node '{}' has sel for {} types but the model has {}; the file is damaged", op, sel.size(),
               n_types);
  for (const std::int64_t n : graph.int_list_attribute(*from.environment, "sel_r")) {
    if (n != 0) graph.refuse("neighbors with radial information only (sel_r)");
  }
  std::int64_t normaliser = checked_sum(graph, sel, op);
  const std::string stated = from.descriptor_attr("sel"), original = from.descriptor_attr("original_sel");
  graph.expect(!graph.has(stated) || graph.integers(stated) == sel,
               "node '{}' contradicts the sel of node '{}'; the file is damaged", stated, op);
  if (graph.has(original)) {
    const std::vector<std::int64_t> trained = graph.integers(original);
    graph.expect(trained.size() == sel.size(), "node '{}' has {} entries for {} types; the file is damaged",
                 original, trained.size(), n_types);
    normaliser = checked_sum(graph, trained, original);
  }
  model.sel.assign(sel.begin(), sel.end());
  model.normaliser = static_cast<int>(normaliser);
}

void read_type_map(const GraphModel& from, Model& model) {
  const Graph& graph = from.graph;
  const std::string name = from.node("model_attr/tmap");
  const std::string text = graph.has(name) ? graph.text(name) : "";
  std::vector<std::string> types;
  for (std::size_t begin = text.find_first_not_of(' '); begin != std::string::npos;) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    types.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(' ', end);
    const std::string& type = types.back();
    graph.expect(type.size() <= k_max_type_name && printable(type) == type,
                 "node '{}' holds a type name '{}' that is not plain text; the file is damaged", name,
                 printable(type));
  }
  if (types.empty()) types.resize(model.sel.size());
  graph.expect(types.size() == model.sel.size(),
               "node '{}' names {} types but the model has {}; the file is damaged", name, types.size(),
               model.sel.size());
  for (std::size_t a = 0; a < types.size(); ++a) {
    const bool unique =
        types[a].empty() || std::find(types.begin(), types.begin() + a, types[a]) == types.begin() + a;
    graph.expect(unique, "node '{}' names type '{}' twice (atoms could not be matched by name); rename one",
                 name, types[a]);
  }
  model.type_map = std::move(types);
}

// One 4-vector per centre type from the (nt, 4·Σsel) array, whose slots are all equal in every trained model.
std::vector<std::array<double, 4>> read_slots(const GraphModel& from, const char* which, const Model& model) {
  const std::string name = from.descriptor_attr(which);
  const RealTensor tensor = from.graph.reals(name);
  const std::int64_t n_types = model.n_types();
  const std::int64_t width = 4 * std::accumulate(model.sel.begin(), model.sel.end(), std::int64_t{0});
  from.graph.expect(tensor.shape == std::vector<std::int64_t>{n_types, width},
                    "node '{}' is not {} by {} (types by 4 times sel); the file is damaged", name, n_types,
                    width);
  std::vector<std::array<double, 4>> rows(n_types);
  for (std::int64_t a = 0; a < n_types; ++a) {
    const double* row = tensor.values.data() + a * width;
    std::copy_n(row, 4, rows[a].begin());
    for (std::int64_t i = 4; i < width; ++i) {
      from.graph.expect(row[i] == row[i % 4],
                        "node '{}' differs between neighbor slots of type {} (training makes them "
                        "equal); such a model is not supported",
                        name, a);
    }
  }
  return rows;
}

void read_shift_and_scale(const GraphModel& from, Model& model) {
  model.avg = read_slots(from, "t_avg", model);
  model.std = read_slots(from, "t_std", model);
  for (int a = 0; a < model.n_types(); ++a) {
    for (int c = 0; c < 4; ++c) {
      from.graph.expect(model.std[a][c] >= k_min_scale,
                        "node '{}' has scale {} for type {} (it must be positive); the "
                        "file is damaged",
                        from.descriptor_attr("t_std"), model.std[a][c], a);
      from.graph.expect(std::abs(model.avg[a][c]) <= k_max_shift,
                        "node '{}' has shift {} for type {}; the file is "
                        "damaged",
                        from.descriptor_attr("t_avg"), model.avg[a][c], a);
      // Rotational symmetry: no mean direction. Padding slots would otherwise carry an angular part.
      from.graph.expect(c == 0 || model.avg[a][c] == 0,
                        "node '{}' shifts the angular components of type {} (training "
                        "never does); such a model is not supported",
                        from.descriptor_attr("t_avg"), a);
    }
  }
}

}  // namespace

void read_descriptor(const GraphModel& from, Model& model) {
  read_cutoffs(from, model);
  read_sel(from, model);
  read_type_map(from, model);
  read_shift_and_scale(from, model);
  const std::string nearest = from.node("train_attr/min_nbor_dist");
  if (from.graph.has(nearest)) {
    const RealTensor value = from.graph.reals(nearest);
    const bool usable =
        value.values.size() == 1 && value.values[0] >= k_min_distance && value.values[0] < model.rcut;
    model.min_nbor_dist = usable ? value.values[0] : 0;
  }
}

}  // namespace nanoday
