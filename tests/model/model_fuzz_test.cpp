// Damaged model files: each is read to a consistent Model or refused with InputError.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "model/model_info.hpp"
#include "model/model_samples.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>

namespace nanoday {
namespace {

using namespace reference;
using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t n) { return random() % n; }

// Counts of both outcomes, so that a test can demand that both occur.
struct Outcome {
  int accepted = 0, refused = 0;
};

// Any exception other than InputError leaves this function and fails the test.
void try_to_read(std::string_view bytes, Outcome& outcome) {
  try {
    const Model model = parse_graph_model(bytes, "damaged.pb");
    ASSERT_EQ(inconsistency(model), "");
    ASSERT_FALSE(model_info_json(model).empty());
    ++outcome.accepted;
  } catch (const InputError& error) {
    ASSERT_GT(std::string_view(error.what()).size(), 20u);
    ++outcome.refused;
  }
}

class DamagedModel : public testing::TestWithParam<const char*> {
 protected:
  const std::string bytes = file_bytes(data_path(GetParam()));
  Random random{20240607};
  Outcome outcome;

  // The environment variable NANODAY_FUZZ multiplies the rounds for a longer hunt.
  int rounds(int n) const {
    const char* factor = std::getenv("NANODAY_FUZZ");
    return (bytes.size() > 1'000'000 ? n / 4 : n) * (factor ? std::max(1, std::atoi(factor)) : 1);
  }
};

TEST_P(DamagedModel, truncations_are_refused) {
  for (int round = 0; round < rounds(400); ++round) {
    try_to_read(std::string_view(bytes).substr(0, below(random, bytes.size())), outcome);
  }
  EXPECT_EQ(outcome.accepted, 0);
}

TEST_P(DamagedModel, flipped_bits_are_refused_or_harmless) {
  for (int round = 0; round < rounds(800); ++round) {
    std::string damaged = bytes;
    const int flips = 1 + int(below(random, 4));
    for (int i = 0; i < flips; ++i) damaged[below(random, bytes.size())] ^= char(1 << below(random, 8));
    try_to_read(damaged, outcome);
  }
  EXPECT_GT(outcome.accepted, 0);
  EXPECT_GT(outcome.refused, 0);
}

TEST_P(DamagedModel, lost_repeated_and_overwritten_stretches_are_refused_or_harmless) {
  for (int round = 0; round < rounds(400); ++round) {
    std::string damaged = bytes;
    const std::size_t at = below(random, bytes.size()), length = 1 + below(random, 64);
    switch (below(random, 3)) {
      case 0:
        damaged.erase(at, length);
        break;
      case 1:
        damaged.insert(at, bytes.substr(below(random, bytes.size()), length));
        break;
      default:
        damaged.replace(at, length, std::string(length, char(below(random, 256))));
    }
    try_to_read(damaged, outcome);
  }
  EXPECT_GT(outcome.refused, 0);
}

std::int64_t odd_number(Random& random) {
  constexpr std::int64_t numbers[] = {
      0, 1, -1, 2, 3, 7, 255, 1 << 16, std::int64_t{1} << 31, std::int64_t{1} << 40, INT64_MAX, INT64_MIN};
  return numbers[below(random, std::size(numbers))];
}

void damage_tensor(graph::TensorProto& tensor, Random& random) {
  auto& shape = *tensor.mutable_tensor_shape();
  switch (below(random, 6)) {
    case 0:
      tensor.set_dtype(int(below(random, 24)));
      break;
    case 1:
      tensor.clear_tensor_content();
      break;
    case 2:
      shape.add_dim()->set_size(odd_number(random));
      break;
    case 3:
      tensor.add_double_val(double(odd_number(random)));
      break;
    case 4:
      tensor.add_int_val(int(odd_number(random)));
      break;
    default:
      if (shape.dim_size() > 0)
        shape.mutable_dim(int(below(random, shape.dim_size())))->set_size(odd_number(random));
  }
}

// Changes that keep the wire format intact and so reach the checks behind the parser.
void damage_node(graph::NodeDef& node, const graph::GraphDef& graph, Random& random) {
  const auto any_name = [&] { return graph.node(int(below(random, graph.node_size()))).name(); };
  switch (below(random, 5)) {
    case 0:
      node.set_name(any_name());
      return;
    case 1:
      node.set_op("Const");
      return;
    case 2:
      if (node.input_size() > 0) node.set_input(int(below(random, node.input_size())), any_name());
      return;
    default:
      break;
  }
  if (node.attr_size() == 0) return;
  graph::AttrValue& value = *node.mutable_attr(int(below(random, node.attr_size())))->mutable_value();
  if (value.has_tensor()) damage_tensor(*value.mutable_tensor(), random);
  if (value.has_f()) value.set_f(float(odd_number(random)));
  if (value.has_i()) value.set_i(odd_number(random));
  if (value.has_list() && value.list().i_size() > 0) value.mutable_list()->set_i(0, odd_number(random));
}

TEST_P(DamagedModel, well_formed_nonsense_is_refused_or_harmless) {
  const graph::GraphDef original = graph_of(GetParam());
  // Nodes the reader looks at; damage elsewhere goes unseen.
  std::vector<int> read;
  for (int i = 0; i < original.node_size(); ++i) {
    const std::string& name = original.node(i).name();
    const bool forward = name.find("gradients") == std::string::npos;
    const bool constant = original.node(i).op() == "Const" && name.find("Reshape") == std::string::npos &&
                          name.find("lice") == std::string::npos;
    if (forward && (constant || original.node(i).op().starts_with("ProdEnv") ||
                    original.node(i).op().starts_with("Tabulate"))) {
      read.push_back(i);
    }
  }
  for (int round = 0; round < rounds(250); ++round) {
    graph::GraphDef damaged = original;
    const int count = 1 + int(below(random, 3));
    for (int i = 0; i < count; ++i) {
      damage_node(*damaged.mutable_node(read[below(random, read.size())]), original, random);
    }
    try_to_read(damaged.SerializeAsString(), outcome);
  }
  EXPECT_GT(outcome.accepted, 0);
  EXPECT_GT(outcome.refused, 0);
}

INSTANTIATE_TEST_SUITE_P(Shipped, DamagedModel,
                         testing::Values("water_sea.pb", "water_sea_compressed.pb", "water_sea_two.pb",
                                         "water_dw.pb", "water_dplr.pb"),
                         [](const auto& info) {
                           const std::string name = info.param;
                           return name.substr(0, name.find('.'));
                         });

// Texts of charges and numbers beside them: nearly right ones reach every check of the modifier.
TEST(DamagedModifier, odd_charges_are_refused_or_within_bounds) {
  Random random(99);
  Outcome outcome;
  const graph::GraphDef original = graph_of("water_dplr.pb");
  constexpr std::string_view k_letters = "0123456789 -+.eEnaif\t\n,x";
  for (int round = 0; round < 250; ++round) {
    graph::GraphDef damaged = original;
    for (const char* name : {"modifier_attr/sys_charge_map", "modifier_attr/mdl_charge_map"}) {
      std::string& text = *tensor_of(damaged, name).mutable_string_val(0);
      if (below(random, 2) == 0)
        text.insert(below(random, text.size() + 1), 1, k_letters[below(random, k_letters.size())]);
      if (below(random, 4) == 0) text.erase(below(random, text.size()), 1);
    }
    if (below(random, 4) == 0) set_first(damaged, "modifier_attr/ewald_beta", double(odd_number(random)));
    if (below(random, 4) == 0) set_first(damaged, "modifier_attr/ewald_h", double(odd_number(random)));
    try_to_read(damaged.SerializeAsString(), outcome);
  }
  EXPECT_GT(outcome.accepted, 20);
  EXPECT_GT(outcome.refused, 20);
}

TEST(DamagedBytes, random_bytes_are_refused) {
  Random random(7);
  Outcome outcome;
  for (int round = 0; round < 500; ++round) {
    std::string bytes(below(random, 400), '\0');
    for (char& c : bytes) c = char(random());
    try_to_read(bytes, outcome);
  }
  EXPECT_EQ(outcome.accepted, 0);
}

TEST(DamagedBytes, deep_nesting_is_refused_without_deep_recursion) {
  // Groups of an unknown field nest in the wire format: 3-byte start tags without an end.
  std::string bytes;
  for (int i = 0; i < 1'000'000; ++i) bytes += "\x83\x7d";
  Outcome outcome;
  try_to_read(bytes, outcome);
  // The same within JSON: brackets of a training script.
  graph::GraphDef graph = graph_of("water_sea.pb");
  tensor_of(graph, "train_attr/training_script")
      .set_string_val(0, "{\"model\":" + std::string(2'000'000, '['));
  try_to_read(graph.SerializeAsString(), outcome);
  const std::string closed =
      "{\"model\":{\"x\":" + std::string(1'000'000, '[') + std::string(1'000'000, ']') + "}}";
  tensor_of(graph, "train_attr/training_script").set_string_val(0, closed);
  try_to_read(graph.SerializeAsString(), outcome);
  EXPECT_EQ(outcome.refused + outcome.accepted, 3);
  EXPECT_GE(outcome.refused, 2);
}

}  // namespace
}  // namespace nanoday
