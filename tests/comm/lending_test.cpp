// Lending: nodes have equally many atoms, ranks of a node their shares of work, each atom is somewhere once,
// and ghosts still suffice. SPDX-License-Identifier: Apache-2.0
#include "lending.hpp"

#include "halo.hpp"
#include "in_process.hpp"
#include "migration.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <mutex>
#include <numeric>
#include <random>
#include <set>
#include <tuple>

namespace nanoday {
namespace {

constexpr double k_cutoff = 2.5;

struct Case {
  const char* name;
  Box box;
  int ranks, per_node;
  std::vector<Vec3> position;
};

/// Random places that crowd towards the origin by a power; 1: even.
std::vector<Vec3> crowd(const Box& box, int n, double power, unsigned seed = 11) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto draw = [&] { return std::pow(uniform(random), power); };
  std::vector<Vec3> position;
  for (int i = 0; i < n; ++i) {
    const double a = draw(), b = draw(), c = draw();
    position.push_back(box.cartesian({a, b, c}));
  }
  return position;
}

std::vector<Case> cases() {
  const Box plain = Box::orthorhombic(16, 15, 14);
  const Box tilted = Box::triclinic({Vec3{14, 0, 0}, Vec3{3, 13, 0}, Vec3{-2, 2.5, 15}});
  Box slab = Box::orthorhombic(12, 14, 20);
  slab.periodic[2] = false;
  return {{"even", plain, 8, 0, crowd(plain, 400, 1)},        {"crowded", plain, 12, 4, crowd(plain, 400, 3)},
          {"tilted", tilted, 6, 2, crowd(tilted, 300, 2)},    {"slab", slab, 5, 0, crowd(slab, 250, 2)},
          {"few", plain, 8, 0, crowd(plain, 5, 1)},           {"alone", plain, 6, 1, crowd(plain, 300, 2)},
          {"uneven nodes", plain, 7, 3, crowd(plain, 300, 2)}};
}

/// Neighbors within the cutoff, those in other images too, plus a fixed share.
std::vector<int> work_of(const Case& c) {
  constexpr int fixed = 8;
  std::vector<int> work(c.position.size(), fixed);
  for (std::size_t i = 0; i < work.size(); ++i)
    for (std::size_t j = 0; j < work.size(); ++j) {
      Vec3 f = c.box.fractional(c.position[j]) - c.box.fractional(c.position[i]);
      if (c.box.periodic[0]) f.x -= std::round(f.x);
      if (c.box.periodic[1]) f.y -= std::round(f.y);
      if (c.box.periodic[2]) f.z -= std::round(f.z);
      const Vec3 d = c.box.cartesian(f) - c.box.cartesian({});
      work[i] += i != j && dot(d, d) < k_cutoff * k_cutoff;
    }
  return work;
}

Atoms dealt(const Case& c, const Transport& ranks) {
  Atoms atoms;
  for (int i = ranks.rank(); i < int(c.position.size()); i += ranks.size()) {
    atoms.position.push_back(padded(c.position[std::size_t(i)]));
    atoms.id.push_back(i);
    atoms.type.push_back(i % 2);
    atoms.velocity.push_back({double(i), 0, 0, 0});
    ++atoms.nlocal;
  }
  return atoms;
}

/// (id, id of the neighbor, rounded displacement) of all neighbors within the cutoff of local atoms.
using Pairs = std::multiset<std::tuple<std::int64_t, std::int64_t, long, long, long>>;

void add_pairs(const Atoms& atoms, Pairs& pairs) {
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    for (std::int64_t j = 0; j < atoms.nall(); ++j) {
      const Vec3 d = xyz(atoms.position[std::size_t(j)]) - xyz(atoms.position[std::size_t(i)]);
      if (i == j || dot(d, d) > k_cutoff * k_cutoff) continue;
      pairs.insert({atoms.id[std::size_t(i)], atoms.id[std::size_t(j)], std::lround(1e6 * d.x),
                    std::lround(1e6 * d.y), std::lround(1e6 * d.z)});
    }
}

struct Outcome {
  Lending lending;
  std::vector<std::int64_t> atoms, work;  ///< (ranks)
  std::vector<int> holder;                ///< (atoms)
  Pairs pairs;

  double work_ratio() const {
    const double total = double(std::accumulate(work.begin(), work.end(), std::int64_t{0}));
    return double(*std::max_element(work.begin(), work.end())) * double(work.size()) / total;
  }
};

/// How a case is dealt: what counts as work, which share of it every rank gets.
struct Dealing {
  double tolerance = 0;
  std::vector<int> work;  ///< empty: every atom alike
  std::vector<double> share = {};
  bool ghosts = false;
};

Outcome lend(const Case& c, int n_ranks, const Dealing& how) {
  Outcome outcome;
  outcome.atoms.resize(std::size_t(n_ranks));
  outcome.work.resize(std::size_t(n_ranks));
  outcome.holder.assign(c.position.size(), -1);
  const std::vector<int> true_work = work_of(c);
  std::mutex lock;
  run_ranks(
      n_ranks,
      [&](Transport& ranks) {
        Atoms atoms = dealt(c, ranks);
        const View<const Vec4> local(atoms.position.data(), std::size_t(atoms.nlocal));
        DomainGrid grid(domain_frame(c.box, local, ranks), ranks.node_of());
        migrate(grid, ranks, atoms);
        Array<Vec4> work;
        for (std::int64_t i = 0; i < atoms.nlocal; ++i)
          work.push_back({how.work.empty() ? 1.0 : how.work[std::size_t(atoms.id[std::size_t(i)])], 0, 0, 0});
        const Lender lender(ranks);
        const Lending lending = lender.lend(grid, how.tolerance, how.share, atoms, work);
        Halo halo(ranks);
        if (how.ghosts) halo.build(grid, c.box, k_cutoff, atoms);
        const std::lock_guard guard(lock);
        outcome.lending = lending;
        const auto me = std::size_t(ranks.rank());
        outcome.atoms[me] = atoms.nlocal;
        for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
          const auto id = std::size_t(atoms.id[std::size_t(i)]);
          EXPECT_EQ(atoms.velocity[std::size_t(i)].x, double(id));
          EXPECT_EQ(work[std::size_t(i)].x, how.work.empty() ? 1.0 : how.work[id]);
          EXPECT_EQ(outcome.holder[id], -1) << "atom " << id << " is on two ranks";
          outcome.holder[id] = ranks.rank();
          outcome.work[me] += true_work[id];
        }
        if (how.ghosts) add_pairs(atoms, outcome.pairs);
      },
      c.per_node);
  for (const int holder : outcome.holder) EXPECT_GE(holder, 0) << "an atom is lost";
  return outcome;
}

std::vector<std::vector<int>> nodes_of(const Case& c) {
  const auto node_of = nodes_in_order(c.ranks, c.per_node);
  std::vector<std::vector<int>> nodes(std::size_t(node_of.back() + 1));
  for (int r = 0; r < c.ranks; ++r) nodes[std::size_t(node_of[std::size_t(r)])].push_back(r);
  if (nodes.front().size() == nodes.back().size()) return nodes;
  nodes.clear();
  for (int r = 0; r < c.ranks; ++r) nodes.push_back({r});
  return nodes;
}

TEST(Lending, leaves_all_nodes_with_the_mean_number_of_atoms_rounded_down_or_up) {
  for (const Case& c : cases()) {
    const Outcome lent = lend(c, c.ranks, {0, work_of(c)});
    const auto nodes = nodes_of(c);
    const auto n = std::int64_t(c.position.size()), n_nodes = std::int64_t(nodes.size());
    for (const auto& node : nodes) {
      std::int64_t atoms = 0;
      for (const int rank : node) atoms += lent.atoms[std::size_t(rank)];
      EXPECT_GE(atoms, n / n_nodes) << c.name;
      EXPECT_LE(atoms, (n + n_nodes - 1) / n_nodes) << c.name;
    }
    EXPECT_GT(lent.lending.moved, 0) << c.name;
  }
}

// A cut is off by half an atom at most; a rank has two along each direction, and its slab's cuts before.
TEST(Lending, leaves_every_rank_of_a_node_with_its_share_of_work_to_within_a_few_atoms) {
  for (const Case& c : cases()) {
    const std::vector<int> work = work_of(c);
    const Outcome lent = lend(c, c.ranks, {0, work});
    const int heaviest = *std::max_element(work.begin(), work.end());
    for (const auto& node : nodes_of(c)) {
      double all = 0;
      for (const int rank : node) all += double(lent.work[std::size_t(rank)]);
      for (const int rank : node)
        EXPECT_NEAR(double(lent.work[std::size_t(rank)]), all / double(node.size()), 3 * heaviest) << c.name;
    }
  }
}

TEST(Lending, gives_ranks_of_a_node_unequal_shares_where_asked) {
  const Box box = Box::orthorhombic(16, 15, 14);
  const Case c{"shares", box, 8, 4, crowd(box, 800, 2)};
  const std::vector<int> work = work_of(c);
  const int heaviest = *std::max_element(work.begin(), work.end());
  for (const std::vector<double>& share : {std::vector{0.1, 0.3, 0.3, 0.3}, {0.0, 1. / 3, 1. / 3, 1. / 3}}) {
    const Outcome lent = lend(c, c.ranks, {0, work, share, true});
    for (std::size_t node = 0; node < 2; ++node) {
      double all = 0;
      for (std::size_t k = 0; k < 4; ++k) all += double(lent.work[4 * node + k]);
      for (std::size_t k = 0; k < 4; ++k)
        EXPECT_NEAR(double(lent.work[4 * node + k]), share[k] * all, 3 * heaviest);
      if (share[0] == 0) {
        EXPECT_EQ(lent.atoms[4 * node], 0);
      }
    }
    EXPECT_EQ(lent.pairs, lend(c, 1, {0, work, {}, true}).pairs);
  }
}

TEST(Lending, lets_every_rank_see_all_neighbors_of_what_it_borrowed) {
  for (const Case& c : cases())
    EXPECT_EQ(lend(c, c.ranks, {0, work_of(c), {}, true}).pairs, lend(c, 1, {0, {}, {}, true}).pairs)
        << c.name;
}

TEST(Lending, leaves_small_differences_alone) {
  const Case c = cases()[0];
  const Outcome kept = lend(c, c.ranks, {10, work_of(c)});
  EXPECT_EQ(kept.lending.moved, 0);
  EXPECT_EQ(kept.lending.after, kept.lending.before);
  EXPECT_GT(kept.lending.before, 0);
}

TEST(Lending, between_nodes_those_nearest_the_face_go_and_of_equally_near_ones_the_first) {
  Case c{"row", Box::orthorhombic(20, 4, 4), 2, 1, {}};
  // Eight atoms left of the face at x = 10, two right of it: three go.
  for (const double x : {1., 9., 3., 8., 9., 8., 8., 5., 12., 13.}) c.position.push_back({x, 1, 1});
  const Outcome lent = lend(c, 2, {});
  EXPECT_EQ(lent.holder, (std::vector<int>{0, 1, 0, 1, 1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(lent.lending.moved, 3);
  EXPECT_NEAR(lent.lending.before, 0.6, 1e-12);
  EXPECT_EQ(lent.lending.after, 0);
}

TEST(Lending, an_atom_passes_through_a_node_that_has_none_to_give) {
  Case c{"end", Box::orthorhombic(40, 4, 4), 4, 1, {}};
  for (int i = 0; i < 12; ++i) c.position.push_back({0.5 + 0.7 * i, 1, 1});
  const Outcome lent = lend(c, 4, {0, {}, {}, true});
  EXPECT_EQ(lent.atoms, (std::vector<std::int64_t>{3, 3, 3, 3}));
  EXPECT_EQ(lent.pairs, lend(c, 1, {0, {}, {}, true}).pairs);
}

/// A lattice puts whole planes of atoms at one place along an axis: cuts then go by their numbers.
TEST(Lending, cuts_through_planes_of_a_crystal) {
  Case c{"crystal", Box::orthorhombic(12, 12, 12), 6, 6, {}};
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j)
      for (int k = 0; k < 4; ++k) c.position.push_back({3. * i, 3. * j, 3. * k});
  const Outcome lent = lend(c, 6, {0, {}, {}, true});
  for (const std::int64_t n : lent.atoms) EXPECT_NEAR(double(n), 64 / 6., 1);
  EXPECT_EQ(lent.pairs, lend(c, 1, {0, {}, {}, true}).pairs);
}

// What counting neighbors gives where counting atoms does not: the busiest rank's work over the mean.
TEST(Lending, evens_out_the_work_of_slabs_and_of_mixed_densities) {
  const Box box = Box::orthorhombic(16, 16, 40);
  std::vector<Case> inhomogeneous;
  Case slab{"slab in vacuum", box, 8, 8, crowd(Box::orthorhombic(16, 16, 14), 1200, 1)};
  for (Vec3& x : slab.position) x.z += 8;
  inhomogeneous.push_back(slab);
  Case mixed{"dense beside dilute", box, 8, 8, crowd(Box::orthorhombic(16, 16, 10), 900, 1)};
  for (const Vec3 x : crowd(Box::orthorhombic(16, 16, 30), 300, 1, 12))
    mixed.position.push_back(x + Vec3{0, 0, 10});
  inhomogeneous.push_back(mixed);
  // Busiest over mean by place, by atoms, by work; measured: slab 3.09, 1.07, 1.003; mixed 3.68, 1.28, 1.005.
  for (const Case& c : inhomogeneous) {
    const std::vector<int> work = work_of(c);
    const double by_place = lend(c, 8, {1e9, {}}).work_ratio(), by_atoms = lend(c, 8, {0, {}}).work_ratio(),
                 by_work = lend(c, 8, {0, work}).work_ratio();
    EXPECT_GT(by_place, 1.5) << c.name;
    EXPECT_GT(by_atoms, 1.03) << c.name;
    EXPECT_LT(by_work, 1.02) << c.name;
  }
}

}  // namespace
}  // namespace nanoday
