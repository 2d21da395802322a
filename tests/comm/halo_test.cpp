// Halo over ranks: every neighbor is at hand exactly once, ghosts follow, forces go home, on any number of
// ranks. SPDX-License-Identifier: Apache-2.0
#include "halo.hpp"

#include "comm/rank_systems.hpp"
#include "comm/rank_worlds.hpp"
#include "core/error.hpp"
#include "in_process.hpp"
#include "periodic_images.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace nanoday {
namespace {

using namespace rank_systems;

constexpr std::array k_routes{HaloRoute::direct, HaloRoute::by_node, HaloRoute::staged};

template <class Body>
void on_all_routes(Body&& body) {
  for (const HaloRoute route : k_routes)
    for (const RankWorld& world : rank_worlds())
      world.run([&](Transport& transport) { body(transport, route); });
}

/// Runs a body on every case, world and route.
template <class Body>
void everywhere(Body&& body) {
  for (const Case& c : cases())
    for (const RankWorld& world : rank_worlds())
      for (const auto route : k_routes) {
        SCOPED_TRACE(c.name + ", " + world.name + ", route " + std::to_string(int(route)));
        const Atoms all = all_atoms(c);
        world.run([&](Transport& transport) { body(c, all, transport, route); });
        if (::testing::Test::HasFailure()) return;
      }
}

std::size_t index_of(std::int64_t id) { return static_cast<std::size_t>(id - k_first_id); }

void expect_all_neighbors(const Case& c, const Atoms& all, Transport& transport, HaloRoute route) {
  Atoms atoms = dealt(all, transport);
  const DomainGrid grid = settle(c.box, transport, atoms);
  Halo halo(transport, route);
  halo.build(grid, c.box, c.cutoff, atoms);
  ASSERT_EQ(atoms.position.size(), std::size_t(atoms.nall()));
  ASSERT_EQ(atoms.id.size(), std::size_t(atoms.nall()));
  ASSERT_EQ(atoms.type.size(), std::size_t(atoms.nall()));
  for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i)
    ASSERT_EQ(found_around(c, atoms, i), expected_around(c, all, index_of(atoms.id[i])));
  for (std::size_t g = 0; g < std::size_t(atoms.nall()); ++g)
    ASSERT_EQ(atoms.type[g], all.type[index_of(atoms.id[g])]);
}

TEST(Halo, gives_every_atom_all_neighbors_within_the_cutoff_in_the_same_bits) {
  everywhere(expect_all_neighbors);
}

TEST(Halo, makes_every_ghost_once_and_none_that_is_farther_than_the_cutoff_from_the_region) {
  everywhere([](const Case& c, const Atoms& all, Transport& transport, HaloRoute route) {
    Atoms atoms = dealt(all, transport);
    const DomainGrid grid = settle(c.box, transport, atoms);
    Halo(transport, route).build(grid, c.box, c.cutoff, atoms);
    std::set<std::tuple<std::int64_t, double, double, double>> seen;
    const auto region = grid.region(transport.rank());
    const Vec3 h = grid.frame().box.heights();
    for (std::size_t g = 0; g < std::size_t(atoms.nall()); ++g) {
      const Vec4& x = atoms.position[g];
      ASSERT_TRUE(seen.insert({atoms.id[g], x.x, x.y, x.z}).second);
      const Vec3 f = grid.frame().box.fractional(xyz(x));
      const double fraction[3] = {f.x, f.y, f.z}, height[3] = {h.x, h.y, h.z};
      for (int d = 0; d < 3; ++d) {
        const double reach = c.cutoff / height[d] + 1e-12;
        EXPECT_GE(fraction[d], region.low[std::size_t(d)] - reach);
        EXPECT_LE(fraction[d], region.high[std::size_t(d)] + reach);
      }
    }
  });
}

TEST(Halo, makes_the_same_rows_as_periodic_images_on_one_rank) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    Atoms expected = all_atoms(c);
    PeriodicImages().build(c.box, c.cutoff, expected);
    for (const auto route : k_routes) {
      const auto transport = make_self_transport();
      Atoms atoms = all_atoms(c);
      const DomainGrid grid = settle(c.box, *transport, atoms);
      Halo(*transport, route).build(grid, c.box, c.cutoff, atoms);
      ASSERT_EQ(atoms.nghost, expected.nghost);
      for (std::size_t i = 0; i < std::size_t(atoms.nall()); ++i) {
        EXPECT_EQ(atoms.id[i], expected.id[i]);
        EXPECT_EQ(atoms.type[i], expected.type[i]);
        EXPECT_EQ(atoms.position[i].x, expected.position[i].x);
        EXPECT_EQ(atoms.position[i].y, expected.position[i].y);
        EXPECT_EQ(atoms.position[i].z, expected.position[i].z);
      }
    }
  }
}

/// Lattice translations of the ghosts, found by looking for the one that gives the same bits.
std::vector<Vec3> translations_of_ghosts(const Case& c, const Atoms& all, const Atoms& atoms) {
  std::vector<Vec3> found;
  const auto candidates = translations(c.box, c.cutoff);
  for (auto g = std::size_t(atoms.nlocal); g < std::size_t(atoms.nall()); ++g) {
    const Vec3 owner = xyz(all.position[index_of(atoms.id[g])]), x = xyz(atoms.position[g]);
    const auto at = std::find_if(candidates.begin(), candidates.end(), [&](Vec3 t) {
      const Vec3 y = owner + t;
      return y.x == x.x && y.y == x.y && y.z == x.z;
    });
    EXPECT_NE(at, candidates.end()) << "ghost " << g;
    found.push_back(at == candidates.end() ? Vec3{} : *at);
  }
  return found;
}

Vec3 moved(Vec3 x, std::int64_t id, int step) {
  return x + Vec3{0.001 * double(id), -0.01 * step, 0.003 * double(id % 7)};
}

void expect_following_ghosts(const Case& c, const Atoms& all, Transport& transport, HaloRoute route) {
  Atoms atoms = dealt(all, transport);
  const DomainGrid grid = settle(c.box, transport, atoms);
  Halo halo(transport, route);
  halo.build(grid, c.box, c.cutoff, atoms);
  const auto translation = translations_of_ghosts(c, all, atoms);
  for (int step = 1; step <= 3; ++step) {
    const auto place = [&](std::size_t i) {
      return moved(xyz(all.position[index_of(atoms.id[i])]), atoms.id[i], step);
    };
    for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i) atoms.position[i] = padded(place(i));
    halo.update(atoms);
    for (auto g = std::size_t(atoms.nlocal); g < std::size_t(atoms.nall()); ++g) {
      const Vec3 expected = place(g) + translation[g - std::size_t(atoms.nlocal)];
      ASSERT_EQ(atoms.position[g].x, expected.x);
      ASSERT_EQ(atoms.position[g].y, expected.y);
      ASSERT_EQ(atoms.position[g].z, expected.z);
      ASSERT_EQ(atoms.position[g].w, 0);
    }
  }
}

TEST(Halo, ghosts_follow_their_owners_again_and_again) { everywhere(expect_following_ghosts); }

void expect_forwarded_rows(const Case& c, const Atoms& all, Transport& transport, HaloRoute route) {
  Atoms atoms = dealt(all, transport);
  const DomainGrid grid = settle(c.box, transport, atoms);
  Halo halo(transport, route);
  halo.build(grid, c.box, c.cutoff, atoms);
  Array<Vec4> row(std::size_t(atoms.nall()));
  for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i) row[i] = {double(atoms.id[i]), -1, 0.25, 0};
  halo.forward_rows({row.data(), std::size_t(atoms.nlocal)},
                    {row.data() + atoms.nlocal, std::size_t(atoms.nghost)});
  for (auto g = std::size_t(atoms.nlocal); g < std::size_t(atoms.nall()); ++g) {
    ASSERT_EQ(row[g].x, double(atoms.id[g]));
    ASSERT_EQ(row[g].z, 0.25);
  }
}

TEST(Halo, forwards_rows_without_translating_them) { everywhere(expect_forwarded_rows); }

/// Pair forces booked on both ends, as a machine books them: each pair once from each side.
Forces pair_forces(const Case& c, const Atoms& atoms, bool fixed_point) {
  Forces forces;
  forces.fixed_point = fixed_point;
  forces.force.resize(std::size_t(atoms.nall()));
  forces.fixed.resize(std::size_t(atoms.nall()));
  forces.atom_virial.resize(std::size_t(atoms.nall()));
  for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i)
    for (std::size_t j = 0; j < std::size_t(atoms.nall()); ++j) {
      const Vec3 d = xyz(atoms.position[j]) - xyz(atoms.position[i]);
      const double r = norm(d);
      if (j == i || r >= c.cutoff) continue;
      const double s = double(atoms.id[i] + 3 * atoms.id[j]) * (c.cutoff - r) / (r + 0.1);
      const Vec3 f = s * d;
      const double v[3] = {f.x, f.y, f.z};
      for (std::size_t k = 0; k < 3; ++k) {
        const std::int64_t q = std::llround(v[k] * k_fixed_point_scale / 1e3);
        forces.fixed[i][k] -= q;
        forces.fixed[j][k] += q;
        for (std::size_t m = 0; m < 3; ++m) forces.atom_virial[j][3 * k + m] += v[k] * double(m + 1);
      }
      forces.force[i] = padded(xyz(forces.force[i]) - f);
      forces.force[j] = padded(xyz(forces.force[j]) + f);
    }
  return forces;
}

/// Forces of all ranks by id, the same on every rank.
struct ById {
  std::vector<std::int64_t> atoms, fixed;  ///< (natoms), (natoms, 3)
  std::vector<double> force, virial;       ///< (natoms, 3), (natoms, 9)
};

void expect_cleared_ghosts(const Forces& forces, std::int64_t nlocal) {
  for (auto g = std::size_t(nlocal); g < forces.force.size(); ++g) {
    const bool cleared = forces.fixed_point ? forces.fixed[g] == std::array<std::int64_t, 4>{}
                                            : norm(xyz(forces.force[g])) == 0;
    EXPECT_TRUE(cleared);
    EXPECT_TRUE(forces.atom_virial.empty() || forces.atom_virial[g] == (std::array<double, 9>{}));
  }
}

ById forces_by_id(const Case& c, const Atoms& all, Transport& transport, HaloRoute route) {
  Atoms atoms = dealt(all, transport);
  const DomainGrid grid = settle(c.box, transport, atoms);
  Halo halo(transport, route);
  halo.build(grid, c.box, c.cutoff, atoms);
  Forces fixed = pair_forces(c, atoms, true), real = pair_forces(c, atoms, false);
  fixed.atom_virial.clear();
  halo.reverse(fixed, atoms.nlocal);
  halo.update(atoms);
  halo.reverse(real, atoms.nlocal);
  expect_cleared_ghosts(fixed, atoms.nlocal);
  expect_cleared_ghosts(real, atoms.nlocal);
  const auto n = std::size_t(c.natoms);
  ById result{std::vector<std::int64_t>(n), std::vector<std::int64_t>(3 * n), std::vector<double>(3 * n),
              std::vector<double>(9 * n)};
  for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i) {
    const std::size_t at = index_of(atoms.id[i]);
    result.atoms[at] = 1;
    std::copy_n(fixed.fixed[i].begin(), 3, &result.fixed[3 * at]);
    std::copy_n(&real.force[i].x, 3, &result.force[3 * at]);
    std::copy_n(real.atom_virial[i].begin(), 9, &result.virial[9 * at]);
  }
  transport.all_reduce_sum(View<std::int64_t>(result.atoms));
  transport.all_reduce_sum(View<std::int64_t>(result.fixed));
  transport.all_reduce_sum(View<double>(result.force));
  transport.all_reduce_sum(View<double>(result.virial));
  return result;
}

/// Largest difference over the largest number.
double relative_difference(const std::vector<double>& a, const std::vector<double>& b) {
  double worst = 0, largest = 1e-300;
  for (std::size_t k = 0; k < a.size(); ++k) {
    worst = std::max(worst, std::fabs(a[k] - b[k]));
    largest = std::max(largest, std::fabs(a[k]));
  }
  return worst / largest;
}

void expect_sums_of_one_rank(const Case& c, const Atoms& all, Transport& transport, HaloRoute route) {
  const ById one = forces_by_id(c, all, *make_self_transport(), HaloRoute::direct);
  const ById many = forces_by_id(c, all, transport, route);
  EXPECT_EQ(many.atoms, std::vector<std::int64_t>(std::size_t(c.natoms), 1));
  EXPECT_EQ(many.fixed, one.fixed);
  // A few hundred terms in another order: measured 1e-15.
  EXPECT_LT(relative_difference(one.force, many.force), 1e-14);
  EXPECT_LT(relative_difference(one.virial, many.virial), 1e-14);
}

TEST(Halo, sums_of_fixed_point_forces_are_those_of_one_rank_to_the_bit) {
  everywhere(expect_sums_of_one_rank);
}

/// Grids of nodes that have neighbors on both sides along every axis, and several layers of them.
TEST(Halo, staged_exchanges_forward_through_grids_of_many_nodes) {
  Box tilted = Box::triclinic({Vec3{14, 0, 0}, Vec3{3, 13, 0}, Vec3{-2, 2.5, 12}});
  Box slab = tilted;
  slab.periodic = {true, false, true};
  const std::vector<Case> many{{"one layer", tilted, 3, 200},
                               {"several layers", tilted, 7, 60},
                               {"a slab", slab, 4, 150},
                               {"open", Box::open(), 3, 100}};
  const std::vector<std::pair<int, int>> worlds{{27, 1}, {32, 2}, {24, 3}, {36, 4}};
  for (const Case& c : many)
    for (const auto& [ranks, per_node] : worlds) {
      SCOPED_TRACE(c.name + ", " + std::to_string(ranks) + " ranks, nodes of " + std::to_string(per_node));
      const Atoms all = all_atoms(c);
      for (const auto& body :
           {expect_all_neighbors, expect_following_ghosts, expect_forwarded_rows, expect_sums_of_one_rank})
        run_ranks(
            ranks, [&](Transport& transport) { body(c, all, transport, HaloRoute::staged); }, per_node);
      if (HasFailure()) return;
    }
}

TEST(Halo, finds_its_way_when_it_is_built_again_for_other_atoms_and_cutoffs) {
  const Case small{"", Box::orthorhombic(9, 10, 11), 2, 30}, large{"", Box::orthorhombic(9, 10, 11), 8, 90};
  on_all_routes([&](Transport& transport, HaloRoute route) {
    Halo halo(transport, route);
    for (const Case* c : {&small, &large, &small}) {
      const Atoms all = all_atoms(*c);
      Atoms atoms = dealt(all, transport);
      const DomainGrid grid = settle(c->box, transport, atoms);
      halo.build(grid, c->box, c->cutoff, atoms);
      halo.update(atoms);
      for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i)
        ASSERT_EQ(found_around(*c, atoms, i), expected_around(*c, all, index_of(atoms.id[i])));
    }
  });
}

TEST(Halo, works_where_most_ranks_are_empty) {
  Case c{"a corner", Box::orthorhombic(60, 60, 60), 5, 25};
  Atoms all = all_atoms(c);
  for (Vec4& x : all.position) x = padded(0.05 * xyz(x));
  on_all_routes([&](Transport& transport, HaloRoute route) {
    Atoms atoms = dealt(all, transport);
    const DomainGrid grid = settle(c.box, transport, atoms);
    Halo halo(transport, route);
    halo.build(grid, c.box, c.cutoff, atoms);
    Forces forces = pair_forces(c, atoms, true);
    halo.update(atoms);
    halo.reverse(forces, atoms.nlocal);
    for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i)
      ASSERT_EQ(found_around(c, atoms, i), expected_around(c, all, index_of(atoms.id[i])));
  });
}

/// A box, a cutoff and atoms that nobody chose; some atoms lie exactly on cuts, corners and faces.
std::pair<Case, Atoms> random_case(unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto between = [&](double low, double high) { return low + (high - low) * uniform(random); };
  Case c{"seed " + std::to_string(seed), {}, between(2.01, 6), static_cast<int>(between(0, 50))};
  c.box = Box::triclinic({Vec3{between(4, 16), between(-2, 2), between(-2, 2)},
                          Vec3{between(-2, 2), between(4, 16), between(-2, 2)},
                          Vec3{between(-2, 2), between(-2, 2), between(4, 16)}});
  c.box.origin = {between(-5, 5), between(-5, 5), between(-5, 5)};
  for (bool& repeats : c.box.periodic) repeats = uniform(random) < 0.75;
  Atoms all = all_atoms(c, seed);
  for (Vec4& x : all.position) {
    if (uniform(random) < 0.7) continue;
    const auto snap = [&] { return std::floor(between(0, 25)) / 24; };
    Vec3 place = c.box.cartesian({snap(), snap(), snap()});
    wrap(c.box, place);
    x = padded(place);
  }
  return {c, all};
}

TEST(Halo, finds_all_neighbors_in_boxes_and_grids_drawn_at_random) {
  const std::vector<RankWorld> worlds = rank_worlds();
  for (unsigned seed = 0; seed < 300; ++seed) {
    const auto [c, all] = random_case(seed);
    const RankWorld& world = worlds[seed % worlds.size()];
    const HaloRoute route = k_routes[(seed / worlds.size()) % k_routes.size()];
    SCOPED_TRACE(c.name + ", " + world.name + ", route " + std::to_string(int(route)));
    world.run([&c = c, &all = all, route](Transport& transport) {
      Atoms atoms = dealt(all, transport);
      const DomainGrid grid = settle(c.box, transport, atoms);
      Halo halo(transport, route);
      halo.build(grid, c.box, c.cutoff, atoms);
      std::int64_t total = atoms.nlocal;
      transport.all_reduce_sum(View<std::int64_t>(&total, 1));
      EXPECT_EQ(total, c.natoms);
      for (std::size_t i = 0; i < std::size_t(atoms.nlocal); ++i)
        EXPECT_EQ(found_around(c, atoms, i), expected_around(c, all, index_of(atoms.id[i])));
    });
    if (HasFailure()) return;
  }
}

TEST(Halo, ends_on_all_ranks_when_one_fails_between_stages) {
  const Case c{"", Box::orthorhombic(20, 20, 20), 4, 300};
  const Atoms all = all_atoms(c);
  EXPECT_THROW(run_ranks(
                   16,
                   [&](Transport& transport) {
                     Atoms atoms = dealt(all, transport);
                     const DomainGrid grid = settle(c.box, transport, atoms);
                     Halo halo(transport, HaloRoute::staged);
                     halo.build(grid, c.box, c.cutoff, atoms);
                     halo.start_update(atoms);
                     if (transport.rank() == 5) throw InputError("disk full");
                     halo.finish_update(atoms);
                     halo.update(atoms);
                   },
                   2),
               InputError);
}

TEST(Halo, refuses_a_box_with_billions_of_images_on_all_ranks) {
  const Case c{"", Box::orthorhombic(1e-3, 1e-3, 1e-3), 5, 1};
  EXPECT_THROW(run_ranks(3,
                         [&](Transport& transport) {
                           Atoms atoms = dealt(all_atoms(c), transport);
                           const DomainGrid grid = settle(c.box, transport, atoms);
                           EXPECT_THROW(Halo(transport).build(grid, c.box, c.cutoff, atoms), InputError);
                           transport.barrier();
                           throw InputError("all got here");
                         }),
               InputError);
}

TEST(Halo, refuses_to_update_atoms_it_was_not_built_for) {
  const Case c = cases().front();
  const auto transport = make_self_transport();
  Atoms atoms = all_atoms(c);
  const DomainGrid grid = settle(c.box, *transport, atoms);
  Halo halo(*transport);
  halo.build(grid, c.box, c.cutoff, atoms);
  --atoms.nghost;
  EXPECT_THROW(halo.update(atoms), RunError);
}

}  // namespace
}  // namespace nanoday
