// Atoms made from a structure keep what the file says.
// SPDX-License-Identifier: Apache-2.0
#include "forces/system_setup.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

Structure water() {
  Structure s;
  s.source = "water.xyz";
  s.species_name = {"H", "O"};
  s.species_mass = {1.008, 15.999};
  s.species = {1, 0, 0};
  s.position = {Vec3{1, 2, 3}, Vec3{4, 5, 6}, Vec3{-7, 8, 9}};
  return s;
}

TEST(MakeAtoms, keeps_positions_types_and_masses_in_input_order) {
  const Atoms atoms = make_atoms(water(), {0, 1, 1});
  EXPECT_EQ(atoms.nlocal, 3);
  EXPECT_EQ(atoms.nghost, 0);
  EXPECT_EQ(atoms.position[2].x, -7);
  EXPECT_EQ(atoms.type[0], 0);
  EXPECT_EQ(atoms.type[2], 1);
  EXPECT_EQ(atoms.id[1], 1);
  EXPECT_EQ(atoms.mass[0], 15.999);
  EXPECT_EQ(atoms.mass[1], 1.008);
}

TEST(MakeAtoms, leaves_velocities_images_and_masses_zero_when_the_file_has_none) {
  Structure s = water();
  s.species_mass.clear();
  const Atoms atoms = make_atoms(s, {0, 1, 1});
  ASSERT_EQ(atoms.velocity.size(), 3u);
  ASSERT_EQ(atoms.image.size(), 3u);
  EXPECT_EQ(atoms.velocity[1].x, 0);
  EXPECT_EQ(atoms.image[1][2], 0);
  EXPECT_EQ(atoms.mass[1], 0);
}

TEST(MakeAtoms, takes_velocities_and_images_from_the_file) {
  Structure s = water();
  s.velocity = {Vec3{1, 0, 0}, Vec3{0, 2, 0}, Vec3{0, 0, 3}};
  s.image = {{0, 0, 0}, {1, -2, 3}, {0, 0, 0}};
  const Atoms atoms = make_atoms(s, {0, 1, 1});
  EXPECT_EQ(atoms.velocity[2].z, 3);
  EXPECT_EQ(atoms.image[1][1], -2);
}

TEST(MakeAtoms, refuses_types_that_do_not_match_the_atoms) {
  EXPECT_THROW(make_atoms(water(), {0, 1}), InputError);
}

}  // namespace
}  // namespace nanoday
