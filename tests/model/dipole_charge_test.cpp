// DPLR models: charges and Wannier net from the file or from two models, and what is refused.
// SPDX-License-Identifier: Apache-2.0
#include "model/dipole_charge.hpp"

#include "model/model_samples.hpp"

#include <functional>
#include <limits>

namespace nanoday {
namespace {

using namespace reference;

using Charges = std::vector<double>;

std::string refusal_of_call(const std::function<void()>& call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

/// Refusal of the shipped model after an edit.
std::string refusal_after(const std::function<void(graph::GraphDef&)>& edit) {
  graph::GraphDef graph = graph_of("water_dplr.pb");
  edit(graph);
  return refusal_of(graph);
}

std::string refusal_of_text(const char* node, const std::string& text) {
  return refusal_after([&](graph::GraphDef& graph) { tensor_of(graph, node).set_string_val(0, text); });
}

std::string refusal_of_number(const char* node, double value) {
  return refusal_after([&](graph::GraphDef& graph) { set_first(graph, node, value); });
}

/// Copies the fitting net of type 0 of the net inside, with all operations, under the name of type 1.
void give_second_type_the_first_ones_net(graph::GraphDef& graph) {
  const auto renamed = [](std::string name) {
    const std::size_t at =
        name.find("layer_") == std::string::npos ? std::string::npos : name.find("_type_0");
    if (at != std::string::npos) name.replace(at, 7, "_type_1");
    return name;
  };
  const graph::GraphDef original = graph;
  for (const graph::NodeDef& node : original.node()) {
    const bool fitting = node.name().starts_with("dipole_charge/layer_") ||
                         node.name().starts_with("dipole_charge/final_layer_");
    if (!fitting) continue;
    graph::NodeDef& copy = *graph.add_node();
    copy = node;
    copy.set_name(renamed(node.name()));
    for (int k = 0; k < copy.input_size(); ++k) copy.set_input(k, renamed(copy.input(k)));
  }
}

TEST(DipoleCharge, is_read_with_the_wannier_net_inside) {
  const Model model = read_model(data_path("water_dplr.pb"));
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_EQ(model.kind, ModelKind::energy);
  ASSERT_TRUE(model.dipole_charge);
  const DipoleCharge& charges = *model.dipole_charge;
  EXPECT_EQ(charges.ion_charge, (Charges{6, 1}));
  EXPECT_EQ(charges.wannier_charge, (Charges{-8, 0}));
  EXPECT_EQ(charges.beta, 0.4);
  EXPECT_EQ(charges.spacing, 1.0);
  EXPECT_EQ(charges.wannier->selected, (std::vector<char>{1, 0}));
  EXPECT_FALSE(read_model(data_path("water_sea.pb")).dipole_charge);
}

TEST(DipoleCharge, the_net_inside_equals_the_separate_one_it_was_made_from) {
  const auto inside = read_model(data_path("water_dplr.pb")).dipole_charge->wannier;
  const Model apart = read_model(data_path("water_dw.pb"));
  EXPECT_EQ(inside->avg, apart.avg);
  EXPECT_EQ(inside->std, apart.std);
  EXPECT_EQ(inside->sel, apart.sel);
  EXPECT_EQ(inside->m2, apart.m2);
  ASSERT_EQ(inside->embedding.size(), apart.embedding.size());
  EXPECT_EQ(inside->embedding[1].activation, apart.embedding[1].activation);
  EXPECT_EQ(inside->embedding[1].layers[2].weight, apart.embedding[1].layers[2].weight);
  EXPECT_EQ(inside->fitting[0].layers[1].idt, apart.fitting[0].layers[1].idt);
  EXPECT_EQ(inside->fitting[0].output.weight, apart.fitting[0].output.weight);
}

TEST(DipoleCharge, every_reference_model_with_the_modifier_is_read) {
  if (!std::filesystem::exists(spec_path("models")))
    GTEST_SKIP() << "no reference models at " << spec_path("models");
  for (const char* name : {"lrmodel", "water_dplr", "water_dplr_compressed"}) {
    SCOPED_TRACE(name);
    const Model model = read_model(spec_path(std::string("models/") + name + ".pb"));
    EXPECT_EQ(inconsistency(model), "");
    ASSERT_TRUE(model.dipole_charge);
    EXPECT_EQ(model.dipole_charge->ion_charge, (Charges{6, 1}));
    EXPECT_EQ(model.dipole_charge->wannier->rcut, 6.0);
    EXPECT_EQ(model.dipole_charge->wannier->sel, (std::vector<int>{46, 92}));
    EXPECT_EQ(model.dipole_charge->wannier->compressed, model.compressed);
    EXPECT_EQ(model.compressed, std::string(name).find("compressed") != std::string::npos);
  }
}

TEST(DipoleCharge, charges_that_are_no_integers_are_kept_as_written) {
  graph::GraphDef graph = graph_of("water_dplr.pb");
  tensor_of(graph, "modifier_attr/sys_charge_map").set_string_val(0, " 5.75  1.125e0 ");
  tensor_of(graph, "modifier_attr/mdl_charge_map").set_string_val(0, "-8.0");
  const Model model = parse_graph_model(graph.SerializeAsString(), "edited.pb");
  EXPECT_EQ(model.dipole_charge->ion_charge, (Charges{5.75, 1.125}));
  EXPECT_EQ(model.dipole_charge->wannier_charge, (Charges{-8, 0}));
}

TEST(DipoleCharge, wannier_charges_follow_the_order_of_sel_type) {
  graph::GraphDef graph = graph_of("water_dplr.pb");
  graph::TensorProto& sel_type = tensor_of(graph, "dipole_charge/model_attr/sel_type");
  sel_type.clear_tensor_content();
  sel_type.clear_int_val();
  sel_type.add_int_val(1);
  sel_type.add_int_val(0);
  sel_type.mutable_tensor_shape()->mutable_dim(0)->set_size(2);
  give_second_type_the_first_ones_net(graph);
  tensor_of(graph, "modifier_attr/mdl_charge_map").set_string_val(0, "-2 -8");
  const Model model = parse_graph_model(graph.SerializeAsString(), "edited.pb");
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_EQ(model.dipole_charge->wannier_charge, (Charges{-8, -2}));
}

TEST(DipoleCharge, charge_maps_must_be_numbers_one_for_each_type) {
  constexpr const char* k_ions = "modifier_attr/sys_charge_map";
  constexpr const char* k_centroids = "modifier_attr/mdl_charge_map";
  EXPECT_TRUE(says(refusal_of_text(k_ions, "6"), "'modifier_attr/sys_charge_map' holds 1 charges where 2"));
  EXPECT_TRUE(says(refusal_of_text(k_ions, "6 1 1"), "more than 2 charges"));
  EXPECT_TRUE(says(refusal_of_text(k_ions, ""), "holds 0 charges"));
  EXPECT_TRUE(says(refusal_of_text(k_ions, "6 one"), "holds '6 one'"));
  EXPECT_TRUE(says(refusal_of_text(k_ions, "6 1x"), "holds '6 1x'"));
  EXPECT_TRUE(says(refusal_of_text(k_ions, "6 nan"), "sys_charge_map"));
  EXPECT_TRUE(says(refusal_of_text(k_ions, "6 inf"), "charge of inf"));
  EXPECT_TRUE(says(refusal_of_text(k_ions, "6 1e999"), "sys_charge_map"));
  EXPECT_TRUE(says(refusal_of_text(k_ions, "6 1001"), "charge of 1001 e"));
  EXPECT_TRUE(says(refusal_of_text(k_centroids, "-8 -8"), "mdl_charge_map' holds more than 1 charges"));
  EXPECT_TRUE(says(refusal_of_text(k_centroids, "0"), "no charge"));
}

TEST(DipoleCharge, ewald_settings_must_be_positive_and_sensible) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (const double value : {0.0, -0.4, 1e9, 1e-9}) {
    EXPECT_TRUE(says(refusal_of_number("modifier_attr/ewald_beta", value), "'modifier_attr/ewald_beta' is"));
    EXPECT_TRUE(says(refusal_of_number("modifier_attr/ewald_h", value), "'modifier_attr/ewald_h' is"));
  }
  EXPECT_TRUE(says(refusal_of_number("modifier_attr/ewald_beta", nan), "not finite"));
  EXPECT_TRUE(says(refusal_of_number("modifier_attr/ewald_h", inf), "not finite"));
}

TEST(DipoleCharge, another_modifier_is_refused_by_name) {
  EXPECT_TRUE(says(refusal_of_text("modifier_attr/type", "charge_dipole"), "the modifier 'charge_dipole'"));
}

TEST(DipoleCharge, a_lost_modifier_does_not_pass_for_a_short_range_model) {
  EXPECT_TRUE(says(refusal_after([](auto& g) { node_of(g, "modifier_attr/type").set_name("elsewhere"); }),
                   "'modifier_attr/type' is missing"));
  for (const char* name : {"sys_charge_map", "mdl_charge_map", "ewald_beta", "ewald_h"}) {
    const std::string node = std::string("modifier_attr/") + name;
    EXPECT_TRUE(says(refusal_after([&](auto& g) { node_of(g, node).set_name("elsewhere"); }), node));
  }
}

TEST(DipoleCharge, the_net_inside_must_be_there_and_a_dipole_model) {
  constexpr const char* k_kind = "dipole_charge/model_attr/model_type";
  EXPECT_TRUE(says(refusal_after([](auto& g) { node_of(g, k_kind).set_name("elsewhere"); }),
                   "no Wannier net inside"));
  EXPECT_TRUE(says(refusal_of_text(k_kind, "polar"), "polar"));
  EXPECT_NE(refusal_of_text(k_kind, "ener"), "");
  EXPECT_TRUE(says(refusal_of_text("model_attr/model_type", "dipole"), "edited.pb"));
  EXPECT_TRUE(says(
      refusal_after([](auto& g) { node_of(g, "dipole_charge/descrpt_attr/t_avg").set_name("elsewhere"); }),
      "dipole_charge/descrpt_attr/t_avg"));
}

TEST(DipoleCharge, selected_types_must_exist) {
  EXPECT_TRUE(says(refusal_after([](auto& g) {
                     graph::TensorProto& sel_type = tensor_of(g, "dipole_charge/model_attr/sel_type");
                     sel_type.clear_int_val();
                     sel_type.add_int_val(2);
                   }),
                   "selects type 2"));
}

TEST(DipoleCharge, types_of_both_nets_must_have_the_same_names) {
  constexpr const char* k_names = "dipole_charge/model_attr/tmap";
  EXPECT_TRUE(says(refusal_of_text(k_names, "H O"), "type 0 is O in the model but H"));
  EXPECT_TRUE(says(refusal_of_text(k_names, "O H Na"), "names 3 types"));
  EXPECT_EQ(refusal_of_text(k_names, " "), "");  // no names: numbers, as the producer matches them
}

Model swapped_dipole() {
  Model model = read_model(data_path("water_dw.pb"));
  Model out = model;
  for (int a : {0, 1}) {
    out.type_map[a] = model.type_map[1 - a];
    out.sel[a] = model.sel[1 - a];
    out.avg[a] = model.avg[1 - a];
    out.std[a] = model.std[1 - a];
    out.embedding[a] = model.embedding[1 - a];
    out.fitting[a] = model.fitting[1 - a];
    out.selected[a] = model.selected[1 - a];
  }
  return out;
}

TEST(WithWannier, replaces_the_net_inside_and_keeps_the_charges) {
  Model dipole = read_model(data_path("water_dw.pb"));
  dipole.fitting[0].output.bias[0] = 0.25;  // not what is inside
  const Model model = with_wannier(read_model(data_path("water_dplr.pb")), dipole);
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_EQ(model.dipole_charge->wannier->fitting[0].output.bias[0], 0.25);
  EXPECT_EQ(model.dipole_charge->wannier->hash, dipole.hash);
  EXPECT_EQ(model.dipole_charge->ion_charge, (Charges{6, 1}));
  EXPECT_EQ(model.dipole_charge->beta, 0.4);
}

TEST(WithWannier, matches_types_by_element) {
  const Model straight = read_model(data_path("water_dw.pb"));
  const Model model = with_wannier(read_model(data_path("water_dplr.pb")), swapped_dipole());
  EXPECT_EQ(inconsistency(model), "");
  const Model& net = *model.dipole_charge->wannier;
  EXPECT_EQ(net.type_map, straight.type_map);
  EXPECT_EQ(net.sel, straight.sel);
  EXPECT_EQ(net.avg, straight.avg);
  EXPECT_EQ(net.std, straight.std);
  EXPECT_EQ(net.selected, straight.selected);
  EXPECT_EQ(net.embedding[0].layers[0].weight, straight.embedding[0].layers[0].weight);
  EXPECT_EQ(net.fitting[0].output.weight, straight.fitting[0].output.weight);
  EXPECT_EQ(model.dipole_charge->wannier_charge, (Charges{-8, 0}));
}

TEST(WithWannier, permutes_pairs_of_a_two_sided_net) {
  Model dipole = read_model(data_path("water_sea_two.pb"));
  dipole.kind = ModelKind::dipole;
  dipole.type_map = {"H", "O"};
  dipole.selected = {0, 1};
  dipole.fitting[0] = {};
  dipole.fitting[1].output = {dipole.fitting[1].output.n_in, dipole.m1, {}, {}, {}};
  dipole.fitting[1].output.weight.assign(std::size_t(dipole.fitting[1].output.n_in) * dipole.m1, 0.5);
  dipole.fitting[1].output.bias.assign(dipole.m1, 0);
  ASSERT_EQ(inconsistency(dipole), "");
  const Model model = with_wannier(read_model(data_path("water_dplr.pb")), dipole);
  EXPECT_EQ(inconsistency(model), "");
  const Model& net = *model.dipole_charge->wannier;
  EXPECT_EQ(dipole.excluded, (std::vector<char>{1, 0, 0, 0}));
  EXPECT_EQ(net.excluded, (std::vector<char>{0, 0, 0, 1}));
  for (int a : {0, 1})
    for (int b : {0, 1}) {
      const EmbeddingNet& was = dipole.embedding[dipole.pair_index(1 - a, 1 - b)];
      const EmbeddingNet& is = net.embedding[net.pair_index(a, b)];
      ASSERT_EQ(is.empty(), was.empty());
      if (is.empty()) continue;
      EXPECT_EQ(is.layers[1].weight, was.layers[1].weight);
    }
}

TEST(WithWannier, permutes_tables) {
  const std::string path = spec_path("models/water_dw_compressed.pb");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference model at " << path;
  Model dipole = read_model(path);
  Model energy = read_model(data_path("water_dplr.pb"));
  const Model straight = with_wannier(energy, dipole);
  EXPECT_EQ(inconsistency(straight), "");
  std::swap(dipole.type_map[0], dipole.type_map[1]);
  std::swap(dipole.selected[0], dipole.selected[1]);
  std::swap(dipole.fitting[0], dipole.fitting[1]);
  const Model model = with_wannier(energy, dipole);
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_EQ(model.dipole_charge->wannier->tables[0].coefficients, dipole.tables[1].coefficients);
  EXPECT_EQ(straight.dipole_charge->wannier->tables[0].coefficients, dipole.tables[0].coefficients);
}

TEST(WithWannier, settings_complete_a_model_without_modifier) {
  const Model energy = read_model(data_path("water_sea.pb")), dipole = read_model(data_path("water_dw.pb"));
  const Model model = with_wannier(energy, dipole, {{{"O", 6}, {"H", 1}}, {{"O", -8}}, 0.4, {}});
  EXPECT_EQ(inconsistency(model), "");
  EXPECT_EQ(model.dipole_charge->ion_charge, (Charges{6, 1}));
  EXPECT_EQ(model.dipole_charge->wannier_charge, (Charges{-8, 0}));
  EXPECT_EQ(model.dipole_charge->spacing, k_default_spacing);
}

TEST(WithWannier, settings_go_before_the_model) {
  const Model model =
      with_wannier(read_model(data_path("water_dplr.pb")), read_model(data_path("water_dw.pb")),
                   {{{"H", 1.5}}, {{"O", -9}}, 0.5, 0.7});
  EXPECT_EQ(model.dipole_charge->ion_charge, (Charges{6, 1.5}));
  EXPECT_EQ(model.dipole_charge->wannier_charge, (Charges{-9, 0}));
  EXPECT_EQ(model.dipole_charge->beta, 0.5);
  EXPECT_EQ(model.dipole_charge->spacing, 0.7);
}

TEST(WithWannier, says_what_is_missing) {
  const Model energy = read_model(data_path("water_sea.pb")), dipole = read_model(data_path("water_dw.pb"));
  const auto refusal = [&](const DipoleChargeSettings& settings) {
    return refusal_of_call([&] { with_wannier(energy, dipole, settings); });
  };
  EXPECT_TRUE(says(refusal({}), "none is given for O"));
  EXPECT_TRUE(says(refusal({{{"O", 6}}, {}, {}, {}}), "none is given for H"));
  EXPECT_TRUE(says(refusal({{{"O", 6}, {"H", 1}}, {}, {}, {}}), "give their Wannier charge"));
  EXPECT_TRUE(says(refusal({{{"O", 6}, {"H", 1}}, {{"O", -8}}, {}, {}}), "give beta"));
}

TEST(WithWannier, refuses_settings_that_make_no_sense) {
  const Model energy = read_model(data_path("water_dplr.pb")), dipole = read_model(data_path("water_dw.pb"));
  const auto refusal = [&](const DipoleChargeSettings& settings) {
    return refusal_of_call([&] { with_wannier(energy, dipole, settings); });
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(says(refusal({{{"Na", 1}}, {}, {}, {}}), "Na, which"));
  EXPECT_TRUE(says(refusal({{{"O", nan}}, {}, {}, {}}), "ion charge of O is nan"));
  EXPECT_TRUE(says(refusal({{}, {{"H", -2}}, {}, {}}), "carry no centroid"));
  EXPECT_TRUE(says(refusal({{}, {{"O", 0}}, {}, {}}), "have no charge"));
  EXPECT_TRUE(says(refusal({{}, {}, -1, {}}), "beta"));
  EXPECT_TRUE(says(refusal({{}, {}, nan, {}}), "beta"));
  EXPECT_TRUE(says(refusal({{}, {}, {}, 0.0}), "spacing"));
}

TEST(WithWannier, refuses_models_that_do_not_fit) {
  const Model energy = read_model(data_path("water_dplr.pb")), dipole = read_model(data_path("water_dw.pb"));
  EXPECT_TRUE(says(refusal_of_call([&] { with_wannier(dipole, energy); }), "exchange the two files"));
  EXPECT_TRUE(says(refusal_of_call([&] { with_wannier(energy, energy); }), "is no dipole model"));
  Model other = dipole;
  other.type_map = {"O", "D"};
  EXPECT_TRUE(says(refusal_of_call([&] { with_wannier(energy, other); }), "does not know H"));
  other.type_map = {"", ""};
  EXPECT_TRUE(says(refusal_of_call([&] { with_wannier(energy, other); }), "names no elements"));
  Model smaller = energy;
  smaller.type_map = {"O"};
  smaller.sel = {46};
  EXPECT_TRUE(says(refusal_of_call([&] { with_wannier(smaller, dipole); }), "O H"));
}

TEST(NetCharge, counts_ions_and_centroids) {
  const Model model = read_model(data_path("water_dplr.pb"));
  EXPECT_EQ(net_charge(model, {0, 1, 1}), 0);
  EXPECT_EQ(net_charge(model, {0, 1, 1, 1}), 1);
  EXPECT_EQ(net_charge(model, {0}), -2);
  EXPECT_EQ(refusal_of_call([&] { check_neutral(model, {0, 1, 1, 1, 0, 1}, "file"); }), "");
  const std::string charged = refusal_of_call([&] { check_neutral(model, {0, 1, 1, 1}, "file"); });
  EXPECT_TRUE(says(charged, "file: the charges sum to +1 e"));
  EXPECT_TRUE(says(charged, "1 O of -2 e, 3 H of +1 e"));
  EXPECT_TRUE(says(refusal_of_call([&] { check_neutral(model, {1, 1}, "file"); }), "no atom carries"));
  EXPECT_EQ(refusal_of_call([&] { check_neutral(read_model(data_path("water_sea.pb")), {0}, "file"); }), "");
}

}  // namespace
}  // namespace nanoday
