// Reading of accepted models: values against what the files hold.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_file.hpp"

#include "model/model_samples.hpp"

#include <chrono>

namespace nanoday {
namespace {

using namespace reference;

std::vector<int> widths(const std::vector<DenseLayer>& layers) {
  std::vector<int> result;
  for (const DenseLayer& layer : layers) result.push_back(layer.n_out);
  return result;
}

TEST(ModelFile, reads_a_one_sided_energy_model) {
  const Model model = read_model(data_path("water_sea.pb"));
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_EQ(model.kind, ModelKind::energy);
  EXPECT_EQ(model.type_map, (std::vector<std::string>{"O", "H"}));
  EXPECT_EQ(model.sel, (std::vector<int>{46, 92}));
  EXPECT_EQ(model.normaliser, 138);
  EXPECT_TRUE(model.one_sided);
  EXPECT_FALSE(model.float32);
  EXPECT_FALSE(model.compressed);
  EXPECT_EQ(model.m1, 16);
  EXPECT_EQ(model.m2, 4);
  EXPECT_EQ(widths(model.embedding[0].layers), (std::vector<int>{4, 8, 16}));
  EXPECT_EQ(widths(model.fitting[1].layers), (std::vector<int>{20, 20, 20}));
  EXPECT_TRUE(model.fitting[1].layers[0].idt.empty());
  EXPECT_EQ(model.fitting[1].layers[1].idt.size(), 20u);
  EXPECT_EQ(model.avg[0][0], 0.03612684971466811);
  EXPECT_EQ(model.std[0][3], 0.0807637824213218);
  EXPECT_EQ(model.bias_atom_e[1], -187.14863281249998);
  EXPECT_EQ(model.embedding[0].layers[0].weight[0], -0.03561254976594934);
  EXPECT_EQ(model.min_nbor_dist, 0.892451513761333);
}

TEST(ModelFile, takes_cutoffs_as_the_single_precision_numbers_of_the_op) {
  const Model model = read_model(data_path("water_sea.pb"));
  EXPECT_EQ(model.rcut, 5.0);
  EXPECT_EQ(model.rcut_smth, double(0.6f));
  EXPECT_EQ(model.switch_width, double(5.0f - 0.6f));
}

TEST(ModelFile, reads_excluded_pairs_and_uneven_widths_of_a_two_sided_model) {
  const Model model = read_model(data_path("water_sea_two.pb"));
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_FALSE(model.one_sided);
  EXPECT_EQ(model.excluded, (std::vector<char>{1, 0, 0, 0}));
  EXPECT_TRUE(model.embedding[0].empty());
  EXPECT_EQ(widths(model.embedding[model.pair_index(1, 0)].layers), (std::vector<int>{5, 10, 10}));
  EXPECT_EQ(widths(model.fitting[0].layers), (std::vector<int>{16, 24, 24}));
  EXPECT_EQ(model.m2, 5);
}

TEST(ModelFile, finds_excluded_pairs_without_a_training_script) {
  graph::GraphDef graph = graph_of("water_sea_two.pb");
  node_of(graph, "train_attr/training_script").set_name("elsewhere");
  const Model model = parse_graph_model(graph.SerializeAsString(), "edited.pb");
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_EQ(model.excluded, (std::vector<char>{1, 0, 0, 0}));
  EXPECT_EQ(model.embedding[1].activation, Activation::tanh);
}

TEST(ModelFile, reads_time_steps_and_gelu) {
  for (const bool with_script : {true, false}) {
    graph::GraphDef graph = graph_of("water_sea_dt.pb");
    if (!with_script) node_of(graph, "train_attr/training_script").set_name("elsewhere");
    const Model model = parse_graph_model(graph.SerializeAsString(), "edited.pb");
    EXPECT_EQ(inconsistency(model), "");
    EXPECT_TRUE(model.resnet_dt);
    EXPECT_EQ(model.embedding[1].activation, Activation::gelu);
    EXPECT_EQ(model.fitting[0].activation, Activation::gelu);
    EXPECT_EQ(widths(model.embedding[0].layers), (std::vector<int>{1, 2, 4, 4}));
    EXPECT_EQ(model.embedding[0].layers[3].idt.size(), 4u);
    EXPECT_EQ(model.avg[1][0], 0.0);
  }
}

TEST(ModelFile, reads_tables_of_a_compressed_model) {
  const Model model = read_model(data_path("water_sea_compressed.pb"));
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_TRUE(model.compressed);
  ASSERT_EQ(model.tables.size(), 2u);
  EXPECT_TRUE(model.embedding[0].empty());
  const CompressedTable& table = model.tables[1];
  EXPECT_EQ(table.lower, -1.0);
  EXPECT_EQ(table.upper, 10.0);
  EXPECT_EQ(table.max, 50.0);
  EXPECT_EQ(table.stride0, 0.02);
  EXPECT_EQ(table.stride1, 0.2);
  EXPECT_EQ(table.n_rows, 750);
  EXPECT_EQ(table.coefficients[0], 1.7145884803781657);
  EXPECT_EQ(table.coefficients[1], -0.6019589778206893);
}

TEST(ModelFile, reads_a_dipole_model) {
  const Model model = read_model(data_path("water_dw.pb"));
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_EQ(model.kind, ModelKind::dipole);
  EXPECT_EQ(model.selected, (std::vector<char>{1, 0}));
  EXPECT_EQ(model.fitting[0].output.n_out, 16);
  EXPECT_TRUE(model.fitting[1].empty());
}

TEST(ModelFile, takes_the_normaliser_from_the_capacities_used_in_training) {
  graph::GraphDef graph = graph_of("water_sea.pb");
  graph::TensorProto& sel = tensor_of(graph, "descrpt_attr/original_sel");
  sel.clear_tensor_content();
  sel.add_int_val(50);  // a short list repeats its last value
  EXPECT_EQ(parse_graph_model(graph.SerializeAsString(), "edited.pb").normaliser, 100);
}

TEST(ModelFile, accepts_repeated_numbers_that_are_not_packed) {
  graph::GraphDef graph = graph_of("water_sea.pb");
  graph::TensorProto& sel = tensor_of(graph, "descrpt_attr/original_sel");
  sel.clear_tensor_content();
  // Appended as unknown bytes: field 7 with wire type 0, once per value.
  sel.mutable_unknown_fields()->append("\x38\x2e\x38\x5c", 4);
  const Model model = parse_graph_model(graph.SerializeAsString(), "edited.pb");
  EXPECT_EQ(model.normaliser, 46 + 92);
}

TEST(ModelFile, a_type_map_may_be_absent) {
  graph::GraphDef graph = graph_of("water_sea.pb");
  tensor_of(graph, "model_attr/tmap").set_string_val(0, " ");
  EXPECT_EQ(parse_graph_model(graph.SerializeAsString(), "edited.pb").type_map,
            (std::vector<std::string>{"", ""}));
}

TEST(ModelFile, hash_depends_on_every_byte) {
  const std::string bytes = file_bytes(data_path("water_sea.pb"));
  EXPECT_EQ(parse_graph_model(bytes, "a").hash, parse_graph_model(bytes, "b").hash);
  graph::GraphDef graph = graph_of("water_sea.pb");
  tensor_of(graph, "fitting_attr/t_bias_atom_e").mutable_tensor_content()->front() ^= 1;
  EXPECT_NE(parse_graph_model(bytes, "a").hash, parse_graph_model(graph.SerializeAsString(), "a").hash);
}

TEST(ModelFile, activation_names_round_trip) {
  for (const char* name : {"tanh", "gelu", "relu", "relu6", "softplus", "sigmoid", "silu", "linear"}) {
    EXPECT_EQ(activation_name(parse_activation(name)), name);
  }
  EXPECT_EQ(parse_activation("gelu_tf"), Activation::gelu);
  EXPECT_EQ(parse_activation("none"), Activation::linear);
  EXPECT_THROW(parse_activation("tanhh"), InputError);
}

struct Sample {
  const char* name;
  int m1, m2, n;
  double rcut, rcut_smth;
};

TEST(ModelFile, reads_every_supported_reference_model) {
  const Sample samples[] = {
      {"deeppot", 8, 4, 138, 6, 0.5},
      {"deepdipole", 8, 4, 138, 4, 0.5},
      {"deepdipole_new", 10, 6, 138, 4, 3.8f},
      {"lrdipole", 10, 8, 138, 6, 0.5},
      {"water_dw_compressed", 16, 4, 138, 6, 0.5},
      {"water_sea_f32", 16, 4, 138, 5, 0.6f},
      {"water_sea_f32_compressed", 16, 4, 138, 5, 0.6f},
  };
  if (!std::filesystem::exists(spec_path("models")))
    GTEST_SKIP() << "no reference models at " << spec_path("models");
  for (const Sample& sample : samples) {
    SCOPED_TRACE(sample.name);
    const Model model = read_model(spec_path(std::string("models/") + sample.name + ".pb"));
    EXPECT_EQ(inconsistency(model), "");
    EXPECT_EQ(model.m1, sample.m1);
    EXPECT_EQ(model.m2, sample.m2);
    EXPECT_EQ(model.normaliser, sample.n);
    EXPECT_EQ(model.rcut, sample.rcut);
    EXPECT_EQ(model.rcut_smth, sample.rcut_smth);
    EXPECT_EQ(model.float32, std::string(sample.name).find("f32") != std::string::npos);
  }
}

TEST(ModelFile, table_limits_of_single_precision_are_the_decimals_they_stand_for) {
  const std::string path = spec_path("models/water_sea_f32_compressed.pb");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference model at " << path;
  const Model model = read_model(path);
  EXPECT_EQ(model.tables[0].stride0, 0.02);
  EXPECT_EQ(model.tables[0].n_rows, 750);
  EXPECT_EQ(float(model.tables[0].coefficients[0]), model.tables[0].coefficients[0]);
}

TEST(ModelFile, reads_the_full_size_models_quickly) {
  if (!std::filesystem::exists(shared_folder() / "models"))
    GTEST_SKIP() << "no models in " << shared_folder();
  for (const char* name : {"water.pb", "copper.pb", "water-dw.pb", "water-dplr.pb"}) {
    SCOPED_TRACE(name);
    const auto start = std::chrono::steady_clock::now();
    const Model model = read_model((shared_folder() / "models" / name).string());
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    EXPECT_EQ(inconsistency(model), "");
    EXPECT_LT(elapsed.count(), 2.0);  // measured 0.02 s; generous for sanitizers
  }
}

TEST(ModelFile, reads_a_hybrid_of_one_member) {
  const std::string path = spec_path("models/lrmodel.pb");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference model at " << path;
  const Model model = read_model(path);
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_EQ(model.sel, (std::vector<int>{20, 40}));
  EXPECT_EQ(model.m1, 8);
  EXPECT_EQ(model.rcut, 4.0);
}

}  // namespace
}  // namespace nanoday
