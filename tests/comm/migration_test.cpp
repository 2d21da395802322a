// Migration: after any walk every atom is on one rank, its owner, with all that belongs to it.
// SPDX-License-Identifier: Apache-2.0
#include "migration.hpp"

#include "comm/rank_systems.hpp"
#include "comm/rank_worlds.hpp"
#include "core/error.hpp"
#include "in_process.hpp"

#include <gtest/gtest.h>

#include <set>

namespace nanoday {
namespace {

using namespace rank_systems;

/// Counts every id over all ranks: each must be there once.
void expect_each_once(Transport& transport, const Atoms& atoms, int natoms) {
  std::vector<std::int64_t> count(static_cast<std::size_t>(natoms));
  for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i) ++count[std::size_t(atoms.id[i] - k_first_id)];
  transport.all_reduce_sum(View<std::int64_t>(count));
  for (const std::int64_t n : count) ASSERT_EQ(n, 1);
}

void expect_own_rows(const Atoms& atoms) {
  for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i) {
    const auto k = double(atoms.id[i] - k_first_id);
    ASSERT_EQ(atoms.mass[i], 10 + k);
    ASSERT_EQ(atoms.velocity[i].z, 2 * k);
    ASSERT_EQ(atoms.type[i], int(k) % 3);
  }
}

TEST(Migration, brings_every_atom_with_all_it_has_to_its_owner_in_the_order_of_ids) {
  for (const Case& c : cases())
    for (const RankWorld& world : rank_worlds()) {
      SCOPED_TRACE(c.name + ", " + world.name);
      const Atoms all = all_atoms(c);
      world.run([&](Transport& transport) {
        Atoms atoms = dealt(all, transport);
        Array<Vec4> reference(atoms.position);
        const DomainGrid grid(domain_frame(c.box, local_positions(atoms), transport), transport.node_of());
        migrate(grid, transport, atoms, {&reference});
        expect_each_once(transport, atoms, c.natoms);
        expect_own_rows(atoms);
        ASSERT_EQ(reference.size(), std::size_t(atoms.nlocal));
        for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i) {
          EXPECT_EQ(grid.owner(xyz(atoms.position[i])), transport.rank());
          EXPECT_EQ(reference[i].y, atoms.position[i].y);
          const auto k = std::size_t(atoms.id[i] - k_first_id);
          EXPECT_EQ(atoms.image[i], all.image[k]);
          EXPECT_EQ(atoms.position[i].x, all.position[k].x);
          EXPECT_TRUE(i == 0 || atoms.id[i - 1] < atoms.id[i]);
        }
      });
    }
}

TEST(Migration, keeps_every_atom_exactly_once_over_a_thousand_steps_of_a_random_walk) {
  const Case c{"", Box::triclinic({Vec3{8, 0, 0}, Vec3{3, 7, 0}, Vec3{-2, 2.5, 9}}), 3, 60};
  for (const RankWorld& world : rank_worlds())
    world.run([&](Transport& transport) {
      Atoms atoms = dealt(all_atoms(c), transport);
      std::mt19937_64 random(11 + static_cast<unsigned>(transport.rank()));
      std::normal_distribution<double> kick(0, 0.3);
      for (int step = 0; step < 1000; ++step) {
        for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i) {
          Vec3 x = xyz(atoms.position[i]) + Vec3{kick(random), kick(random), kick(random)};
          const auto image = wrap(c.box, x);
          atoms.position[i] = padded(x);
          for (std::size_t d = 0; d < 3; ++d) atoms.image[i][d] += image[d];
        }
        const DomainGrid grid = settle(c.box, transport, atoms);
        expect_each_once(transport, atoms, c.natoms);
        for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i)
          ASSERT_EQ(grid.owner(xyz(atoms.position[i])), transport.rank());
      }
      expect_own_rows(atoms);
    });
}

TEST(Migration, drops_ghosts_and_leaves_empty_arrays_empty) {
  const Case c = cases().front();
  run_ranks(3, [&](Transport& transport) {
    Atoms atoms = dealt(all_atoms(c), transport);
    atoms.velocity.clear();
    atoms.nghost = 1;
    atoms.position.push_back({1, 2, 3, 0});
    atoms.type.push_back(0);
    atoms.id.push_back(999);
    settle(c.box, transport, atoms);
    EXPECT_EQ(atoms.nghost, 0);
    EXPECT_EQ(atoms.position.size(), std::size_t(atoms.nlocal));
    EXPECT_EQ(atoms.id.size(), std::size_t(atoms.nlocal));
    EXPECT_TRUE(atoms.velocity.empty());
    expect_each_once(transport, atoms, c.natoms);
  });
}

TEST(Migration, refuses_atoms_that_come_with_other_arrays) {
  const Case c = cases().front();
  EXPECT_THROW(run_ranks(2,
                         [&](Transport& transport) {
                           Atoms atoms = dealt(all_atoms(c), transport);
                           if (transport.rank() == 1) atoms.mass.clear();
                           settle(c.box, transport, atoms);
                         }),
               RunError);
}

}  // namespace
}  // namespace nanoday
