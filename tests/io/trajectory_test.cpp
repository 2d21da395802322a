// Trajectories say what the frames hold, and read back as the same numbers.
// SPDX-License-Identifier: Apache-2.0
#include "io/trajectory.hpp"

#include "core/error.hpp"
#include "io/structure_file.hpp"
#include "io/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace nanoday {
namespace {

using test::TemporaryFolder;

const TrajectoryLabels k_water{{"O", "H"}, {}};

Frame sample_frame(const Box& box) {
  Frame frame;
  frame.step = 40;
  frame.time = 0.02;
  frame.box = box;
  frame.natoms = 3;
  frame.parts = {true, true};
  frame.low = {0.1, 2, 3};
  frame.high = {1.2, 2.9, 3};
  frame.species = {0, 1, 1};
  frame.position = {{1.0 / 3, 2, 3}, {1.2, 2, 3}, {0.1, 2.9, 3}};
  frame.image = {{0, 0, 0}, {-1, 0, 2}, {0, 0, 0}};
  frame.velocity = {{0.1, 0.2, 0.3}, {1e-7, 0, 0}, {0, -1.0 / 7, 0}};
  frame.force = {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}};
  frame.energy = -12.5;
  return frame;
}

std::string written(const std::string& format, const std::vector<Frame>& frames,
                    const TrajectoryLabels& labels, NumberFormat numbers) {
  const auto formatter = make_trajectory_formatter(format, labels, numbers);
  fmt::memory_buffer text;
  for (const Frame& frame : frames) {
    formatter->append_head(text, frame);
    formatter->append_rows(text, frame);
  }
  return {text.data(), text.size()};
}

/// Rows first … last − 1 of a frame, as a rank has them that serves these ids.
Frame share(const Frame& frame, std::ptrdiff_t first, std::ptrdiff_t last) {
  Frame part = frame;
  part.first = first;
  const auto cut = [&](auto& rows) { rows = {rows.begin() + first, rows.begin() + last}; };
  cut(part.species);
  cut(part.position);
  cut(part.image);
  cut(part.velocity);
  cut(part.force);
  return part;
}

TEST(ExtxyzWriter, reads_back_to_the_same_bits) {
  Box box = Box::triclinic({Vec3{10.1, 0.2, 0.3}, Vec3{1.0 / 3, 11, 0}, Vec3{0, -2, 12}});
  box.origin = {0.1, -1.0 / 3, 0};
  box.periodic = {true, true, false};
  const Frame frame = sample_frame(box);
  const TemporaryFolder folder;
  const std::string text = written("extxyz", {frame, frame}, k_water, NumberFormat::round_trip);
  const auto read = read_structures(folder.write("t.extxyz", text));
  ASSERT_EQ(read.size(), 2u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(norm(read[1].position[i] - frame.position[i]), 0);
    EXPECT_EQ(norm(read[1].velocity[i] - frame.velocity[i]), 0);
    EXPECT_EQ(norm(read[1].box.cell[i] - box.cell[i]), 0);
  }
  EXPECT_EQ(norm(read[1].box.origin - box.origin), 0);
  EXPECT_EQ(read[1].box.periodic, box.periodic);
  EXPECT_EQ(read[1].species_name, (std::vector<std::string>{"O", "H"}));
}

TEST(ExtxyzWriter, comment_line_names_everything) {
  Frame frame = sample_frame(Box::orthorhombic(10, 11, 12.5));
  EXPECT_EQ(written("extxyz", {frame}, k_water, NumberFormat::eight_digits),
            "3\nLattice=\"10 0 0 0 11 0 0 0 12.5\" Properties=species:S:1:pos:R:3:velo:R:3:forces:R:3 "
            "pbc=\"T T T\" "
            "Step=40 Time=0.02 velocity_unit=A/ps energy=-12.5\n"
            "O 0.33333333 2 3 0.1 0.2 0.3 1 2 3\n"
            "H 1.2 2 3 1e-07 0 0 4 5 6\n"
            "H 0.1 2.9 3 0 -0.14285714 0 7 8 9\n");
  frame.parts = {};
  frame.energy.reset();
  frame.box = Box::open();
  const std::string text = written("extxyz", {frame}, k_water, NumberFormat::eight_digits);
  EXPECT_EQ(text.substr(0, text.find("O ")),
            "3\nProperties=species:S:1:pos:R:3 pbc=\"F F F\" Step=40 Time=0.02\n");
}

TEST(DumpWriter, writes_bounds_types_elements_and_images) {
  Frame frame = sample_frame(Box::orthorhombic(10, 11, 12.5));
  frame.parts.force = false;
  const TrajectoryLabels atoms{{"O", "H"}, {7, 2, 9}};
  EXPECT_EQ(written("dump", {frame}, atoms, NumberFormat::eight_digits),
            "ITEM: TIMESTEP\n40\nITEM: NUMBER OF ATOMS\n3\nITEM: BOX BOUNDS pp pp pp\n0 10\n0 11\n0 12.5\n"
            "ITEM: ATOMS id type element x y z ix iy iz vx vy vz\n"
            "7 1 O 0.33333333 2 3 0 0 0 0.1 0.2 0.3\n"
            "2 2 H 1.2 2 3 -1 0 2 1e-07 0 0\n"
            "9 2 H 0.1 2.9 3 0 0 0 0 -0.14285714 0\n");
}

TEST(DumpWriter, tilted_and_general_boxes_keep_their_vectors) {
  const auto bounds = [](const Box& box) {
    const std::string text = written("dump", {sample_frame(box)}, k_water, NumberFormat::eight_digits);
    const std::size_t begin = text.find("ITEM: BOX");
    return text.substr(begin, text.find("ITEM: ATOMS") - begin);
  };
  Box tilted = Box::triclinic({Vec3{10, 0, 0}, Vec3{2, 11, 0}, Vec3{-3, 1, 12}});
  tilted.origin = {1, 1, 1};
  EXPECT_EQ(bounds(tilted), "ITEM: BOX BOUNDS xy xz yz pp pp pp\n-2 13 2\n1 13 -3\n1 13 1\n");
  Box general = Box::triclinic({Vec3{0, 10, 0}, Vec3{11, 0, 0}, Vec3{0, 0, 12}});
  general.origin = {1, 2, 3};
  general.periodic = {true, true, false};
  EXPECT_EQ(bounds(general), "ITEM: BOX BOUNDS abc origin pp pp ff\n0 10 0 1\n11 0 0 2\n0 0 12 3\n");
  EXPECT_EQ(bounds(Box::open()), "ITEM: BOX BOUNDS ff ff ff\n0.1 1.2\n2 2.9\n3 3\n");
}

TEST(Trajectory, unknown_formats_are_errors) {
  EXPECT_THROW(make_trajectory_formatter("xtc", k_water, NumberFormat::eight_digits), InputError);
}

TEST(Trajectory, rows_of_all_shares_are_the_whole_frame) {
  const Frame frame = sample_frame(Box::orthorhombic(9, 9, 9));
  for (const std::string& format : trajectory_formats()) {
    const auto formatter = make_trajectory_formatter(format, k_water, NumberFormat::round_trip);
    fmt::memory_buffer text;
    formatter->append_head(text, share(frame, 0, 0));
    for (const auto& [first, last] : {std::pair{0, 0}, {0, 1}, {1, 1}, {1, 3}})
      formatter->append_rows(text, share(frame, first, last));
    EXPECT_EQ(std::string(text.data(), text.size()),
              written(format, {frame}, k_water, NumberFormat::round_trip));
  }
}

}  // namespace
}  // namespace nanoday
