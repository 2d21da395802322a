// Unusable structures are refused; replication keeps geometry.
// SPDX-License-Identifier: Apache-2.0
#include "io/check_structure.hpp"

#include "core/error.hpp"
#include "io/structure_file.hpp"
#include "io/temporary_folder.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace nanoday {
namespace {

using test::message_of;

Structure atoms_at(const Box& box, const std::vector<Vec3>& position) {
  Structure s;
  s.source = "file";
  s.box = box;
  s.species_name = {"H"};
  s.species_mass = {1.008};
  s.species.assign(position.size(), 0);
  s.position = position;
  for (std::size_t i = 0; i < position.size(); ++i) s.id.push_back(static_cast<std::int64_t>(10 * (i + 1)));
  return s;
}

std::string refusal(const Structure& s) {
  return message_of<InputError>([&] { check_structure(s); });
}

Box tilted() { return Box::triclinic({Vec3{9, 0, 0}, Vec3{4, 8, 0}, Vec3{-3, 2, 7}}); }

TEST(CheckStructure, refuses_no_atoms_bad_boxes_and_bad_coordinates) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(refusal(atoms_at(Box::open(), {})).find("no atoms"), std::string::npos);
  EXPECT_NE(refusal(atoms_at(Box::orthorhombic(5, 0, 5), {{0, 0, 0}})).find("no volume"), std::string::npos);
  EXPECT_NE(refusal(atoms_at(Box::orthorhombic(5, nan, 5), {{0, 0, 0}})).find("not finite"),
            std::string::npos);
  EXPECT_NE(refusal(atoms_at(Box::orthorhombic(5, 0.01, 5), {{0, 0, 0}})).find("thin"), std::string::npos);
  const Box flat = Box::triclinic({Vec3{1, 0, 0}, Vec3{0, 1, 0}, Vec3{1, 1, 0}});
  EXPECT_NE(refusal(atoms_at(flat, {{0, 0, 0}})).find("no volume"), std::string::npos);
  EXPECT_NE(refusal(atoms_at(Box::open(), {{0, 0, 0}, {nan, 0, 0}})).find("atom 20"), std::string::npos);
  EXPECT_NE(refusal(atoms_at(tilted(), {{1e7, 0, 0}})).find("box lengths away"), std::string::npos);
  EXPECT_EQ(refusal(atoms_at(tilted(), {{100, 0, 0}})), "");
}

TEST(CheckStructure, finds_overlaps_across_faces_edges_and_images) {
  const auto overlap = [](const Box& box, Vec3 a, Vec3 b) {
    return refusal(atoms_at(box, {a, {4, 4, 4}, b}));
  };
  const std::string text = overlap(Box::orthorhombic(10, 10, 10), {0.01, 0.005, 0.01}, {9.99, 9.995, 9.99});
  EXPECT_NE(text.find("atoms 10 and 30 overlap"), std::string::npos);
  EXPECT_NE(text.find("0.03 A"), std::string::npos);
  EXPECT_NE(overlap(Box::open(), {-1, 0, 0}, {-1, 0.04, 0}), "");
  EXPECT_EQ(overlap(Box::open(), {-1, 0, 0}, {-1, 0.06, 0}), "");
  const Vec3 shift = tilted().translation(1, -2, 3);
  EXPECT_NE(overlap(tilted(), Vec3{1, 1, 1} + shift, {1, 1, 1.04}), "");
  Box slab = Box::orthorhombic(10, 10, 10);
  slab.periodic = {true, true, false};
  EXPECT_EQ(overlap(slab, {0, 0, 0.02}, {0, 0, 9.98}), "");
  EXPECT_NE(overlap(slab, {0.02, 0, 12}, {9.98, 0, 12}), "");
  EXPECT_EQ(refusal(atoms_at(Box::orthorhombic(0.2, 0.2, 0.2), {{0, 0, 0}})), "");
}

/// Smallest distance by trying all pairs and 27 images.
double smallest_distance(const Structure& s) {
  double smallest = 1e9;
  for (std::size_t i = 0; i < s.natoms(); ++i)
    for (std::size_t j = 0; j <= i; ++j)
      for (int n = 0; n < 27; ++n) {
        if (i == j && n == 13) continue;
        const Vec3 d = s.position[i] - s.position[j] + s.box.translation(n % 3 - 1, n / 3 % 3 - 1, n / 9 - 1);
        smallest = std::min(smallest, norm(d));
      }
  return smallest;
}

TEST(CheckStructure, agrees_with_all_pairs_on_random_atoms) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(0, 1);
  int refused = 0;
  for (int trial = 0; trial < 20; ++trial) {
    std::vector<Vec3> position;
    for (int i = 0; i < 600; ++i)
      position.push_back(tilted().cartesian({uniform(random), uniform(random), uniform(random)}));
    const Structure s = atoms_at(tilted(), position);
    const bool overlapping = smallest_distance(s) < k_overlap_distance;
    EXPECT_EQ(refusal(s) != "", overlapping) << "trial " << trial;
    refused += overlapping;
  }
  EXPECT_GT(refused, 2);
  EXPECT_LT(refused, 18);
}

TEST(CheckStructure, a_dense_cluster_in_a_huge_box_is_quick) {
  std::vector<Vec3> position;
  for (int i = 0; i < 40; ++i)
    for (int j = 0; j < 40; ++j)
      for (int k = 0; k < 40; ++k) position.push_back({0.9 * i, 0.9 * j, 0.9 * k});
  EXPECT_EQ(refusal(atoms_at(Box::orthorhombic(1e5, 1e5, 1e5), position)), "");
}

TEST(Replicate, keeps_unwrapped_positions_and_density) {
  Structure s = atoms_at(tilted(), {{1, 1, 1}, {5, 2, 3}});
  s.image = {{0, 0, 0}, {-1, 2, 0}};
  s.velocity = {{1, 0, 0}, {0, 1, 0}};
  s.charge = {1, -1};
  const Structure r = replicate(s, 2, 3, 1);
  ASSERT_EQ(r.natoms(), 12u);
  EXPECT_NEAR(r.box.volume(), 6 * s.box.volume(), 1e-9);
  EXPECT_EQ(r.id[11], 20 + 5 * 20);
  EXPECT_EQ(r.charge[11], -1);
  const auto unwrapped = [](const Structure& t, std::size_t i) {
    return t.position[i] + t.box.translation(t.image[i][0], t.image[i][1], t.image[i][2]);
  };
  for (std::size_t i = 0; i < r.natoms(); ++i) {
    const auto copy = static_cast<int>(i / 2);
    const Vec3 expected = unwrapped(s, i % 2) + s.box.translation(copy % 2, copy / 2, 0);
    EXPECT_NEAR(norm(unwrapped(r, i) - expected), 0, 1e-12);
  }
  EXPECT_EQ(refusal(r), "");
}

TEST(Replicate, refuses_open_directions_and_senseless_numbers) {
  EXPECT_THROW(replicate(atoms_at(Box::open(), {{0, 0, 0}}), 2, 1, 1), InputError);
  EXPECT_THROW(replicate(atoms_at(tilted(), {{0, 0, 0}}), 0, 1, 1), InputError);
  EXPECT_THROW(replicate(atoms_at(tilted(), {{0, 0, 0}}), 100000, 100000, 100000), InputError);
  EXPECT_EQ(replicate(atoms_at(Box::open(), {{0, 0, 0}}), 1, 1, 1).natoms(), 1u);
}

}  // namespace
}  // namespace nanoday
