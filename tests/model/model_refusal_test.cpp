// Models that are refused, and the words the refusal must contain.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "model/model_samples.hpp"

#include <limits>

namespace nanoday {
namespace {

using namespace reference;

std::string refusal_of_file(const std::string& path) {
  try {
    read_model(path);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

void replace_in_script(graph::GraphDef& graph, const std::string& from, const std::string& to) {
  std::string& script = *tensor_of(graph, "train_attr/training_script").mutable_string_val(0);
  const std::size_t at = script.find(from);
  ASSERT_NE(at, std::string::npos) << from;
  script.replace(at, from.size(), to);
}

void add_node(graph::GraphDef& graph, const std::string& name, const std::string& op) {
  graph::NodeDef& node = *graph.add_node();
  node.set_name(name);
  node.set_op(op);
}

TEST(ModelRefusal, names_what_every_unsupported_reference_model_uses) {
  const std::pair<const char*, const char*> samples[] = {
      {"deeppot-r.pb", "se_e2_r"},
      {"fparam_aparam.pb", "fparam"},
      {"water_atom_ener.pb", "atom_ener"},
      {"water_dpa1_concat.pb", "se_atten"},
      {"water_dpa1_strip.pb", "se_atten"},
      {"water_dpa1_strip_compressed.pb", "se_atten"},
      {"water_hybrid.pb", "hybrid descriptor of 2"},
      {"water_ser.pb", "se_e2_r"},
      {"water_ser_compressed.pb", "se_e2_r"},
      {"deeppot_sea.dp", "HDF5"},
      {"deeppot_sea.yaml", "YAML"},
      {"deeppot_sea.pth", "PyTorch"},
  };
  if (!std::filesystem::exists(spec_path("models")))
    GTEST_SKIP() << "no reference models at " << spec_path("models");
  for (const auto& [name, words] : samples) {
    EXPECT_TRUE(says(refusal_of_file(spec_path(std::string("models/") + name)), words)) << name;
  }
}

TEST(ModelRefusal, names_other_containers_by_their_first_bytes) {
  EXPECT_THROW(parse_graph_model("PK\x03\x04....", "m.pb"), InputError);
  EXPECT_THROW(parse_graph_model("\x89HDF\r\n\x1a\n", "m.pb"), InputError);
  EXPECT_THROW(parse_graph_model("{\"model\": 1}", "m.pb"), InputError);
  EXPECT_THROW(parse_graph_model("", "m.pb"), InputError);
  EXPECT_THROW(parse_graph_model("plain text that is no model", "m.pb"), InputError);
}

TEST(ModelRefusal, missing_files_and_folders_are_input_errors) {
  EXPECT_TRUE(says(refusal_of_file("no/such/model.pb"), "does not exist"));
  EXPECT_TRUE(says(refusal_of_file(data_path("")), "is not a file"));
}

TEST(ModelRefusal, a_truncated_file_is_named_as_such) {
  const std::string bytes = file_bytes(data_path("water_sea.pb"));
  try {
    parse_graph_model(std::string_view(bytes).substr(0, bytes.size() / 2), "half.pb");
    FAIL();
  } catch (const InputError& error) {
    EXPECT_TRUE(says(error.what(), "half.pb"));
    EXPECT_TRUE(says(error.what(), "truncated"));
  }
}

TEST(ModelRefusal, a_file_cut_between_two_nodes_is_truncated_too) {
  graph::GraphDef graph = graph_of("water_sea.pb");
  graph.clear_library();
  graph.clear_versions();
  graph.mutable_node()->RemoveLast();  // o_virial's last part: nothing the reader needs
  EXPECT_TRUE(says(refusal_of(graph), "truncated"));
}

TEST(ModelRefusal, nodes_must_be_there_once) {
  graph::GraphDef graph = graph_of("water_sea.pb");
  node_of(graph, "layer_1_type_0/bias").set_name("layer_1_type_0/bios");
  EXPECT_TRUE(says(refusal_of(graph), "layer_1_type_0/bias"));
  graph = graph_of("water_sea.pb");
  *graph.add_node() = node_of(graph, "model_type");
  EXPECT_TRUE(says(refusal_of(graph), "'model_type' occurs twice"));
}

TEST(ModelRefusal, a_lost_last_layer_does_not_pass_for_a_smaller_net) {
  graph::GraphDef graph = graph_of("water_sea_two.pb");
  for (const char* kind : {"matrix", "bias"}) {
    for (const char* pair : {"0/", "1/"}) {
      for (const char* neighbor : {"0", "1"}) {
        if (std::string(pair) == "0/" && std::string(neighbor) == "0") continue;
        const std::string name = std::string("filter_type_") + pair + kind + "_3_" + neighbor;
        node_of(graph, name).set_name(name + "x");
        node_of(graph, name + "/read").set_input(0, name + "x");
      }
    }
  }
  EXPECT_TRUE(says(refusal_of(graph), "neuron"));
}

TEST(ModelRefusal, a_huge_shape_is_refused_before_memory_is_asked_for) {
  graph::GraphDef graph = graph_of("water_sea.pb");
  graph::TensorProto& tensor = tensor_of(graph, "filter_type_all/matrix_2_0");
  tensor.clear_tensor_content();
  tensor.add_double_val(1);
  tensor.mutable_tensor_shape()->mutable_dim(0)->set_size(std::int64_t{1} << 25);
  tensor.mutable_tensor_shape()->mutable_dim(1)->set_size(std::int64_t{1} << 25);
  EXPECT_TRUE(says(refusal_of(graph), "filter_type_all/matrix_2_0"));
  tensor.mutable_tensor_shape()->mutable_dim(0)->set_size(1 << 14);
  tensor.mutable_tensor_shape()->mutable_dim(1)->set_size((1 << 10) + 1);
  EXPECT_TRUE(says(refusal_of(graph), "expansion is bounded"));
}

TEST(ModelRefusal, shapes_and_types_of_constants_are_checked) {
  graph::GraphDef graph = graph_of("water_sea.pb");
  tensor_of(graph, "layer_2_type_0/matrix").mutable_tensor_shape()->mutable_dim(0)->set_size(19);
  EXPECT_TRUE(says(refusal_of(graph), "layer_2_type_0/matrix"));
  graph = graph_of("water_sea.pb");
  tensor_of(graph, "layer_2_type_0/matrix").set_dtype(19);
  EXPECT_TRUE(says(refusal_of(graph), "float16"));
  graph = graph_of("water_sea.pb");
  for (int i = 0; i < 9; ++i)
    tensor_of(graph, "layer_2_type_0/bias").mutable_tensor_shape()->add_dim()->set_size(1);
  EXPECT_TRUE(says(refusal_of(graph), "layer_2_type_0/bias"));
  graph = graph_of("water_sea.pb");
  tensor_of(graph, "layer_2_type_0/bias").mutable_tensor_shape()->mutable_dim(0)->set_size(-20);
  EXPECT_TRUE(says(refusal_of(graph), "dimension of -20"));
}

TEST(ModelRefusal, values_must_be_finite_and_sensible) {
  graph::GraphDef graph = graph_of("water_sea.pb");
  set_first(graph, "filter_type_all/matrix_1_0", std::numeric_limits<double>::quiet_NaN());
  EXPECT_TRUE(says(refusal_of(graph), "'filter_type_all/matrix_1_0' holds a value that is not finite"));
  graph = graph_of("water_sea.pb");
  set_first(graph, "layer_0_type_0/matrix", std::numeric_limits<double>::infinity());
  EXPECT_TRUE(says(refusal_of(graph), "'layer_0_type_0/matrix' holds a value that is not finite"));
  graph = graph_of("water_sea.pb");
  set_first(graph, "descrpt_attr/t_std", -0.1);
  EXPECT_TRUE(says(refusal_of(graph), "descrpt_attr/t_std"));
  graph = graph_of("water_sea.pb");
  set_first(graph, "descrpt_attr/t_avg", 0.5);  // one slot only
  EXPECT_TRUE(says(refusal_of(graph), "differs between neighbor slots"));
}

TEST(ModelRefusal, geometry_must_make_sense) {
  graph::GraphDef graph = graph_of("water_sea.pb");
  attribute_of(node_of(graph, "ProdEnvMatA"), "rcut_r").set_f(-1);
  EXPECT_TRUE(says(refusal_of(graph), "cut-off -1"));
  graph = graph_of("water_sea.pb");
  attribute_of(node_of(graph, "ProdEnvMatA"), "rcut_r").set_f(std::numeric_limits<float>::quiet_NaN());
  EXPECT_TRUE(says(refusal_of(graph), "cut-off"));
  graph = graph_of("water_sea.pb");
  attribute_of(node_of(graph, "ProdEnvMatA"), "rcut_r_smth").set_f(5);
  EXPECT_TRUE(says(refusal_of(graph), "starts switching at 5"));
  graph = graph_of("water_sea.pb");
  attribute_of(node_of(graph, "ProdEnvMatA"), "rcut_r").set_f(5.5f);
  EXPECT_TRUE(says(refusal_of(graph), "contradicts the cut-off"));
  graph = graph_of("water_sea.pb");
  attribute_of(node_of(graph, "ProdEnvMatA"), "sel_a").mutable_list()->set_i(0, std::int64_t{1} << 40);
  EXPECT_TRUE(says(refusal_of(graph), "neighbor capacity"));
  graph = graph_of("water_sea.pb");
  attribute_of(node_of(graph, "ProdEnvMatA"), "sel_a").mutable_list()->add_i(3);
  EXPECT_TRUE(says(refusal_of(graph), "sel for 3 types"));
}

TEST(ModelRefusal, type_names_must_be_plain_and_unique) {
  graph::GraphDef graph = graph_of("water_sea.pb");
  tensor_of(graph, "model_attr/tmap").set_string_val(0, "O O");
  EXPECT_TRUE(says(refusal_of(graph), "twice"));
  tensor_of(graph, "model_attr/tmap").set_string_val(0, "O H Na");
  EXPECT_TRUE(says(refusal_of(graph), "names 3 types"));
  tensor_of(graph, "model_attr/tmap").set_string_val(0, "O \xff\x01");
  EXPECT_TRUE(says(refusal_of(graph), "not plain text"));
}

TEST(ModelRefusal, tables_must_match_their_description) {
  graph::GraphDef graph = graph_of("water_sea_compressed.pb");
  attribute_of(node_of(graph, "filter_type_all/TabulateFusionSeA_1"), "last_layer_size").set_i(15);
  EXPECT_TRUE(says(refusal_of(graph), "TabulateFusionSeA_1"));
  graph = graph_of("water_sea_compressed.pb");
  set_first(graph, "filter_type_all/TabulateFusionSeA/table_info", -3);
  EXPECT_TRUE(says(refusal_of(graph), "table rows"));
  graph = graph_of("water_sea_compressed.pb");
  set_first(graph, "filter_type_all/TabulateFusionSeA/table_info", 11);
  EXPECT_TRUE(says(refusal_of(graph), "table range"));
  graph = graph_of("water_sea_compressed.pb");
  tensor_of(graph, "model_type").set_string_val(0, "original_model");
  EXPECT_TRUE(says(refusal_of(graph), "model_type"));
}

TEST(ModelRefusal, names_unsupported_kinds_of_model) {
  const auto with_type = [](const char* type) {
    graph::GraphDef graph = graph_of("water_sea.pb");
    tensor_of(graph, "model_attr/model_type").set_string_val(0, type);
    return refusal_of(graph);
  };
  EXPECT_TRUE(says(with_type("polar"), "polar"));
  EXPECT_TRUE(says(with_type("dos"), "dos"));
  EXPECT_TRUE(says(with_type("wfc"), "wfc"));
  graph::GraphDef graph = graph_of("water_sea.pb");
  tensor_of(graph, "model_attr/model_version").set_string_val(0, "0.12");
  EXPECT_TRUE(says(refusal_of(graph), "version '0.12'"));
}

TEST(ModelRefusal, names_unsupported_parts_by_their_nodes) {
  const auto with_node = [](const char* name) {
    graph::GraphDef graph = graph_of("water_sea.pb");
    add_node(graph, name, "Const");
    return refusal_of(graph);
  };
  EXPECT_TRUE(says(with_node("spin_attr/ntypes_spin"), "spin"));
  EXPECT_TRUE(says(with_node("type_embed_net/matrix_1"), "type embedding"));
  EXPECT_TRUE(says(with_node("share_a_type_0/matrix"), "layer_name"));
  EXPECT_TRUE(says(with_node("attention_layer_0/c_query/matrix"), "attention"));
  EXPECT_TRUE(says(with_node("filter_type_all/matrix_1_0_0"), "se_e3"));
}

TEST(ModelRefusal, names_unsupported_settings_of_the_training_script) {
  const auto with_setting = [](const std::string& from, const std::string& to) {
    graph::GraphDef graph = graph_of("water_sea.pb");
    replace_in_script(graph, from, to);
    return refusal_of(graph);
  };
  EXPECT_TRUE(says(with_setting("\"numb_aparam\":0", "\"numb_aparam\":2"), "aparam"));
  EXPECT_TRUE(says(with_setting("\"numb_fparam\":0", "\"numb_fparam\":1"), "fparam"));
  EXPECT_TRUE(says(with_setting("\"atom_ener\":[]", "\"atom_ener\":[null,1]"), "atom_ener"));
  EXPECT_TRUE(says(with_setting("\"pair_exclude_types\":[]", "\"pair_exclude_types\":[[0,1]]"),
                   "pair_exclude_types"));
  EXPECT_TRUE(says(with_setting("\"type_map\"", "\"use_srtab\":\"t.txt\",\"type_map\""), "use_srtab"));
  EXPECT_TRUE(says(with_setting("\"type\":\"standard\"", "\"type\":\"linear_ener\""), "linear_ener"));
  EXPECT_TRUE(says(with_setting("\"env_protection\":0.0", "\"env_protection\":0.1"), "env_protection"));
  EXPECT_TRUE(says(with_setting("\"neuron\":[4,8,16]", "\"neuron\":[4,8,12]"), "neuron"));
  EXPECT_TRUE(says(with_setting("\"axis_neuron\":4", "\"axis_neuron\":5"), "axis_neuron 5"));
  EXPECT_TRUE(says(with_setting("\"axis_neuron\":4", "\"axis_neuron\":\"4\""), "axis_neuron"));
  EXPECT_TRUE(
      says(with_setting("\"exclude_types\":[]", "\"exclude_types\":[[0,7]]"), "excludes types (0, 7)"));
  EXPECT_TRUE(
      says(with_setting("\"activation_function\":\"tanh\"", "\"activation_function\":\"erf\""), "'erf'"));
  EXPECT_TRUE(says(with_setting("\"activation_function\":\"tanh\"", "\"activation_function\":\"gelu\""),
                   "computes 'tanh'"));
  EXPECT_TRUE(says(with_setting("{\"model\"", "[\"model\""), "training script"));
}

TEST(ModelRefusal, vacuum_subtraction_is_seen_without_a_training_script) {
  const std::string path = spec_path("models/water_atom_ener.pb");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference model at " << path;
  graph::GraphDef graph;
  ASSERT_TRUE(graph.ParseFromString(file_bytes(path)));
  node_of(graph, "train_attr/training_script").set_name("elsewhere");
  EXPECT_TRUE(says(refusal_of(graph), "atom_ener"));
}

}  // namespace
}  // namespace nanoday
