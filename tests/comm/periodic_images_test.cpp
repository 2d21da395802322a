// Ghosts: every periodic image within the cutoff is there, once, and its forces go home.
// SPDX-License-Identifier: Apache-2.0
#include "periodic_images.hpp"

#include "core/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace nanoday {
namespace {

struct BoxCase {
  const char* name;
  Box box;
  double cutoff;
};

Box left_handed() {
  Box box = Box::triclinic({Vec3{0, 6.1, 0.4}, Vec3{5.3, 0.3, 0}, Vec3{-0.5, 0.2, 4.9}});
  box.origin = {-3, 2, 7};
  return box;
}

Box periodic_along(bool a, bool b, bool c) {
  Box box = Box::triclinic({Vec3{5, 0, 0}, Vec3{1.5, 6, 0}, Vec3{0.5, -1, 7}});
  box.periodic = {a, b, c};
  return box;
}

std::vector<BoxCase> box_cases() {
  return {{"orthorhombic", Box::orthorhombic(9, 10, 11), 3.7},
          {"triclinic", Box::triclinic({Vec3{8, 0, 0}, Vec3{3, 7, 0}, Vec3{-2, 2.5, 9}}), 4.5},
          {"left-handed", left_handed(), 4},
          {"much smaller than the cutoff",
           Box::triclinic({Vec3{1.9, 0, 0}, Vec3{0.6, 1.7, 0}, Vec3{0, 0.5, 2.1}}), 5},
          {"cutoff equal to the height", Box::orthorhombic(4, 4, 4), 4},
          {"slab", periodic_along(true, true, false), 6},
          {"wire", periodic_along(false, false, true), 6},
          {"open", Box::open(), 6}};
}

Atoms random_atoms(const Box& box, int n) {
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(-0.6, 1.7);
  Atoms atoms;
  atoms.nlocal = n;
  for (int i = 0; i < n; ++i) {
    const Vec3 f{uniform(random), uniform(random), uniform(random)};
    Vec3 x = box.volume() > 0 ? box.cartesian(f) : 9.0 * f;
    wrap(box, x);
    atoms.position.push_back(padded(x));
    atoms.type.push_back(i % 3);
    atoms.id.push_back(100 + i);
  }
  return atoms;
}

/// Sorted distances (with the neighbor's id) from local atom i to everything within the cutoff.
using Surroundings = std::vector<std::pair<std::int64_t, double>>;

Surroundings from_ghosts(const Atoms& atoms, std::int64_t i, double cutoff) {
  Surroundings found;
  for (std::int64_t j = 0; j < atoms.nall(); ++j) {
    const double r = norm(xyz(atoms.position[j]) - xyz(atoms.position[i]));
    if (j != i && r < cutoff) found.emplace_back(atoms.id[j], r);
  }
  std::sort(found.begin(), found.end());
  return found;
}

Surroundings from_images(const Box& box, const Atoms& atoms, std::int64_t i, double cutoff) {
  const int layers = 6;  // more than any case here needs
  Surroundings found;
  for (std::int64_t j = 0; j < atoms.nlocal; ++j)
    for (int a = box.periodic[0] ? -layers : 0; a <= (box.periodic[0] ? layers : 0); ++a)
      for (int b = box.periodic[1] ? -layers : 0; b <= (box.periodic[1] ? layers : 0); ++b)
        for (int c = box.periodic[2] ? -layers : 0; c <= (box.periodic[2] ? layers : 0); ++c) {
          if (j == i && a == 0 && b == 0 && c == 0) continue;
          const Vec3 x = xyz(atoms.position[j]) + box.translation(a, b, c);
          const double r = norm(x - xyz(atoms.position[i]));
          if (r < cutoff) found.emplace_back(atoms.id[j], r);
        }
  std::sort(found.begin(), found.end());
  return found;
}

TEST(PeriodicImages, gives_every_atom_all_images_within_the_cutoff_exactly_once) {
  for (const BoxCase& c : box_cases()) {
    SCOPED_TRACE(c.name);
    Atoms atoms = random_atoms(c.box, 20);
    PeriodicImages halo;
    halo.build(c.box, c.cutoff, atoms);
    ASSERT_EQ(std::size_t(atoms.nall()), atoms.position.size());
    for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
      const auto found = from_ghosts(atoms, i, c.cutoff);
      const auto expected = from_images(c.box, atoms, i, c.cutoff);
      ASSERT_EQ(found.size(), expected.size()) << "atom " << i;
      for (std::size_t k = 0; k < found.size(); ++k) {
        EXPECT_EQ(found[k].first, expected[k].first);
        EXPECT_NEAR(found[k].second, expected[k].second, 1e-12);
      }
    }
  }
}

TEST(PeriodicImages, makes_no_ghost_farther_than_the_cutoff_from_the_faces) {
  for (const BoxCase& c : box_cases()) {
    if (c.box.is_open()) continue;
    SCOPED_TRACE(c.name);
    Atoms atoms = random_atoms(c.box, 20);
    PeriodicImages().build(c.box, c.cutoff, atoms);
    const Vec3 h = c.box.heights();
    const std::array<double, 3> reach{c.cutoff / h.x, c.cutoff / h.y, c.cutoff / h.z};
    for (std::int64_t g = atoms.nlocal; g < atoms.nall(); ++g) {
      const Vec3 v = c.box.fractional(xyz(atoms.position[g]));
      const std::array<double, 3> f{v.x, v.y, v.z};
      for (int d = 0; d < 3; ++d) {
        if (!c.box.periodic[d]) continue;
        EXPECT_GE(f[d], -reach[d] - 1e-12);
        EXPECT_LE(f[d], 1 + reach[d] + 1e-12);
      }
    }
  }
}

TEST(PeriodicImages, makes_no_ghosts_in_an_open_box) {
  Atoms atoms = random_atoms(Box::open(), 10);
  PeriodicImages().build(Box::open(), 6, atoms);
  EXPECT_EQ(atoms.nghost, 0);
  EXPECT_EQ(atoms.position.size(), 10u);
}

TEST(PeriodicImages, replaces_old_ghosts_when_built_again) {
  Atoms atoms = random_atoms(Box::orthorhombic(9, 10, 11), 20);
  PeriodicImages halo;
  halo.build(Box::orthorhombic(9, 10, 11), 3.7, atoms);
  const Array<Vec4> first = atoms.position;
  halo.build(Box::orthorhombic(9, 10, 11), 8, atoms);
  EXPECT_GT(atoms.position.size(), first.size());
  halo.build(Box::orthorhombic(9, 10, 11), 3.7, atoms);
  ASSERT_EQ(atoms.position.size(), first.size());
  for (std::size_t i = 0; i < first.size(); ++i) EXPECT_EQ(atoms.position[i].x, first[i].x);
}

TEST(PeriodicImages, ghosts_follow_their_owners) {
  const Box box = left_handed();
  Atoms atoms = random_atoms(box, 12);
  PeriodicImages halo;
  halo.build(box, 5, atoms);
  const Array<Vec4> before = atoms.position;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) atoms.position[i].y += 0.01 * double(i + 1);
  halo.update(atoms);
  ASSERT_GT(atoms.nghost, 0);
  for (std::int64_t g = 0; g < atoms.nall(); ++g) {
    EXPECT_NEAR(atoms.position[g].y - before[g].y, 0.01 * double(atoms.id[g] - 99), 1e-12);
    EXPECT_NEAR(atoms.position[g].x, before[g].x, 1e-12);
  }
}

TEST(PeriodicImages, sends_forces_and_virials_home_and_clears_the_ghosts) {
  const Box box = Box::orthorhombic(3, 4, 5);
  Atoms atoms = random_atoms(box, 5);
  PeriodicImages halo;
  halo.build(box, 4, atoms);
  std::vector<double> copies(5, 0);
  for (std::int64_t g = 0; g < atoms.nall(); ++g) copies[std::size_t(atoms.id[g] - 100)] += 1;
  for (const bool fixed_point : {false, true}) {
    Forces forces;
    forces.fixed_point = fixed_point;
    forces.force.assign(atoms.nall(), Vec4{1, 2, 3, 0});
    forces.fixed.assign(atoms.nall(), {10, 20, 30, 0});
    forces.atom_virial.assign(atoms.nall(), {1, 2, 3, 4, 5, 6, 7, 8, 9});
    halo.reverse(forces, atoms.nlocal);
    for (std::int64_t i = 0; i < atoms.nall(); ++i) {
      const double n = i < atoms.nlocal ? copies[std::size_t(i)] : 0;
      if (fixed_point)
        EXPECT_EQ(double(forces.fixed[i][2]), 30 * n);
      else
        EXPECT_EQ(forces.force[i].z, 3 * n);
      EXPECT_EQ(forces.atom_virial[i][8], 9 * n);
    }
  }
}

TEST(PeriodicImages, refuses_a_box_without_volume_and_one_with_billions_of_images) {
  Atoms atoms;
  atoms.nlocal = 1;
  atoms.position = {Vec4{}};
  atoms.type = {0};
  atoms.id = {0};
  EXPECT_THROW(PeriodicImages().build(Box::orthorhombic(4, 0, 4), 5, atoms), InputError);
  EXPECT_THROW(PeriodicImages().build(Box::orthorhombic(1e-3, 1e-3, 1e-3), 5, atoms), InputError);
}

}  // namespace
}  // namespace nanoday
