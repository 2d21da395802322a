// What `info` prints about models.
// SPDX-License-Identifier: Apache-2.0
#include "model/model_info.hpp"

#include "model/dipole_charge.hpp"
#include "model/model_samples.hpp"

#include <nlohmann/json.hpp>

namespace nanoday {
namespace {

using namespace reference;
using nlohmann::json;

json info_of(const std::string& name) { return json::parse(model_info_json(read_model(data_path(name)))); }

TEST(ModelInfo, json_has_the_promised_keys) {
  const json info = info_of("water_sea_two.pb");
  EXPECT_EQ(info["kind"], "energy");
  EXPECT_EQ(info["type_map"], (json{"O", "H"}));
  EXPECT_EQ(info["descriptor"], "se_e2_a");
  EXPECT_EQ(info["rcut"], 5.0);
  EXPECT_EQ(info["rcut_smth"], double(2.3f));
  EXPECT_EQ(info["sel"], (json{46, 92}));
  EXPECT_EQ(info["precision"], "float64");
  EXPECT_EQ(info["compressed"], false);
  EXPECT_EQ(info["type_one_side"], false);
  EXPECT_EQ(info["embedding"], (json{5, 10, 10}));
  EXPECT_EQ(info["axis_neuron"], 5);
  EXPECT_EQ(info["fitting"], (json{16, 24, 24}));
  EXPECT_EQ(info["exclude_types"], json::parse("[[0, 0]]"));
  EXPECT_EQ(info["activation"], "tanh");
  EXPECT_EQ(info["hash"].get<std::string>().size(), 16u);
  EXPECT_FALSE(info.contains("table_range"));
  EXPECT_FALSE(info.contains("sel_type"));
}

TEST(ModelInfo, json_adds_what_applies_to_tables_and_dipoles) {
  const json compressed = info_of("water_sea_compressed.pb");
  EXPECT_EQ(compressed["compressed"], true);
  EXPECT_EQ(compressed["embedding"], (json::array({16})));
  EXPECT_EQ(compressed["table_range"]["upper"], 10.0);
  EXPECT_EQ(compressed["table_range"]["max"], 50.0);
  const json dipole = info_of("water_dw.pb");
  EXPECT_EQ(dipole["kind"], "dipole");
  EXPECT_EQ(dipole["sel_type"], (json::array({0})));
}

TEST(ModelInfo, json_describes_the_long_range_part) {
  const json info = info_of("water_dplr.pb");
  EXPECT_EQ(info["kind"], "dplr");
  EXPECT_EQ(info["ion_charges"], json::parse("[6.0, 1.0]"));
  EXPECT_EQ(info["wannier_charges"], json::parse("[-8.0]"));
  EXPECT_EQ(info["sel_type"], json::parse("[0]"));
  EXPECT_EQ(info["ewald_beta"], 0.4);
  EXPECT_EQ(info["ewald_h"], 1.0);
  EXPECT_EQ(info["wannier"]["rcut"], 6.0);
  EXPECT_EQ(info["wannier"]["sel"], json::parse("[46, 92]"));
  EXPECT_EQ(info["wannier"]["embedding"], json::parse("[4, 8, 16]"));
  EXPECT_EQ(info["wannier"]["fitting"], json::parse("[20, 20, 20]"));
  EXPECT_EQ(info["wannier"]["hash"], info["hash"]);
  EXPECT_FALSE(info_of("water_sea.pb").contains("wannier"));
}

TEST(ModelInfo, text_describes_the_long_range_part) {
  const std::string text = model_info_text(read_model(data_path("water_dplr.pb")));
  EXPECT_TRUE(says(text, "kind          dplr"));
  EXPECT_TRUE(says(text, "ions          O +6, H +1 e\n"));
  EXPECT_TRUE(says(text, "centroids     -8 on O, in e\n"));
  EXPECT_TRUE(says(text, "Ewald         beta 0.4 1/A, h 1 A\n"));
  EXPECT_TRUE(says(text, "Wannier net, inside the model\n"));
  Model other = read_model(data_path("water_dw.pb"));
  other.source = "other.pb";
  const Model joined = with_wannier(read_model(data_path("water_dplr.pb")), other);
  EXPECT_TRUE(says(model_info_text(joined), "Wannier net, other.pb\n"));
}

TEST(ModelInfo, json_survives_a_file_name_that_is_not_utf8) {
  Model model = read_model(data_path("water_sea.pb"));
  model.source = "\xff.pb";
  EXPECT_FALSE(json::parse(model_info_json(model)).empty());
}

TEST(ModelInfo, text_is_aligned_lines) {
  const std::string text = model_info_text(read_model(data_path("water_sea_dt.pb")));
  EXPECT_NE(text.find("types         O H\n"), std::string::npos) << text;
  EXPECT_NE(text.find("embedding     1 x 2 x 4 x 4 (gelu, time step), axis 4\n"), std::string::npos) << text;
  EXPECT_NE(text.find("cut-off       5 A, smooth from 0.6 A\n"), std::string::npos) << text;
  EXPECT_NE(text.back(), '\n');
}

}  // namespace
}  // namespace nanoday
