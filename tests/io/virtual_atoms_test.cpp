// LAMMPS data with virtual Wannier atoms: recognised, checked against hosts and model, taken out.
// SPDX-License-Identifier: Apache-2.0
#include "io/virtual_atoms.hpp"

#include "core/error.hpp"
#include "io/sample_files.hpp"
#include "io/structure_file.hpp"
#include "model/model_file.hpp"
#include "reference/paths.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace nanoday {
namespace {

using test::message_of;
using test::TemporaryFolder;
using Names = std::vector<std::string>;

const Model& dplr() {
  static const Model model = read_model(reference::data_path("water_dplr.pb"));
  return model;
}

Structure read_text(const std::string& text, const Names& types = {}) {
  const TemporaryFolder folder;
  return read_structures(folder.write("a.data", text), types).at(0);
}

Structure prepared(const std::string& text, const Names& types = {}) {
  return prepare_for(dplr(), read_text(text, types));
}

/// The sample with `old` replaced by `now` everywhere.
std::string with(const std::string& old, const std::string& now, std::string text = test::k_lammps_dplr) {
  std::size_t at = text.find(old);
  EXPECT_NE(at, std::string::npos) << old;
  for (; at != std::string::npos; at = text.find(old, at + now.size())) text.replace(at, old.size(), now);
  return text;
}

testing::AssertionResult refuses(const std::string& text, const std::string& words, const Names& types = {}) {
  const std::string message = message_of<InputError>([&] { prepared(text, types); });
  if (message.find(words) != std::string::npos) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "'" << words << "' is not in: " << message;
}

/// What every good reading of the sample must give.
void expect_two_molecules(const Structure& s) {
  EXPECT_EQ(s.species_name, (Names{"O", "H"}));
  EXPECT_EQ(s.species_mass, (std::vector<double>{15.9994, 1.00794}));
  EXPECT_EQ(s.id, (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(bind_types(s, dplr().type_map), (std::vector<std::int32_t>{0, 1, 1, 0, 1, 1}));
  ASSERT_EQ(s.natoms(), 6u);
  EXPECT_EQ(s.position[3].y, 5.0);
  ASSERT_EQ(s.velocity.size(), 6u);
  EXPECT_EQ(s.velocity[5].x, 6.0);
  EXPECT_EQ(s.image[3][1], 2);
  EXPECT_TRUE(s.bond.empty());
  EXPECT_TRUE(s.real_names.empty());
}

TEST(LammpsBonds, are_pairs_of_atoms_in_file_order) {
  using Bond = std::array<std::int64_t, 2>;
  const Structure s = read_text(test::k_lammps_dplr);
  EXPECT_EQ(s.bond, (std::vector<Bond>{{0, 1}, {0, 2}, {0, 3}, {7, 4}}));
  EXPECT_EQ(s.charge, (std::vector<double>{6, -8, 1, 1, 6, 1, 1, -8}));
}

TEST(LammpsBonds, must_be_whole_and_name_atoms_of_the_file) {
  EXPECT_TRUE(refuses(with("4 1 8 4\n", ""), "Bonds"));
  EXPECT_TRUE(refuses(with("4 1 8 4\n", "4 1 8 44\n"), "there is no atom 44"));
  EXPECT_TRUE(refuses(with("4 1 8 4\n", "4 1 8 8\n"), "to itself"));
  EXPECT_TRUE(refuses(with("4 1 8 4\n", "4 1 8\n"), "\"id type atom atom\""));
  const std::string& good = test::k_lammps_dplr;
  EXPECT_TRUE(refuses(good.substr(0, good.find("Bonds")), "no Bonds section"));
  EXPECT_TRUE(refuses(with("4 bonds", "3 bonds"), "unknown section"));
}

TEST(VirtualAtoms, are_dropped_and_real_ones_keep_order_ids_and_velocities) {
  expect_two_molecules(prepared(test::k_lammps_dplr));
}

TEST(VirtualAtoms, are_recognised_however_they_are_called) {
  expect_two_molecules(prepared(test::k_lammps_dplr, {"O", "H"}));
  for (const char* name : {"X", "NULL", "W", "O"})
    expect_two_molecules(prepared(test::k_lammps_dplr, {"O", "H", name}));
  for (const char* comment : {" # X", " # W", " # O"})
    expect_two_molecules(prepared(with("\n3 15.9994", std::string("\n3 15.9994") + comment)));
}

TEST(VirtualAtoms, may_have_any_mass) {
  for (const char* mass : {"1.0", "1e-3", "12.011", "22.98977", "1000"})
    expect_two_molecules(prepared(with("\n3 15.9994", std::string("\n3 ") + mass)));
}

TEST(VirtualAtoms, may_have_any_type_number) {
  // Types 2 and 3 change places: names given for the real types alone skip the virtual one.
  std::string text = with("\n2 1.00794\n3 15.9994", "\n2 15.9994\n3 1.00794");
  for (const char* atom : {"7 1", "8 2"})
    text = with(std::string("\n") + atom + " 3", std::string("\n") + atom + " t", text);
  for (const char* atom : {"2 1", "3 1", "5 2", "6 2"})
    text = with(std::string("\n") + atom + " 2", std::string("\n") + atom + " 3", text);
  for (const char* atom : {"7 1", "8 2"})
    text = with(std::string("\n") + atom + " t", std::string("\n") + atom + " 2", text);
  expect_two_molecules(prepared(text));
  expect_two_molecules(prepared(text, {"O", "H"}));
  expect_two_molecules(prepared(text, {"O", "X", "H"}));
}

TEST(VirtualAtoms, names_must_be_as_many_as_types_real_or_all) {
  EXPECT_TRUE(refuses(test::k_lammps_dplr, "1 of them recognised as virtual", {"O"}));
  EXPECT_TRUE(refuses(test::k_lammps_dplr, "3 type(s)", {"O", "H", "X", "Y"}));
  EXPECT_TRUE(refuses(test::k_lammps_dplr, "wrong order", {"H", "O"}));
}

std::string without_charges() {
  std::string text = with(" 3 -8 ", " 3 0 ");
  for (const char* oxygen : {"\n1 1 1 ", "\n4 2 1 "})
    text = with(oxygen + std::string("6 "), oxygen + std::string("0 "), text);
  for (const char* hydrogen : {"\n2 1 2 ", "\n3 1 2 ", "\n5 2 2 ", "\n6 2 2 "})
    text = with(hydrogen + std::string("1 "), hydrogen + std::string("0 "), text);
  return text;
}

TEST(VirtualAtoms, charges_that_are_all_zero_are_not_given) {
  const std::string text = without_charges();
  ASSERT_FALSE(gives_charges(read_text(text)));
  expect_two_molecules(prepared(text, {"O", "H", "X"}));
  expect_two_molecules(prepared(with("\n3 15.9994", "\n3 1e-3", text)));
  EXPECT_NE(
      message_of<InputError>([&] { bind_types(prepared(text), dplr().type_map); }).find("both have the mass"),
      std::string::npos);
}

TEST(VirtualAtoms, sit_within_one_angstrom_of_their_hosts) {
  EXPECT_EQ(prepared(with("1.1 2.0 3.1", "1.99 2.0 3.0")).natoms(), 6u);
  EXPECT_TRUE(
      refuses(with("1.1 2.0 3.1", "2.01 2.0 3.0"), "virtual atom 7 is 1.01 A away from its host, atom 1"));
  EXPECT_TRUE(
      refuses(with("8.9 5.0 6.0", "7.5 5.0 6.0"), "virtual atom 8 is 1.6 A away from its host, atom 4"));
}

TEST(VirtualAtoms, exactly_one_belongs_to_each_selected_atom) {
  EXPECT_TRUE(refuses(with("4 1 8 4", "4 1 8 1"), "atom 1 has two virtual atoms, 7 and 8"));
  EXPECT_TRUE(refuses(with("4 1 8 4", "4 1 8 5"), "virtual atom 8 is bonded to atom 5, of type 2 (H)"));
  EXPECT_TRUE(refuses(with("4 1 8 4", "4 1 8 7"), "virtual atoms 8 and 7 are bonded to each other"));
  EXPECT_TRUE(refuses(with("3 2 1 3", "3 2 8 3"), "virtual atom 8 has two bonds, to atoms 3 and 4"));
  EXPECT_TRUE(refuses(with("4 1 8 4", "4 1 5 4"), "virtual atom 8 of type 3 has no bond"));
  const std::string fewer =
      with("8 2 3 -8 8.9 5.0 6.0 -1 0 0\n", "", with("\n8 8 0 0", "", with("8 atoms", "7 atoms")));
  EXPECT_TRUE(refuses(with("4 1 8 4", "4 1 5 4", fewer), "atom 4 of type 1 has no virtual atom"));
}

TEST(VirtualAtoms, two_on_one_atom_are_noticed_also_between_real_bonds) {
  // Without charges, bonds alone show what is virtual: not these, since atom 4 has none and atom 1 two.
  const std::string text = with("4 1 8 4", "4 1 8 1", without_charges());
  EXPECT_NE(find_virtual_species(read_text(without_charges(), {"O", "H", "X"}), dplr()),
            find_virtual_species(read_text(text, {"O", "H", "X"}), dplr()));
}

TEST(VirtualAtoms, charges_must_be_the_models) {
  EXPECT_TRUE(refuses(with("8 2 3 -8 ", "8 2 3 -7.9 "),
                      "virtual atom 8 of atom 4 has charge -7.9 e in the file but -8 e"));
  EXPECT_TRUE(refuses(with(" 3 -8 ", " 3 -7.9 "), "virtual atom 7 of atom 1 has charge -7.9 e"));
  EXPECT_TRUE(
      refuses(with(" 3 -8 ", " 3 -7.9 "), "virtual atom 7 of atom 1 has charge -7.9 e", {"O", "H", "X"}));
  EXPECT_TRUE(refuses(with("4 2 1 6 ", "4 2 1 6.00001 "),
                      "atom 4 of type 1 (O) has charge 6.00001 e in the file but 6 e"));
  EXPECT_TRUE(refuses(with("6 2 2 1 ", "6 2 2 -1 "), "atom 6 of type 2 (H) has charge -1 e"));
  EXPECT_EQ(prepared(with("4 2 1 6 ", "4 2 1 6.0000001 ")).natoms(), 6u);
}

TEST(VirtualAtoms, charges_are_compared_without_virtual_atoms_too) {
  const auto file = [](const char* o, const char* h) {
    return fmt::format(
        "title\n2 atoms\n2 atom types\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n\nMasses\n\n1 15.9994\n"
        "2 1.008\n\nAtoms # charge\n\n1 1 {} 1 2 3\n2 2 {} 4 5 6\n",
        o, h);
  };
  EXPECT_EQ(prepared(file("6", "1")).natoms(), 2u);
  EXPECT_EQ(prepared(file("0", "0")).natoms(), 2u);
  EXPECT_TRUE(refuses(file("-0.8", "0.4"), "atom 1 of type 1 (O) has charge -0.8 e in the file but 6 e"));
  EXPECT_TRUE(refuses(file("6", "0"), "atom 2 of type 2 (H) has charge 0 e"));
}

TEST(VirtualAtoms, real_atoms_must_not_overlap) {
  EXPECT_TRUE(refuses(with("1.9 2.1 3.0", "1.0 2.0 3.01"), "atoms 1 and 2 overlap"));
  EXPECT_EQ(prepared(with("1.1 2.0 3.1", "1.0 2.0 3.0")).natoms(), 6u);  // on its host: as LAMMPS starts
}

TEST(VirtualAtoms, a_model_without_long_range_part_refuses_them) {
  const Model plain = read_model(reference::data_path("water_sea.pb"));
  for (const Names& names : {Names{}, Names{"O", "H"}, Names{"O", "H", "X"}}) {
    const std::string message =
        message_of<InputError>([&] { prepare_for(plain, read_text(test::k_lammps_dplr, names)); });
    EXPECT_NE(message.find("the file has virtual atoms (type 3"), std::string::npos) << message;
  }
}

TEST(VirtualAtoms, bonds_between_real_atoms_mean_nothing_to_any_model) {
  const Model plain = read_model(reference::data_path("water_sea.pb"));
  std::string text = with("4 2 3 1 6.0 7.0 8.0", "4 2 1 1 6.0 7.0 8.0", test::k_lammps_full);
  const Structure s = prepare_for(plain, read_text(text));
  EXPECT_EQ(s.natoms(), 4u);
  EXPECT_TRUE(s.bond.empty());
  EXPECT_EQ(bind_types(s, plain.type_map), (std::vector<std::int32_t>{0, 1, 1, 0}));
  EXPECT_NE(message_of<InputError>([&] {
              prepare_for(plain, read_text(text, {"O", "H"}));
            }).find("3 type(s)"),
            std::string::npos);
}

TEST(VirtualAtoms, shipped_water_equals_the_plain_file) {
  const std::string folder = std::string(NANODAY_SOURCE_DIR) + "/examples/structures/";
  const Structure plain = read_structures(folder + "water188.data").at(0);
  for (const Names& names : {Names{}, Names{"O", "H"}, Names{"O", "H", "X"}}) {
    const Structure s = prepare_for(dplr(), read_structures(folder + "water188-dplr.data", names).at(0));
    ASSERT_EQ(s.natoms(), 564u);
    const auto types = bind_types(s, dplr().type_map), plain_types = bind_types(plain, dplr().type_map);
    double far = 0;
    for (std::size_t i = 0; i < s.natoms(); ++i) far = std::max(far, norm(s.position[i] - plain.position[i]));
    EXPECT_EQ(types, plain_types);
    EXPECT_LT(far, 1e-8);
  }
}

}  // namespace
}  // namespace nanoday
