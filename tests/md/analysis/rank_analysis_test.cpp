// What a run measures has the same bytes on any number of ranks, whoever holds the atoms.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "in_process.hpp"
#include "io/temporary_folder.hpp"
#include "md/analysis/dplr_analysis.hpp"
#include "md/analysis/msd.hpp"
#include "md/analysis/near_atoms.hpp"
#include "md/analysis/rdf.hpp"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace nanoday {
namespace {

using test::TemporaryFolder;

constexpr int k_rank_counts[] = {2, 3, 4, 5, 7, 8};
const TypeCharges k_water{{6, 1}, {-8, 0}};

/// All atoms, in input order, with a displacement of a centroid each.
struct Scene {
  Box box;
  std::vector<Vec3> position;
  std::vector<std::int32_t> type;
  Array<Vec4> displacement;

  void add(std::int32_t of_type, Vec3 x, Vec3 to_centroid = {}) {
    position.push_back(x);
    type.push_back(of_type);
    displacement.push_back(padded(to_centroid));
  }
};

/// One rank's atoms, as a run leaves them: any order, somewhat outside the box.
struct Held {
  Atoms atoms;
  Array<Vec4> displacement;
};

Held held_by(const Scene& scene, const Transport& transport, unsigned seed) {
  std::mt19937 random(seed);
  Held held;
  for (std::size_t k = scene.position.size(); k-- > 0;) {
    if (static_cast<int>(random() % static_cast<unsigned>(transport.size())) != transport.rank()) continue;
    Vec3 x = scene.position[k];
    const auto image = wrap(scene.box, x);
    held.atoms.image.push_back({image[0], image[1], image[2]});
    if (k % 5 == 0) {  // has left the box since it was wrapped
      x = x + scene.box.translation(1, 0, 0);
      held.atoms.image.back()[0] -= 1;
    }
    held.atoms.position.push_back(padded(x));
    held.atoms.type.push_back(scene.type[k]);
    held.atoms.id.push_back(static_cast<std::int64_t>(k));
    held.atoms.mass.push_back(scene.type[k] == 0 ? 15.999 : 1.008);
    held.displacement.push_back(scene.displacement[k]);
    ++held.atoms.nlocal;
  }
  return held;
}

Box tilted(double scale) {
  return Box::triclinic(
      {Vec3{10 * scale, 0, 0}, Vec3{3 * scale, 9 * scale, 0}, Vec3{-4 * scale, 2 * scale, 8 * scale}});
}

Scene gas(const Box& box, int natoms, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 2);
  Scene scene{box, {}, {}, {}};
  for (int i = 0; i < natoms; ++i)
    scene.add(i % 3 == 0 ? 0 : 1, box.cartesian({uniform(random), uniform(random), uniform(random)}));
  return scene;
}

/// Waters whose places and shapes vary, so that some are broken by every face, and some hydrogens jumped.
Scene liquid(unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal(0, 0.1);
  const auto noise = [&] { return Vec3{normal(random), normal(random), normal(random)}; };
  Scene scene{tilted(1.4), {}, {}, {}};
  for (int n = 0; n < 64; ++n) {
    const Vec3 x = scene.box.cartesian({n % 4 / 4.0, n / 4 % 4 / 4.0, n / 16 / 4.0}) + noise();
    scene.add(0, x, Vec3{0.01, 0.07, -0.02} + 0.1 * noise());
    scene.add(1, x + Vec3{0.76, 0.59, 0} + noise());
    scene.add(1, x + (n % 9 == 0 ? Vec3{-1.6, 0.6, 0.9} : Vec3{-0.76, 0.59, 0}) + noise());
  }
  return scene;
}

/// Calls body on n ranks and returns what the first one answers.
std::string on_ranks(int n, const std::function<std::string(Transport&)>& body, int ranks_per_node = 0) {
  std::string answer;
  run_ranks(
      n,
      [&](Transport& transport) {
        std::string mine = body(transport);
        if (transport.rank() == 0) answer = std::move(mine);
      },
      ranks_per_node);
  return answer;
}

void expect_same_on_all(const std::function<std::string(Transport&)>& body) {
  const std::string one = on_ranks(1, body);
  EXPECT_GT(one.size(), 50u);
  for (const int n : k_rank_counts) EXPECT_EQ(on_ranks(n, body), one) << n << " ranks";
  EXPECT_EQ(on_ranks(6, body, 2), one) << "three nodes of two ranks";
}

std::string rdf_of(Transport& transport, const Scene& first, const Scene& second) {
  const Held a = held_by(first, transport, 1), b = held_by(second, transport, 2);
  Rdf rdf(transport, first.box, {"O", "H", "Na"}, a.atoms);
  rdf.sample(first.box, a.atoms);
  rdf.gather();
  const std::string state = rdf.save();
  Rdf resumed(transport, first.box, {"O", "H", "Na"}, b.atoms);
  resumed.restore(transport.rank() == 0 ? state : rdf.save());
  resumed.sample(second.box, b.atoms);
  resumed.gather();
  if (transport.rank() > 0) return "";
  const TemporaryFolder folder;
  write_rdf(folder.file("rdf.csv"), resumed.table(), NumberFormat::round_trip);
  return folder.read("rdf.csv") + resumed.save();
}

TEST(RankRdf, has_the_same_bytes_with_few_atoms_in_a_tilted_box) {
  const Scene a = gas(tilted(1.1), 150, 3), b = gas(tilted(1.1), 150, 4);
  expect_same_on_all([&](Transport& t) { return rdf_of(t, a, b); });
}

TEST(RankRdf, has_the_same_bytes_with_cells_here_and_all_pairs_there) {
  const Box box = Box::orthorhombic(26, 30, 41);
  const Scene a = gas(box, 2400, 5), b = gas(box, 2400, 6);
  expect_same_on_all([&](Transport& t) { return rdf_of(t, a, b); });
}

TEST(RankRdf, has_the_same_bytes_with_less_atoms_than_ranks) {
  const Scene a = gas(tilted(1), 5, 7), b = gas(tilted(1), 5, 8);
  expect_same_on_all([&](Transport& t) { return rdf_of(t, a, b); });
}

TEST(NearAtoms, are_own_ones_of_one_rank_and_others_once) {
  const Scene scene = gas(tilted(1), 90, 9);
  for (const int n : k_rank_counts)
    run_ranks(n, [&](Transport& transport) {
      Held held = held_by(scene, transport, 3);
      const NearAtoms near = near_atoms(transport, scene.box, held.atoms, 3, &held.displacement);
      EXPECT_EQ(held.displacement.size(), near.n_own);
      EXPECT_EQ(std::set<std::int64_t>(near.id.begin(), near.id.end()).size(), near.size());
      auto n_own = static_cast<std::int64_t>(near.n_own);
      transport.all_reduce_sum(View<std::int64_t>(&n_own, 1));
      EXPECT_EQ(n_own, 90);
      for (std::size_t k = 0; k < near.size(); ++k)
        EXPECT_EQ(near.type[k], scene.type[static_cast<std::size_t>(near.id[k])]);
    });
}

TEST(RankMsd, has_the_same_bytes_and_continues_where_ids_are_served) {
  const Box box = tilted(1);
  const Scene first = gas(box, 61, 11), later = gas(box, 61, 12);
  expect_same_on_all([&](Transport& t) {
    const Held a = held_by(first, t, 1), b = held_by(later, t, 2);
    Msd whole(t, {"O", "H", "Na"}, a.atoms), resumed(t, {"O", "H", "Na"}, b.atoms);
    std::string text;
    const auto note = [&](const MsdRow& row) {
      for (const double x : row.msd) text += fmt::format("{} {} ", row.time, x);
    };
    note(whole.sample(0, box, a.atoms));
    resumed.restore(whole.origin());
    note(whole.sample(1, box, b.atoms));
    note(resumed.sample(1, box, b.atoms));
    EXPECT_THROW(resumed.restore(std::vector<Vec3>(100)), InputError);
    return text;
  });
}

TEST(RankDplrAnalysis, has_the_same_files_and_figures) {
  const Scene a = liquid(1), b = liquid(2);
  std::int64_t molecules = 0, charged = 0;
  expect_same_on_all([&](Transport& t) {
    const Held first = held_by(a, t, 1), second = held_by(b, t, 2);
    DplrAnalysis whole(t, k_water, 0.5e-3), resumed(t, k_water, 0.5e-3);
    const auto feed = [](DplrAnalysis& analysis, const Scene& scene, const Held& held, int times) {
      for (int k = 0; k < times; ++k) analysis.sample_dipole(scene.box, held.atoms, held.displacement);
      analysis.sample_molecules(scene.box, held.atoms, held.displacement);
    };
    feed(whole, a, first, 3);
    whole.gather();
    const std::string state = whole.save();
    resumed.restore(state);
    feed(whole, b, second, 1100);
    feed(resumed, b, second, 1100);
    whole.gather();
    resumed.gather();
    if (t.rank() > 0) return std::string();
    EXPECT_EQ(whole.save(), resumed.save());
    const TemporaryFolder folder;
    whole.write_files(folder.file(""), {1000, 300}, NumberFormat::round_trip);
    std::string text = folder.read("wannier.csv") + folder.read("dipole.csv") + folder.read("infrared.csv");
    for (const auto& [label, value] : whole.facts({1000, 300})) text += label + value;
    return text + whole.save();
  });
  const Held all = held_by(a, *make_self_transport(), 1);
  DipoleDistribution dipoles(k_water);
  dipoles.sample(*make_self_transport(), a.box, all.atoms, all.displacement);
  molecules = dipoles.histogram().count();
  charged = dipoles.charged_groups();
  EXPECT_GT(molecules, 20) << "the scene should have whole molecules";
  EXPECT_GT(charged, 4) << "and groups that are not";
}

}  // namespace
}  // namespace nanoday
