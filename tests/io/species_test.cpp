// Elements are tied to model types by name; messages say what is wrong.
// SPDX-License-Identifier: Apache-2.0
#include "io/species.hpp"

#include "core/error.hpp"
#include "io/element_table.hpp"
#include "io/structure_file.hpp"
#include "io/temporary_folder.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using test::message_of;

Structure two_species(const std::string& a, const std::string& b) {
  Structure s;
  s.source = "file";
  s.box = Box::orthorhombic(9, 9, 9);
  s.species_name = {a, b};
  s.species_mass = {0, 0};
  s.species = {0, 1, 1};
  s.position = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}};
  s.id = {1, 2, 3};
  return s;
}

TEST(ElementTable, knows_symbols_and_masses_both_ways) {
  EXPECT_DOUBLE_EQ(element_mass("O"), 15.999);
  EXPECT_DOUBLE_EQ(element_mass("Cu"), 63.546);
  EXPECT_DOUBLE_EQ(element_mass("Og"), 294);
  EXPECT_EQ(element_of_mass(1.00794), "H");
  EXPECT_EQ(element_of_mass(15.9994), "O");
  EXPECT_EQ(element_of_mass(63.546), "Cu");
  EXPECT_EQ(element_of_mass(12.5), std::nullopt);
  EXPECT_EQ(element_of_mass(247), std::nullopt);  // Cm and Bk
  EXPECT_EQ(element_symbol(29), "Cu");
  EXPECT_EQ(element_symbol(118), "Og");
  EXPECT_THROW(element_mass("Xx"), InputError);
  EXPECT_THROW(element_symbol(119), InputError);
}

TEST(BindTypes, goes_by_name_whatever_the_order) {
  EXPECT_EQ(bind_types(two_species("O", "H"), {"O", "H"}), (std::vector<std::int32_t>{0, 1, 1}));
  EXPECT_EQ(bind_types(two_species("O", "H"), {"H", "Na", "O"}), (std::vector<std::int32_t>{2, 0, 0}));
}

TEST(BindTypes, unknown_elements_are_named_with_the_type_map) {
  const std::string text = message_of<InputError>([] { bind_types(two_species("O", "Cl"), {"O", "H"}); });
  EXPECT_NE(text.find("does not know Cl"), std::string::npos);
  EXPECT_NE(text.find("type_map: O H"), std::string::npos);
  const std::string hint = message_of<InputError>([] { bind_types(two_species("O", "NA"), {"O", "Na"}); });
  EXPECT_NE(hint.find("did you mean Na?"), std::string::npos);
}

TEST(BindTypes, unnamed_species_are_refused_only_where_they_have_atoms) {
  Structure s = two_species("O", "");
  s.species_mass = {15.9994, 15.9994};
  EXPECT_NE(message_of<InputError>([&] {
              bind_types(s, {"O", "H"});
            }).find("types 1 and 2 both have the mass of O"),
            std::string::npos);
  s.species = {0, 0, 0};
  EXPECT_EQ(bind_types(s, {"H", "O"}), (std::vector<std::int32_t>{1, 1, 1}));
}

TEST(BindTypes, models_without_names_take_numbers_only) {
  EXPECT_EQ(bind_types(two_species("1", "0"), {"", ""}), (std::vector<std::int32_t>{1, 0, 0}));
  EXPECT_THROW(bind_types(two_species("O", "H"), {"", ""}), InputError);
  EXPECT_THROW(bind_types(two_species("0", "2"), {"", ""}), InputError);
  EXPECT_THROW(bind_types(two_species("0", "1"), {"O", "H"}), InputError);
}

TEST(SpeciesMasses, come_from_the_file_then_from_the_table) {
  Structure s = two_species("O", "H");
  s.species_mass = {0, 2.014};
  EXPECT_EQ(species_masses(s), (std::vector<double>{15.999, 2.014}));
  EXPECT_NE(message_of<InputError>([] { species_masses(two_species("O", "Q1")); }).find("'Q1'"),
            std::string::npos);
}

}  // namespace
}  // namespace nanoday
