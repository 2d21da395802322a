// Every structure format is read as it is meant, and recognised by name and content.
// SPDX-License-Identifier: Apache-2.0
#include "io/structure_file.hpp"

#include "core/error.hpp"
#include "io/sample_files.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using test::message_of;
using test::TemporaryFolder;

void expect_near(Vec3 a, Vec3 b, double tolerance = 1e-12) {
  EXPECT_NEAR(a.x, b.x, tolerance);
  EXPECT_NEAR(a.y, b.y, tolerance);
  EXPECT_NEAR(a.z, b.z, tolerance);
}

Structure read_text(const std::string& name, const std::string& text,
                    const std::vector<std::string>& types = {}) {
  const TemporaryFolder folder;
  return read_structures(folder.write(name, text), types).at(0);
}

std::string data_file(const std::string& atoms_line, const std::string& rows,
                      const std::string& masses = "") {
  return "title\n2 atoms\n2 atom types\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n" +
         (masses.empty() ? "\nMasses\n\n1 15.9994\n2 1.008\n" : masses) + "\n" + atoms_line + "\n\n" + rows;
}

TEST(LammpsData, gives_box_species_atoms_images_and_velocities_in_file_order) {
  const Structure s = read_text("water.data", test::k_lammps_full);
  EXPECT_EQ(s.species_name, (std::vector<std::string>{"O", "H", "Na"}));
  EXPECT_EQ(s.species_mass, (std::vector<double>{15.9994, 1.00794, 22.98977}));
  EXPECT_EQ(s.id, (std::vector<std::int64_t>{7, 2, 9, 4}));
  EXPECT_EQ(s.species, (std::vector<std::int32_t>{0, 1, 1, 2}));
  EXPECT_EQ(s.charge, (std::vector<double>{-0.8, 0.4, 0.4, 1}));
  expect_near(s.box.origin, {-1, 0, 0.5});
  expect_near(s.box.cell[0], {10, 0, 0});
  expect_near(s.box.cell[1], {1.5, 11, 0});
  expect_near(s.box.cell[2], {-0.5, 0.25, 12});
  EXPECT_EQ(s.box.periodic, (std::array<bool, 3>{true, true, true}));
  expect_near(s.position[1], {1.9, 2.1, 3.0});
  EXPECT_EQ(s.image[2], (std::array<int, 3>{0, 0, -2}));
  expect_near(s.velocity[0], {1, 2, 3});
  expect_near(s.velocity[3], {-1, -2, -3});
}

TEST(LammpsData, styles_without_a_comment_are_told_by_their_columns) {
  const Structure atomic = read_text("a.data", data_file("Atoms", "1 1 1 2 3\n2 2 4 5 6\n"));
  EXPECT_TRUE(atomic.charge.empty());
  expect_near(atomic.position[1], {4, 5, 6});
  const Structure charge =
      read_text("a.data", data_file("Atoms", "1 1 -0.8 1 2 3 0 0 1\n2 2 0.8 4 5 6 0 0 0\n"));
  EXPECT_EQ(charge.charge, (std::vector<double>{-0.8, 0.8}));
  EXPECT_EQ(charge.image[0][2], 1);
  const Structure full = read_text("a.data", data_file("Atoms", "1 5 1 -0.8 1 2 3\n2 5 2 0.8 4 5 6\n"));
  EXPECT_EQ(full.species, (std::vector<std::int32_t>{0, 1}));
  expect_near(full.position[0], {1, 2, 3});
}

TEST(LammpsData, charge_and_molecular_are_not_guessed_when_both_are_possible) {
  const std::string text = data_file("Atoms", "1 1 1 1 2 3\n2 2 2 4 5 6\n");
  EXPECT_NE(message_of<InputError>([&] { read_text("a.data", text); }).find("charge or molecular"),
            std::string::npos);
  EXPECT_EQ(read_text("a.data", data_file("Atoms # charge", "1 1 1 1 2 3\n2 2 2 4 5 6\n")).charge[1], 2);
  EXPECT_TRUE(
      read_text("a.data", data_file("Atoms # molecular", "1 1 1 1 2 3\n2 2 2 4 5 6\n")).charge.empty());
}

TEST(LammpsData, elements_come_from_masses_only_when_these_are_unambiguous) {
  const std::string rows = "1 1 1 2 3\n2 2 4 5 6\n";
  EXPECT_EQ(read_text("a.data", data_file("Atoms", rows)).species_name, (std::vector<std::string>{"O", "H"}));
  const std::string equal = "\nMasses\n\n1 15.9994\n2 15.9994\n";
  EXPECT_EQ(read_text("a.data", data_file("Atoms", rows, equal)).species_name,
            (std::vector<std::string>{"", ""}));
  const std::string half_named = "\nMasses\n\n1 15.9994 # O\n2 15.9994\n";
  EXPECT_EQ(read_text("a.data", data_file("Atoms", rows, half_named)).species_name,
            (std::vector<std::string>{"O", ""}));
  const Structure named = read_text("a.data", data_file("Atoms", rows, equal), {"O", "W"});
  EXPECT_EQ(named.species_name, (std::vector<std::string>{"O", "W"}));
  EXPECT_EQ(read_text("a.data", data_file("Atoms", rows, "\n"), {"Cu", "Zr"}).species_mass,
            (std::vector<double>{63.546, 91.224}));
}

TEST(LammpsData, names_in_the_wrong_order_are_noticed_by_their_masses) {
  const std::string text = data_file("Atoms", "1 1 1 2 3\n2 2 4 5 6\n");
  EXPECT_NE(message_of<InputError>([&] {
              read_text("a.data", text, {"H", "O"});
            }).find("wrong order"),
            std::string::npos);
  EXPECT_NE(message_of<InputError>([&] { read_text("a.data", text, {"O"}); }).find("2 type(s)"),
            std::string::npos);
}

TEST(LammpsData, type_labels_name_types_and_stand_for_them) {
  const std::string labels = "\nAtom Type Labels\n\n1 O\n2 H\n\nMasses\n\nO 15.9994\nH 1.008\n";
  const Structure s = read_text("a.data", data_file("Atoms # atomic", "1 H 1 2 3\n2 O 4 5 6\n", labels));
  EXPECT_EQ(s.species_name, (std::vector<std::string>{"O", "H"}));
  EXPECT_EQ(s.species, (std::vector<std::int32_t>{1, 0}));
}

TEST(LammpsData, general_vectors_and_real_units_are_read) {
  const std::string text =
      "file, units = real\n1 atoms\n1 atom types\n0 5 0 avec\n-6 0 0 bvec\n0 0 7 cvec\n1 2 3 abc origin\n"
      "Masses\n\n1 63.546\n\nAtoms # atomic\n\n1 1 0 0 0\n\nVelocities\n\n1 0.001 0 0\n";
  const Structure s = read_text("a.data", text);
  expect_near(s.box.cell[1], {-6, 0, 0});
  expect_near(s.box.origin, {1, 2, 3});
  expect_near(s.velocity[0], {1, 0, 0});
}

TEST(LammpsData, mistakes_are_named_with_their_line) {
  const auto message = [](const std::string& atoms_line, const std::string& rows,
                          const std::string& masses = "") {
    return message_of<InputError>([&] { read_text("a.data", data_file(atoms_line, rows, masses)); });
  };
  EXPECT_NE(message("Atoms", "1 1 1 2 3\n2 3 4 5 6\n").find("a.data:16: atom type 3"), std::string::npos);
  EXPECT_NE(message("Atoms", "1 1 1 2 3\n1 2 4 5 6\n").find("a.data:16: atom id 1 is there twice"),
            std::string::npos);
  EXPECT_NE(message("Atoms", "1 1 1 2 3\n").find("truncated"), std::string::npos);
  EXPECT_NE(message("Atoms", "1 1 1 2 nan\n2 2 4 5 6\n").find("'nan'"), std::string::npos);
  EXPECT_NE(message("Atoms # dipole", "1 1 1 2 3\n2 2 4 5 6\n").find("style 'dipole'"), std::string::npos);
  EXPECT_NE(message("Atoms # full", "1 1 1 2 3\n2 2 4 5 6\n").find("7 columns"), std::string::npos);
  EXPECT_NE(message("Atoms", "1 1 1 2 3\n2 2 4 5\n").find("a.data:16: this atom has 4 columns"),
            std::string::npos);
  EXPECT_NE(message("Whatever", "1 1 1 2 3\n").find("unknown section 'Whatever'"), std::string::npos);
  EXPECT_NE(message("Atoms", "1 1 1 2 3\n2 2 4 5 6\n", "\nMasses\n\n1 -1\n2 1\n").find("not above 0"),
            std::string::npos);
  const std::string no_box = "t\n1 atoms\n1 atom types\n0 1 xlo xhi\n0 1 ylo yhi\n\nAtoms\n\n1 1 0 0 0\n";
  EXPECT_NE(message_of<InputError>([&] { read_text("a.data", no_box); }).find("zlo zhi"), std::string::npos);
  const std::string lj = "LAMMPS data file, units = lj\n1 atoms\n";
  EXPECT_NE(message_of<InputError>([&] { read_text("a.data", lj); }).find("'lj' units"), std::string::npos);
}

TEST(Extxyz, gives_every_frame_with_its_own_box) {
  const TemporaryFolder folder;
  const auto frames = read_structures(folder.write("two.extxyz", test::k_extxyz));
  ASSERT_EQ(frames.size(), 2u);
  const Structure& first = frames[0];
  EXPECT_EQ(first.species_name, (std::vector<std::string>{"O", "H"}));
  EXPECT_EQ(first.species_mass, (std::vector<double>{15.999, 1.008}));
  EXPECT_EQ(first.box.periodic, (std::array<bool, 3>{true, true, false}));
  expect_near(first.box.cell[2], {1, 0, 12});
  expect_near(first.box.origin, {0, 0, 1});
  expect_near(first.position[2], {0.7, 2.9, 3.1});
  expect_near(first.velocity[2], {-0.1, 0, 0});
  EXPECT_NE(first.source.find("two.extxyz frame 1"), std::string::npos);
  EXPECT_TRUE(frames[1].box.is_open());
  EXPECT_TRUE(frames[1].velocity.empty());
  EXPECT_EQ(frames[1].species_name, (std::vector<std::string>{"Na", "Cl"}));
}

TEST(Extxyz, reads_atomic_numbers_masses_charges_ids_and_fs_velocities) {
  const Structure s = read_text("a.xyz",
                                "2\nProperties=id:I:1:Z:I:1:pos:R:3:mass:R:1:charge:R:1:vel:R:3 "
                                "velocity_unit=A/fs Lattice=[[9,0,0],[0,9,0],"
                                "[0,0,9]]\n5 1 0 0 0 2.014 0.5 0.001 0 0\n3 8 1 0 0 16 -0.5 0 0 0\n");
  EXPECT_EQ(s.species_name, (std::vector<std::string>{"H", "O"}));
  EXPECT_EQ(s.species_mass, (std::vector<double>{2.014, 16}));
  EXPECT_EQ(s.id, (std::vector<std::int64_t>{5, 3}));
  EXPECT_EQ(s.charge, (std::vector<double>{0.5, -0.5}));
  expect_near(s.velocity[0], {1, 0, 0});
  EXPECT_FALSE(s.box.is_open());
}

TEST(Extxyz, mistakes_are_named_with_their_line) {
  const auto message = [](const std::string& text) {
    return message_of<InputError>([&] { read_text("a.xyz", text); });
  };
  EXPECT_NE(message("").find("no frame"), std::string::npos);
  EXPECT_NE(message("2\n\nH 0 0 0\n").find("truncated"), std::string::npos);
  EXPECT_NE(message("1\n\nH 0 0\n").find("a.xyz:3:"), std::string::npos);
  EXPECT_NE(message("1\nLattice=\"1 2 3\"\nH 0 0 0\n").find("Lattice has 3 numbers"), std::string::npos);
  EXPECT_NE(message("1\nLattice=\"1 2 3\nH 0 0 0\n").find("no closing"), std::string::npos);
  EXPECT_NE(message("1\npbc=\"T T T\"\nH 0 0 0\n").find("no Lattice"), std::string::npos);
  EXPECT_NE(message("1\nProperties=species:S:1:pos:R:2\nH 0 0 0\n").find("pos is R:2"), std::string::npos);
  EXPECT_NE(message("1\nProperties=species:S:1:pos:R:3\nH 0 0 0 0\n").find("5 columns (expected 4)"),
            std::string::npos);
  EXPECT_NE(message("1\n\n1 0 0 0\n").find("'1' cannot name"), std::string::npos);
  EXPECT_NE(message("1\n\nH 0 0 0\n\nfoo\n").find("a.xyz:5: 'foo'"), std::string::npos);
}

TEST(Poscar, gives_scaled_box_positions_and_velocities) {
  const Structure s = read_text("POSCAR", test::k_poscar);
  EXPECT_EQ(s.species_name, (std::vector<std::string>{"O", "H"}));
  EXPECT_EQ(s.species, (std::vector<std::int32_t>{0, 1, 1}));
  expect_near(s.box.cell[1], {1, 11, 0});
  expect_near(s.position[0], {1 + 0.2, 2.2, 3.6});
  expect_near(s.velocity[0], {1, 2, 3});
  EXPECT_EQ(s.id, (std::vector<std::int64_t>{1, 2, 3}));
}

TEST(Poscar, takes_volumes_cartesian_positions_and_repeated_elements) {
  const Structure s = read_text("a.vasp",
                                "t\n-216\n3 0 0\n0 3 0\n0 0 3\nO H O\n1 1 1\nCartesian\n0 0 0\n0.5 0 0\n1.0 "
                                "1.0 0\n\n0 0 0\n0 0 0\n0 0 0\n");
  EXPECT_NEAR(s.box.volume(), 216, 1e-9);
  expect_near(s.position[1], {1, 0, 0});
  EXPECT_EQ(s.species_name, (std::vector<std::string>{"O", "H"}));
  EXPECT_EQ(s.species, (std::vector<std::int32_t>{0, 1, 0}));
  EXPECT_TRUE(s.velocity.empty());
}

TEST(Poscar, without_names_needs_them_from_the_user) {
  const std::string text = "t\n1\n3 0 0\n0 3 0\n0 0 3\n1 1\nDirect\n0 0 0\n0.5 0 0\n";
  const Structure unnamed = read_text("POSCAR", text);
  EXPECT_NE(message_of<InputError>([&] {
              bind_types(unnamed, {"O", "H"});
            }).find("neither a name nor a mass"),
            std::string::npos);
  EXPECT_EQ(bind_types(read_text("POSCAR", text, {"H", "O"}), {"O", "H"}), (std::vector<std::int32_t>{1, 0}));
}

TEST(Poscar, mistakes_are_named_with_their_line) {
  const auto message = [](const std::string& text) {
    return message_of<InputError>([&] { read_text("POSCAR", text); });
  };
  EXPECT_NE(message("t\n0\n3 0 0\n").find("POSCAR:2: the scale is 0"), std::string::npos);
  EXPECT_NE(message("t\n1\n3 0 0\n0 3 0\n0 0 3\nO H\n1\nDirect\n0 0 0\n").find("2 names but 1"),
            std::string::npos);
  EXPECT_NE(message("t\n1\n3 0 0\n0 3 0\n0 0 3\nO\n2\nDirect\n0 0 0\n").find("truncated"), std::string::npos);
  EXPECT_NE(message("t\n1\n3 0 0\n0 3 0\n0 0 3\nO\n1\nFractional\n0 0 0\n").find("neither Direct"),
            std::string::npos);
  EXPECT_NE(message("t\n1\n3 0 0\n0 3 0\n0 0 3\nO\n1\nDirect\n0 0 0\nDirect\n0 0 0\n").find("time step"),
            std::string::npos);
  EXPECT_NE(
      message("t\n1\n3 0 0\n0 3 0\n0 0 3\nO\n1\nDirect\n0 0 0\n0.1 0.1 0.1\n0 0 0\n").find("follows the"),
      std::string::npos);
}

TEST(DeepmdFolder, gives_the_frames_of_all_sets_in_order) {
  const TemporaryFolder folder;
  const auto frames = read_structures(test::write_deepmd_folder(folder, "system"));
  ASSERT_EQ(frames.size(), 3u);
  EXPECT_EQ(frames[0].species_name, (std::vector<std::string>{"O", "H"}));
  EXPECT_EQ(frames[0].species, (std::vector<std::int32_t>{1, 0, 1}));
  expect_near(frames[0].box.cell[2], {1, 0, 12});
  expect_near(frames[1].position[1], {1.8, 2, 3});
  expect_near(frames[2].position[1], {4.75, 5, 6});
  expect_near(frames[2].box.cell[0], {9, 0, 0});
  folder.write("system/nopbc", "");
  EXPECT_TRUE(read_structures(folder.file("system"))[0].box.is_open());
}

TEST(DeepmdFolder, without_type_map_takes_the_users_names) {
  const TemporaryFolder folder;
  const std::string path = test::write_deepmd_folder(folder, "system");
  std::filesystem::remove(folder.file("system/type_map.raw"));
  EXPECT_EQ(read_structures(path, {"O", "H"})[0].species_name, (std::vector<std::string>{"O", "H"}));
  EXPECT_EQ(read_structures(path)[0].species_name, (std::vector<std::string>{"", ""}));
}

TEST(DeepmdFolder, mistakes_are_named_with_their_file) {
  const TemporaryFolder folder;
  const std::string path = test::write_deepmd_folder(folder, "system");
  const auto message = [&] { return message_of<InputError>([&] { read_structures(path); }); };
  const auto coord = [&](const std::string& bytes) { folder.write("system/set.001/coord.npy", bytes); };
  coord(test::npy_bytes(std::vector<float>(6, 1), "1, 6"));
  EXPECT_NE(message().find("coord.npy: has 6 numbers"), std::string::npos);
  coord(test::npy_bytes(std::vector<float>(9, 1), "2, 9"));
  EXPECT_NE(message().find("truncated"), std::string::npos);
  coord(test::npy_bytes(std::vector<float>(18, 1), "2, 9"));
  EXPECT_NE(message().find("coord.npy has 2 frames, box.npy 1"), std::string::npos);
  std::string fortran = test::npy_bytes(std::vector<float>(9, 1), "1, 9");
  fortran.replace(fortran.find("False"), 5, "True ");
  coord(fortran);
  EXPECT_NE(message().find("Fortran"), std::string::npos);
  std::string integers = test::npy_bytes(std::vector<float>(9, 1), "1, 9");
  integers.replace(integers.find("<f4"), 3, "<i4");
  coord(integers);
  EXPECT_NE(message().find("'<i4'"), std::string::npos);
  folder.write("system/type_map.raw", "O");
  EXPECT_NE(message().find("1 names"), std::string::npos);
  std::filesystem::remove(folder.file("system/type.raw"));
  EXPECT_NE(message().find("without type.raw"), std::string::npos);
}

TEST(StructureFile, format_is_recognised_by_content_when_the_name_does_not_tell) {
  EXPECT_EQ(read_text("one", test::k_lammps_full).natoms(), 4u);
  EXPECT_EQ(read_text("two", test::k_extxyz).natoms(), 3u);
  EXPECT_EQ(read_text("three", test::k_poscar).natoms(), 3u);
  const std::string message = message_of<InputError>([] { read_text("four.pdb", "ATOM 1 O\n"); });
  for (const char* known : {"LAMMPS data", "XYZ", "POSCAR", "npy"})
    EXPECT_NE(message.find(known), std::string::npos);
}

TEST(StructureFile, missing_files_and_wrong_kinds_are_refused) {
  const TemporaryFolder folder;
  EXPECT_NE(message_of<InputError>([&] { read_structures(folder.file("none.data")); }).find("no such file"),
            std::string::npos);
  EXPECT_NE(message_of<InputError>([&] { read_structures(folder.file(".")); }).find("type.raw"),
            std::string::npos);
  EXPECT_NE(message_of<InputError>([&] { read_structures("/dev/zero"); }).find("neither a file"),
            std::string::npos);
}

TEST(StructureFile, windows_line_ends_change_nothing) {
  std::string text;
  for (const char c : test::k_lammps_full) text += c == '\n' ? std::string("\r\n") : std::string(1, c);
  const Structure a = read_text("a.data", text), b = read_text("a.data", test::k_lammps_full);
  EXPECT_EQ(a.species_name, b.species_name);
  expect_near(a.position[3], b.position[3], 0);
}

}  // namespace
}  // namespace nanoday
