// eval, info, bench and check on shipped models: the JSON programs rely on, and the order of atoms.
// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace nanoday::testing {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}

/// Evaluates a structure; the JSON comes on standard output, which must hold nothing else.
Json eval_json(const std::string& model, const std::string& structures, const std::string& options = "") {
  const Outcome outcome =
      run_program("eval " + example("models/" + model) + " " + structures + " --json /dev/stdout " + options);
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  return Json::parse(outcome.out);
}

TEST(Eval, writes_the_documented_layout) {
  const Folder folder;
  write_text(folder / "water.data", water_molecule());
  const Json result = eval_json("water.pb", folder / "water.data", "--table net");
  EXPECT_EQ(keys_of(result), (std::vector<std::string>{"model", "precision", "table", "units", "frames"}));
  EXPECT_EQ(result["precision"], "double");
  EXPECT_EQ(result["table"], "net");
  EXPECT_EQ(result["units"], Json::parse(R"({"length": "A", "energy": "eV"})"));
  const Json& frame = result["frames"].at(0);
  EXPECT_EQ(keys_of(frame), (std::vector<std::string>{"energy", "forces", "virial", "atom_energy",
                                                      "atom_virial", "outside_table", "sel_overflow"}));
  EXPECT_EQ(frame["forces"].size(), 3u);
  EXPECT_EQ(frame["forces"][0].size(), 3u);
  EXPECT_EQ(frame["virial"].size(), 9u);
  EXPECT_EQ(frame["atom_energy"].size(), 3u);
  EXPECT_EQ(frame["atom_virial"][2].size(), 9u);
}

TEST(Eval, parts_add_up_to_the_whole) {
  const Json frame = eval_json("water.pb", example("structures/water192.data"), "--table net")["frames"][0];
  double energy = 0;
  for (const Json& part : frame["atom_energy"]) energy += part.get<double>();
  EXPECT_NEAR(energy, frame["energy"].get<double>(), 1e-9 * std::abs(energy));
  for (int component = 0; component < 9; ++component) {
    double sum = 0;
    for (const Json& part : frame["atom_virial"]) sum += part[component].get<double>();
    EXPECT_NEAR(sum, frame["virial"][component].get<double>(), 1e-9) << component;
  }
}

TEST(Eval, keeps_the_order_of_the_input) {
  const Folder folder;
  write_text(folder / "a.xyz",
             "3\nProperties=species:S:1:pos:R:3 pbc=\"F F F\"\n"
             "O 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0.05\n");
  write_text(folder / "b.xyz",
             "3\nProperties=species:S:1:pos:R:3 pbc=\"F F F\"\n"
             "H -0.24 0.93 0.05\nH 0.96 0 0\nO 0 0 0\n");
  const Json result = eval_json("water.pb", (folder / "a.xyz") + " " + (folder / "b.xyz"), "--table net");
  const Json &a = result["frames"].at(0), &b = result["frames"].at(1);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(a["atom_energy"][i].get<double>(), b["atom_energy"][2 - i].get<double>(), 1e-10);
    for (int axis = 0; axis < 3; ++axis) {
      EXPECT_NEAR(a["forces"][i][axis].get<double>(), b["forces"][2 - i][axis].get<double>(), 1e-10);
    }
  }
}

TEST(Eval, evaluates_every_frame_of_every_structure) {
  const Folder folder;
  const std::string frame =
      "3\nProperties=species:S:1:pos:R:3 pbc=\"F F F\"\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n";
  write_text(folder / "two.xyz", frame + frame);
  write_text(folder / "one.xyz", frame);
  const Json result = eval_json("water.pb", (folder / "two.xyz") + " " + (folder / "one.xyz"), "--table net");
  ASSERT_EQ(result["frames"].size(), 3u);
  EXPECT_EQ(result["frames"][0]["energy"], result["frames"][2]["energy"]);
}

TEST(Eval, a_dipole_model_gives_dipoles_of_the_selected_atoms_only) {
  const Folder folder;
  write_text(folder / "water.data", water_molecule());
  const Json frame = eval_json("water-dw.pb", folder / "water.data", "--table net")["frames"][0];
  EXPECT_EQ(keys_of(frame), (std::vector<std::string>{"dipoles", "outside_table", "sel_overflow"}));
  EXPECT_EQ(frame["dipoles"].size(), 1u);
  EXPECT_EQ(frame["dipoles"][0].size(), 3u);
}

TEST(Eval, numbers_are_printed_to_round_trip) {
  const Folder folder;
  write_text(folder / "water.data", water_molecule());
  const std::string command = "eval " + example("models/water.pb") + " " + (folder / "water.data") +
                              " --table net --json " + (folder / "result.json");
  ASSERT_EQ(run_program(command).code, 0);
  const std::string text = read_text(folder / "result.json");
  EXPECT_EQ(Json::parse(text).dump() + "\n", text);
  EXPECT_GT(Json::parse(text)["frames"][0]["energy"].dump().size(), 15u);  // all digits, not six
}

TEST(Eval, without_json_prints_a_table) {
  const Outcome outcome =
      run_program("eval " + example("models/water.pb") + " " + example("structures/water192.data"));
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("energy [eV]"), std::string::npos);
  EXPECT_NE(outcome.out.find("192"), std::string::npos);
}

TEST(Info, json_names_the_model_and_prints_nothing_else) {
  const Outcome outcome = run_program("info --json " + example("models/copper.pb"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json info = Json::parse(outcome.out);
  EXPECT_EQ(info["type_map"], Json::parse(R"(["Cu"])"));
  EXPECT_EQ(info["kind"], "energy");
  EXPECT_EQ(info["descriptor"], "se_e2_a");
  EXPECT_EQ(info["rcut"], 8.0);
  EXPECT_EQ(info["sel"], Json::parse("[500]"));
}

TEST(Bench, writes_the_documented_layout) {
  const Folder folder;
  const Outcome outcome =
      run_program("bench " + example("models/water.pb") + " " + example("structures/water192.data") +
                  " --types O,H --replicate 1 1 1" + " --steps 3 --threads 2 --precision mixed --json " +
                  (folder / "bench.json"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json bench = Json::parse(read_text(folder / "bench.json"));
  for (const char* key :
       {"atoms", "steps", "ms_per_step", "atom_steps_per_s", "ns_per_day", "stages", "precision", "table",
        "ranks", "force_error_rms", "force_error_max", "peak_memory_bytes"}) {
    EXPECT_TRUE(bench.contains(key)) << key;
  }
  EXPECT_EQ(bench["atoms"], 192);
  EXPECT_EQ(bench["steps"], 3);
  EXPECT_EQ(bench["ranks"], 1);
  EXPECT_EQ(bench["precision"], "mixed");
  const double ms = bench["ms_per_step"];
  EXPECT_NEAR(bench["ns_per_day"].get<double>(), 0.5e-6 * 86400e3 / ms,
              1e-9 * bench["ns_per_day"].get<double>());
  EXPECT_NEAR(bench["atom_steps_per_s"].get<double>(), 192e3 / ms, 1e-6 * 192e3 / ms);
  EXPECT_GT(bench["stages"]["fitting"].get<double>(), 0);
}

TEST(Bench, a_dipole_model_cannot_be_stepped) {
  const Outcome outcome =
      run_program("bench " + example("models/water-dw.pb") + " " + example("structures/water192.data"));
  EXPECT_EQ(outcome.code, 2);
}

TEST(Check, passes_on_the_shipped_models) {
  const Folder folder;
  write_text(folder / "water.data", water_molecule());
  for (const std::string model : {"water.pb", "water-dw.pb"}) {
    const Outcome outcome = run_program("check " + example("models/" + model) + " " +
                                        (folder / "water.data") + " --json " + (folder / "check.json"));
    EXPECT_EQ(outcome.code, 0) << model << "\n" << outcome.out << outcome.err;
    const Json check = Json::parse(read_text(folder / "check.json"));
    EXPECT_EQ(check["ok"], true);
    EXPECT_GE(check["checks"].size(), 10u);
  }
}

}  // namespace
}  // namespace nanoday::testing
