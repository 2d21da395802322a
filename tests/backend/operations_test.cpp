// Neighbor lists and the motion of atoms: one body for every machine.
// SPDX-License-Identifier: Apache-2.0
#include "core/units.hpp"
#include "machines.hpp"
#include "periodic_images.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <random>

namespace nanoday {
namespace {

class Operations : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Backend> backend = make_backend({.device = GetParam(), .threads = 2});
};

INSTANTIATE_TEST_SUITE_P(machines, Operations, testing::Values("oracle", "cpu"),
                         [](const auto& info) { return info.param; });

Array<Vec4> random_vectors(std::size_t n, double low, double high, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  Array<Vec4> rows(n);
  for (Vec4& v : rows) v = {uniform(random), uniform(random), uniform(random), 0};
  return rows;
}

struct ListCase {
  const char* name;
  Box box;
  int n_atoms;
  int n_types;
  double cutoff;
};

std::vector<ListCase> list_cases() {
  Box slab = Box::orthorhombic(12, 9, 15);
  slab.periodic[1] = false;
  return {{"large orthorhombic", Box::orthorhombic(24, 21, 27), 500, 2, 4.1},
          {"triclinic", Box::triclinic({Vec3{14, 0, 0}, Vec3{4, 13, 0}, Vec3{-3, 2, 15}}), 200, 3, 5},
          {"smaller than the cutoff", Box::orthorhombic(3, 3.5, 4), 6, 2, 6.05},
          {"slab", slab, 150, 1, 5},
          {"open", Box::open(), 100, 2, 3},
          {"one atom", Box::open(), 1, 2, 3},
          {"no neighbors", Box::orthorhombic(90, 90, 90), 5, 2, 1}};
}

TEST_P(Operations, neighbor_lists_hold_every_pair_within_the_cutoff_grouped_by_type) {
  for (const ListCase& c : list_cases()) {
    SCOPED_TRACE(c.name);
    Atoms atoms;
    atoms.nlocal = c.n_atoms;
    atoms.position = random_vectors(c.n_atoms, 0, 1, 31);
    for (int i = 0; i < c.n_atoms; ++i) {
      const Vec3 f = xyz(atoms.position[i]);
      atoms.position[i] = padded(c.box.volume() > 0 ? c.box.cartesian(f) : 10.0 * f - Vec3{3, 3, 3});
      atoms.type.push_back(i % c.n_types);
      atoms.id.push_back(i);
    }
    PeriodicImages().build(c.box, c.cutoff, atoms);
    NeighborList list;
    backend->build_neighbor_list({atoms.position, atoms.type, atoms.id, atoms.nlocal, c.n_types, c.cutoff},
                                 list);
    ASSERT_EQ(list.n_types, c.n_types);
    ASSERT_EQ(list.cutoff, c.cutoff);
    ASSERT_EQ(list.offset.size(), std::size_t(c.n_atoms) * c.n_types + 1);
    ASSERT_EQ(list.offset[0], 0);
    ASSERT_EQ(std::int64_t(list.index.size()), list.n_pairs() + 64);
    for (std::size_t k = list.index.size() - 64; k < list.index.size(); ++k) ASSERT_EQ(list.index[k], 0);
    for (std::int64_t i = 0; i < atoms.nlocal; ++i)
      for (int t = 0; t < c.n_types; ++t) {
        std::vector<std::int32_t> expected;
        for (std::int64_t j = 0; j < atoms.nall(); ++j)
          if (j != i && atoms.type[j] == t &&
              norm(xyz(atoms.position[j]) - xyz(atoms.position[i])) < c.cutoff)
            expected.push_back(static_cast<std::int32_t>(j));
        std::vector<std::int32_t> found(list.index.begin() + list.offset[i * c.n_types + t],
                                        list.index.begin() + list.offset[i * c.n_types + t + 1]);
        std::sort(found.begin(), found.end());
        ASSERT_EQ(found, expected) << "atom " << i << " type " << t;
      }
  }
}

TEST_P(Operations, neighbor_lists_can_be_built_again_in_the_same_arrays) {
  NeighborList list;
  for (const int n : {300, 40, 300}) {
    const Array<Vec4> x = random_vectors(n, 0, 9, 3);
    const std::vector<std::int32_t> type(n, 0);
    std::vector<std::int64_t> id(n);
    std::iota(id.begin(), id.end(), 0);
    backend->build_neighbor_list({x, type, id, n, 1, 3.0}, list);
    std::int64_t pairs = 0;
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) pairs += i != j && norm(xyz(x[i]) - xyz(x[j])) < 3.0;
    EXPECT_EQ(list.n_pairs(), pairs);
  }
}

TEST_P(Operations, the_spatial_order_is_a_permutation_that_brings_neighbors_together) {
  const Array<Vec4> x = random_vectors(2000, -20, 20, 5);
  const auto order = backend->spatial_order(x, 5);
  std::vector<std::int32_t> sorted = order, all(x.size());
  std::sort(sorted.begin(), sorted.end());
  std::iota(all.begin(), all.end(), 0);
  ASSERT_EQ(sorted, all);
  double before = 0, after = 0;
  for (std::size_t k = 1; k < x.size(); ++k) {
    before += norm(xyz(x[k]) - xyz(x[k - 1]));
    after += norm(xyz(x[order[k]]) - xyz(x[order[k - 1]]));
  }
  EXPECT_LT(after, 0.5 * before);
  EXPECT_TRUE(backend->spatial_order({}, 5).empty());
}

TEST_P(Operations, the_largest_displacement_is_found_and_a_nan_is_not_overlooked) {
  Array<Vec4> x = random_vectors(1001, 0, 9, 6);
  const Array<Vec4> reference = x;
  EXPECT_EQ(backend->max_displacement2(x, reference), 0);
  for (std::size_t i = 0; i < x.size(); ++i) x[i].x += 1e-3;
  x[1000].y += 0.75;
  EXPECT_NEAR(backend->max_displacement2(x, reference), 0.75 * 0.75 + 1e-6, 1e-12);
  for (const std::size_t i : {std::size_t{0}, std::size_t{500}, std::size_t{1000}}) {
    Array<Vec4> bad = x;
    bad[i].z = std::numeric_limits<double>::quiet_NaN();
    EXPECT_TRUE(std::isnan(backend->max_displacement2(bad, reference))) << i;
  }
}

TEST_P(Operations, kicks_and_drifts_follow_newton) {
  Array<Vec4> v = random_vectors(37, -1, 1, 7), x = random_vectors(37, 0, 9, 8);
  const Array<Vec4> v0 = v, x0 = x, f = random_vectors(37, -3, 3, 9);
  Array<double> mass(37);
  for (std::size_t i = 0; i < 37; ++i) mass[i] = 1 + double(i);
  backend->kick(v, f, mass, 0.25e-3);
  backend->drift(x, v, 0.5e-3);
  // 1 eV/Å on 1 u is 9648.5333 Å/ps²
  for (std::size_t i = 0; i < 37; ++i) {
    EXPECT_NEAR(v[i].y, v0[i].y + 9648.53321 * 0.25e-3 * f[i].y / mass[i], 1e-7);
    EXPECT_NEAR(x[i].z, x0[i].z + 0.5e-3 * v[i].z, 1e-14);
    EXPECT_EQ(v[i].w, 0);
    EXPECT_EQ(x[i].w, 0);
  }
}

TEST_P(Operations, the_kinetic_energy_is_half_m_v_squared_in_ev) {
  Array<Vec4> v(3, Vec4{3, 4, 0, 0});
  const Array<double> mass{1, 2, 5};
  // 1 u (Å/ps)² is 1.0364270e-4 eV
  EXPECT_NEAR(backend->kinetic_energy(v, mass).value(), 0.5 * 8 * 25 * 1.03642697e-4, 1e-10);
  backend->scale_velocities(v, 2);
  EXPECT_EQ(v[2].y, 8);
  EXPECT_NEAR(backend->kinetic_energy(v, mass).value(), 4 * 0.5 * 8 * 25 * 1.03642697e-4, 1e-9);
}

struct Bath {
  Array<Vec4> velocity;
  Array<double> mass;
  Array<std::int64_t> id;
};

Bath bath(std::size_t n) {
  Bath b{Array<Vec4>(n, Vec4{1, 2, 3, 0}), Array<double>(n), Array<std::int64_t>(n)};
  std::iota(b.id.begin(), b.id.end(), 0);
  for (std::size_t i = 0; i < n; ++i) b.mass[i] = i % 2 ? 16 : 1;
  return b;
}

TEST_P(Operations, the_ornstein_uhlenbeck_step_keeps_or_replaces_velocities) {
  Bath b = bath(20000);
  const double kT = 0.026;
  backend->ornstein_uhlenbeck(b.velocity, b.mass, b.id, 1.0, kT, 42, 1);
  EXPECT_EQ(b.velocity[11].y, 2);
  backend->ornstein_uhlenbeck(b.velocity, b.mass, b.id, 0.0, kT, 42, 2);
  // 60,000 deviates: the mean kinetic energy per degree of freedom scatters by sqrt(2/60000) = 0.6 %.
  EXPECT_NEAR(backend->kinetic_energy(b.velocity, b.mass).value() / (1.5 * 20000 * kT), 1, 0.03);
  Vec3 sum;
  for (const Vec4& v : b.velocity) sum = sum + xyz(v);
  EXPECT_LT(norm(sum) / 20000, 5 * std::sqrt(3 * kT / units::k_mass_velocity2 / 20000));
}

TEST_P(Operations, random_numbers_belong_to_seed_step_and_atom_not_to_the_place_in_memory) {
  Bath a = bath(100), b = a, other_step = a, other_seed = a;
  std::reverse(b.id.begin(), b.id.end());
  std::reverse(b.mass.begin(), b.mass.end());
  backend->ornstein_uhlenbeck(a.velocity, a.mass, a.id, 0.5, 0.03, 7, 9);
  backend->ornstein_uhlenbeck(b.velocity, b.mass, b.id, 0.5, 0.03, 7, 9);
  backend->ornstein_uhlenbeck(other_step.velocity, other_step.mass, other_step.id, 0.5, 0.03, 7, 10);
  backend->ornstein_uhlenbeck(other_seed.velocity, other_seed.mass, other_seed.id, 0.5, 0.03, 8, 9);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(a.velocity[i].x, b.velocity[99 - i].x);
    EXPECT_NE(a.velocity[i].x, other_step.velocity[i].x);
    EXPECT_NE(a.velocity[i].x, other_seed.velocity[i].x);
  }
}

TEST(MachinesAgree, on_every_random_velocity) {
  Bath a = bath(500), b = a;
  make_backend({.device = "oracle"})->ornstein_uhlenbeck(a.velocity, a.mass, a.id, 0.9, 0.03, 3, 4);
  make_backend({.device = "cpu"})->ornstein_uhlenbeck(b.velocity, b.mass, b.id, 0.9, 0.03, 3, 4);
  for (std::size_t i = 0; i < 500; ++i) {
    EXPECT_NEAR(a.velocity[i].x, b.velocity[i].x, 1e-12);
    EXPECT_NEAR(a.velocity[i].z, b.velocity[i].z, 1e-12);
  }
}

}  // namespace
}  // namespace nanoday
