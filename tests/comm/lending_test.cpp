// Lending: afterwards all ranks have equally many atoms, each atom is somewhere once, and ghosts still
// suffice. SPDX-License-Identifier: Apache-2.0
#include "lending.hpp"

#include "halo.hpp"
#include "in_process.hpp"
#include "migration.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <random>
#include <set>
#include <tuple>

namespace nanoday {
namespace {

struct Case {
  const char* name;
  Box box;
  int n_atoms, ranks, per_node;
  double crowd;  ///< power by which atoms crowd towards the origin; 1: even
};

std::vector<Case> cases() {
  const Box tilted = Box::triclinic({Vec3{14, 0, 0}, Vec3{3, 13, 0}, Vec3{-2, 2.5, 15}});
  Box slab = Box::orthorhombic(12, 14, 20);
  slab.periodic[2] = false;
  return {{"even", Box::orthorhombic(16, 15, 14), 400, 8, 0, 1},
          {"crowded", Box::orthorhombic(16, 15, 14), 400, 12, 4, 3},
          {"tilted", tilted, 300, 6, 2, 2},
          {"slab", slab, 250, 5, 0, 2},
          {"few", Box::orthorhombic(16, 15, 14), 5, 8, 0, 1}};
}

Atoms dealt(const Case& c, const Transport& ranks) {
  std::mt19937_64 random(11);
  std::uniform_real_distribution<double> uniform(0, 1);
  Atoms atoms;
  for (int i = 0; i < c.n_atoms; ++i) {
    Vec3 f{uniform(random), uniform(random), uniform(random)};
    f = {std::pow(f.x, c.crowd), std::pow(f.y, c.crowd), std::pow(f.z, c.crowd)};
    if (i % ranks.size() != ranks.rank()) continue;
    atoms.position.push_back(padded(c.box.cartesian(f)));
    atoms.id.push_back(i);
    atoms.type.push_back(i % 2);
    atoms.velocity.push_back({double(i), 0, 0, 0});
    ++atoms.nlocal;
  }
  return atoms;
}

/// (id, id of the neighbor, rounded displacement) of all neighbors within the cutoff of local atoms.
using Pairs = std::multiset<std::tuple<std::int64_t, std::int64_t, long, long, long>>;

void add_pairs(const Atoms& atoms, double cutoff, Pairs& pairs) {
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    for (std::int64_t j = 0; j < atoms.nall(); ++j) {
      const Vec3 d = xyz(atoms.position[std::size_t(j)]) - xyz(atoms.position[std::size_t(i)]);
      if (i == j || dot(d, d) > cutoff * cutoff) continue;
      pairs.insert({atoms.id[std::size_t(i)], atoms.id[std::size_t(j)], std::lround(1e6 * d.x),
                    std::lround(1e6 * d.y), std::lround(1e6 * d.z)});
    }
}

struct Outcome {
  Lending lending;
  std::vector<std::int64_t> counts;
  Pairs pairs;
};

Outcome lend(const Case& c, int n_ranks, double tolerance, double cutoff) {
  Outcome outcome;
  outcome.counts.resize(std::size_t(n_ranks));
  std::mutex lock;
  run_ranks(
      n_ranks,
      [&](Transport& ranks) {
        Atoms atoms = dealt(c, ranks);
        const View<const Vec4> local(atoms.position.data(), std::size_t(atoms.nlocal));
        DomainGrid grid(domain_frame(c.box, local, ranks), ranks.node_of());
        migrate(grid, ranks, atoms);
        const Lending lending = lend_atoms(grid, ranks, tolerance, atoms);
        Halo halo(ranks);
        halo.build(grid, c.box, cutoff, atoms);
        const std::lock_guard guard(lock);
        outcome.lending = lending;
        outcome.counts[std::size_t(ranks.rank())] = atoms.nlocal;
        for (std::int64_t i = 0; i < atoms.nlocal; ++i)
          EXPECT_EQ(atoms.velocity[std::size_t(i)].x, double(atoms.id[std::size_t(i)]));
        add_pairs(atoms, cutoff, outcome.pairs);
      },
      c.per_node);
  return outcome;
}

TEST(Lending, leaves_all_ranks_with_the_mean_rounded_down_or_up) {
  for (const Case& c : cases()) {
    const Outcome lent = lend(c, c.ranks, 0, 2.5);
    for (const std::int64_t n : lent.counts) {
      EXPECT_GE(n, c.n_atoms / c.ranks) << c.name;
      EXPECT_LE(n, (c.n_atoms + c.ranks - 1) / c.ranks) << c.name;
    }
    EXPECT_LT(lent.lending.after, 1) << c.name;
    EXPECT_EQ(lent.lending.moved > 0, lent.lending.before >= 1) << c.name;
  }
}

TEST(Lending, lets_every_rank_see_all_neighbors_of_what_it_borrowed) {
  for (const Case& c : cases()) EXPECT_EQ(lend(c, c.ranks, 0, 2.5).pairs, lend(c, 1, 0, 2.5).pairs) << c.name;
}

TEST(Lending, leaves_small_differences_alone) {
  const Case c = cases()[0];
  const Outcome kept = lend(c, c.ranks, 10, 2.5);
  EXPECT_EQ(kept.lending.moved, 0);
  EXPECT_EQ(kept.lending.after, kept.lending.before);
  EXPECT_GT(kept.lending.before, 1);
}

}  // namespace
}  // namespace nanoday
