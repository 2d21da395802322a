// DPLR models on the command line: JSON of eval and info, options and their refusals, data files of LAMMPS.
// SPDX-License-Identifier: Apache-2.0
#include "app/program.hpp"
#include "reference/dplr.hpp"
#include "reference/structure_text.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

namespace nanoday::testing {
namespace {

using Json = nlohmann::ordered_json;
using reference::System;

std::string model_path() { return reference::data_path("water_dplr.pb"); }

std::vector<std::string> keys_of(const Json& object) {
  std::vector<std::string> keys;
  for (const auto& item : object.items()) keys.push_back(item.key());
  return keys;
}

/// A folder with water in it.
class Dplr : public ::testing::Test {
 protected:
  void SetUp() override { write_text(structure, reference::extxyz_text(water, {"O", "H"})); }

  /// The only frame of an evaluation with the nets as they are.
  static Json eval_frame(const std::string& model, const std::string& file, const std::string& options = "") {
    const Outcome outcome =
        run_program("eval " + model + " " + file + " --table net --json /dev/stdout " + options);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.code == 0 ? Json::parse(outcome.out)["frames"].at(0) : Json{};
  }
  Json eval_frame(const std::string& options = "") const {
    return eval_frame(model_path(), structure, options);
  }

  Folder folder;
  System water = reference::small_water();
  std::string structure = folder / "water.xyz";
};

double largest_difference(const Json& a, const Json& b) {
  const Json x = a.flatten(), y = b.flatten();
  EXPECT_EQ(x.size(), y.size());
  double found = 0;
  for (const auto& item : x.items())
    found = std::max(found, std::fabs(item.value().get<double>() - y.at(item.key()).get<double>()));
  return found;
}

TEST_F(Dplr, eval_writes_the_documented_layout) {
  const Json frame = eval_frame();
  EXPECT_EQ(keys_of(frame),
            (std::vector<std::string>{"energy", "forces", "virial", "atom_energy", "atom_virial",
                                      "energy_short", "energy_long", "dipoles", "wannier_centroids",
                                      "total_dipole", "outside_table", "sel_overflow"}));
  EXPECT_EQ(frame["dipoles"].size(), 8u);
  EXPECT_EQ(frame["wannier_centroids"].size(), 8u);
  EXPECT_EQ(frame["total_dipole"].size(), 3u);
}

TEST_F(Dplr, the_parts_of_the_energy_add_up) {
  const auto number = [](const Json& frame, const char* key) { return frame.at(key).get<double>(); };
  const Json frame = eval_frame(), field = eval_frame("--efield 0.1 0.2 -0.3");
  EXPECT_NEAR(number(frame, "energy_short") + number(frame, "energy_long"), number(frame, "energy"), 1e-11);
  EXPECT_NEAR(number(field, "energy_short") + number(field, "energy_long") + number(field, "energy_field"),
              number(field, "energy"), 1e-11);
  EXPECT_NE(number(field, "energy_field"), 0);
  double sum = 0;
  for (const Json& part : field["atom_energy"]) sum += part.get<double>();
  EXPECT_NEAR(sum, number(field, "energy"), 1e-9);
}

TEST_F(Dplr, centroids_are_their_hosts_displaced_and_the_dipole_is_their_sum) {
  const Json frame = eval_frame();
  double sum[3] = {0, 0, 0};
  for (std::size_t i = 0; i < water.position.size(); ++i) {
    const double x[3] = {water.position[i].x, water.position[i].y, water.position[i].z};
    for (int d = 0; d < 3; ++d) {
      sum[d] += (water.type[i] == 0 ? 6 : 1) * x[d];
      if (water.type[i] != 0) continue;
      const double centroid = frame["wannier_centroids"][i / 3][d];
      EXPECT_NEAR(centroid, x[d] + frame["dipoles"][i / 3][d].get<double>(), 1e-12);
      sum[d] -= 8 * centroid;
    }
  }
  for (int d = 0; d < 3; ++d) EXPECT_NEAR(frame["total_dipole"][d].get<double>(), sum[d], 1e-10);
}

TEST_F(Dplr, the_direct_sum_and_a_fine_mesh_agree) {
  const Json direct = eval_frame("--solver direct"), mesh = eval_frame("--mesh 40 40 40 --order 7");
  EXPECT_LT(largest_difference(direct["forces"], mesh["forces"]), 1e-6);
  EXPECT_LT(largest_difference(direct["virial"], mesh["virial"]), 1e-5);
  EXPECT_NEAR(direct["energy_long"].get<double>(), mesh["energy_long"].get<double>(), 1e-6);
  const Json coarse = eval_frame("--mesh 8 8 8 --diff ad");
  EXPECT_GT(largest_difference(direct["forces"], coarse["forces"]), 1e-4);
}

TEST_F(Dplr, lammps_constants_change_the_last_digits) {
  const double ours = eval_frame("--solver direct")["energy_long"];
  const double theirs = eval_frame("--solver direct --lammps-constants")["energy_long"];
  EXPECT_NE(ours, theirs);
  EXPECT_NEAR(ours, theirs, 1e-5 * std::fabs(ours));
}

TEST_F(Dplr, another_wannier_net_replaces_the_one_inside) {
  const std::string net = example("models/water-dw.pb");
  const Json replaced = eval_frame("--wannier " + net);
  const Json alone = eval_frame(net, structure);
  EXPECT_LT(largest_difference(replaced["dipoles"], alone["dipoles"]), 1e-12);
  EXPECT_GT(largest_difference(replaced["dipoles"], eval_frame()["dipoles"]), 1e-6);
}

TEST_F(Dplr, a_plain_model_becomes_one_with_a_wannier_net_and_charges) {
  const std::string plain = reference::data_path("water_sea.pb");
  const std::string net = "--wannier " + reference::data_path("water_dw.pb");
  const std::string charges = " --ion-charges O=6,H=1 --wannier-charges O=-8 --beta 0.4";
  const Json joined = eval_frame(plain, structure, net + charges), alone = eval_frame(plain, structure);
  EXPECT_NEAR(joined["energy_short"].get<double>(), alone["energy"].get<double>(), 1e-9);
  EXPECT_GT(joined["energy_long"].get<double>(), 0);
  EXPECT_EQ(run_program("eval " + plain + " " + structure + " " + net).code, 2);  // no charges
}

TEST_F(Dplr, charges_may_be_told) {
  const Json half = eval_frame("--solver direct --ion-charges O=3,H=0.5 --wannier-charges O=-4");
  EXPECT_NEAR(half["energy_long"].get<double>(),
              0.25 * eval_frame("--solver direct")["energy_long"].get<double>(), 1e-10);
}

TEST_F(Dplr, a_data_file_of_lammps_gives_the_same_numbers_as_the_plain_one) {
  write_text(folder / "water.data", reference::lammps_dplr_text(water));
  const Json plain = eval_frame(), lammps = eval_frame(model_path(), folder / "water.data");
  EXPECT_EQ(keys_of(plain), keys_of(lammps));
  EXPECT_EQ(lammps["forces"].size(), 24u);
  EXPECT_NEAR(plain["energy"].get<double>(), lammps["energy"].get<double>(), 1e-10);
  EXPECT_LT(largest_difference(plain["forces"], lammps["forces"]), 1e-10);
}

TEST_F(Dplr, the_shipped_data_files_with_and_without_virtual_atoms_agree) {
  const std::string model = example("models/water-dplr.pb");
  const Json plain = eval_frame(model, example("structures/water188.data"));
  const Json lammps = eval_frame(model, example("structures/water188-dplr.data"));
  EXPECT_NEAR(plain["energy"].get<double>(), lammps["energy"].get<double>(), 1e-9);
  EXPECT_LT(largest_difference(plain["forces"], lammps["forces"]), 1e-9);
}

TEST_F(Dplr, a_plain_model_refuses_every_option_of_the_long_range_part) {
  for (const char* option : {"--solver pppm", "--mesh 20 20 20", "--order 5", "--diff ik",
                             "--mesh-error 1e-5", "--pppm-threads off", "--lammps-constants",
                             "--efield 0 0 1", "--ion-charges O=6", "--wannier-charges O=-8", "--beta 0.4"}) {
    const Outcome outcome =
        run_program("eval " + reference::data_path("water_sea.pb") + " " + structure + " " + option);
    EXPECT_EQ(outcome.code, 2) << option;
    const std::string name = std::string(option).substr(0, std::string(option).find(' '));
    EXPECT_NE(outcome.err.find(name + " is given but"), std::string::npos) << option << ": " << outcome.err;
  }
}

struct Refusal {
  const char* options;
  const char* text;  ///< part of what is said
};

TEST_F(Dplr, wrong_options_are_refused_with_a_reason) {
  const Refusal refusals[] = {
      {"--solver ewald", "--solver is 'ewald'"},
      {"--mesh 20 20", "--mesh"},
      {"--mesh 0 20 20", "--mesh"},
      {"--mesh 3 20 20", "too small for assignment order 5"},
      {"--mesh-error 0", "must be positive"},
      {"--mesh-error lots", "--mesh-error"},
      {"--order 8", "--order"},
      {"--diff fd", "--diff is 'fd'"},
      {"--pppm-threads 64 --threads 2", "--pppm-threads 64 leaves no thread for the nets"},
      {"--pppm-threads none", "--pppm-threads"},
      {"--efield 0 1", "--efield"},
      {"--efield 0 0 x", "--efield"},
      {"--efield 0 0 1 --efield-period 0", "--efield-period"},
      {"--wannier absent.pb", "absent.pb"},
      {"--ion-charges O", "--ion-charges"},
      {"--ion-charges He=2", "He"},
      {"--ion-charges O=5", "the charges sum to"},
      {"--wannier-charges H=1", "H"},
      {"--beta -1", "beta"},
  };
  for (const Refusal& refusal : refusals) {
    const Outcome outcome = run_program("eval " + model_path() + " " + structure + " " + refusal.options);
    EXPECT_EQ(outcome.code, 2) << refusal.options;
    EXPECT_NE(outcome.err.find(refusal.text), std::string::npos) << refusal.options << ": " << outcome.err;
  }
}

TEST_F(Dplr, an_open_structure_is_refused) {
  write_text(folder / "open.xyz",
             "3\nProperties=species:S:1:pos:R:3 pbc=\"F F F\"\nO 0 0 0\nH 0.96 0 0\nH -0.24 0.93 0\n");
  const Outcome outcome = run_program("eval " + model_path() + " " + (folder / "open.xyz"));
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("does not repeat in all directions"), std::string::npos) << outcome.err;
}

TEST_F(Dplr, info_names_the_long_range_part) {
  const Outcome outcome = run_program("info --json " + model_path());
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json info = Json::parse(outcome.out);
  EXPECT_EQ(info["kind"], "dplr");
  EXPECT_EQ(info["sel_type"], Json::parse("[0]"));
  EXPECT_EQ(info["ion_charges"], Json::parse("[6.0, 1.0]"));
  EXPECT_EQ(info["wannier_charges"], Json::parse("[-8.0]"));
  EXPECT_EQ(info["ewald_beta"], 0.4);
  EXPECT_EQ(info["wannier"]["descriptor"], "se_e2_a");
}

TEST_F(Dplr, check_passes) {
  const Outcome outcome =
      run_program("check " + model_path() + " " + structure + " --json " + (folder / "check.json"));
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_EQ(Json::parse(read_text(folder / "check.json"))["ok"], true);
}

TEST_F(Dplr, bench_books_the_solver) {
  const Outcome outcome =
      run_program("bench " + model_path() + " " + structure +
                  " --steps 3 --pppm-threads off --mesh 20 20 20 --json " + (folder / "bench.json"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const Json bench = Json::parse(read_text(folder / "bench.json"));
  EXPECT_GT(bench["stages"]["pppm"].get<double>(), 0);
}

}  // namespace
}  // namespace nanoday::testing
