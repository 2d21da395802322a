// Table of the balance inside nodes: matter with surfaces, dealt by lending with and without counting
// neighbors. SPDX-License-Identifier: Apache-2.0
#include "node_balance.hpp"

#include "backend/atom_work.hpp"
#include "halo.hpp"
#include "in_process.hpp"
#include "lending.hpp"
#include "migration.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <mutex>
#include <random>

namespace nanoday::bench {
namespace {

constexpr double k_cutoff = 8;        // 6 Å of the model and a skin of 2 Å
constexpr double k_spacing = 2.1544;  // of a cubic lattice with the 0.1 atoms per Å³ of water [Å]

struct Matter {
  const char* name;
  Box box;
  std::vector<Vec3> position;
  std::vector<int> work;
};

/// Lattice points with normal displacements of a tenth of the spacing, where `inside` says so.
template <class Inside>
std::vector<Vec3> lattice(const Box& box, double spacing, Inside inside, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> shift(0, spacing / 10);
  std::vector<Vec3> position;
  const Vec3 length = box.heights();
  const auto points = [&](double l) { return static_cast<int>(l / spacing); };
  for (int i = 0; i < points(length.x); ++i)
    for (int j = 0; j < points(length.y); ++j)
      for (int k = 0; k < points(length.z); ++k) {
        const Vec3 site = spacing * Vec3{i + 0.5, j + 0.5, k + 0.5};
        if (!inside(site)) continue;
        Vec3 x = site + Vec3{shift(random), shift(random), shift(random)};
        wrap(box, x);
        position.push_back(x);
      }
  return position;
}

/// Neighbors within the cutoff in the smallest image, and what a fitting net costs.
std::vector<int> work_of(const Box& box, const std::vector<Vec3>& position) {
  const Vec3 length = box.heights();
  const auto nearest = [](double d, double l) { return d - l * std::round(d / l); };
  std::vector<int> work(position.size(), static_cast<int>(k_fitting_work) - 1);  // less oneself
  for (std::size_t i = 0; i < position.size(); ++i)
    for (const Vec3& other : position) {
      const Vec3 d = other - position[i];
      const Vec3 near{nearest(d.x, length.x), nearest(d.y, length.y), nearest(d.z, length.z)};
      work[i] += dot(near, near) < k_cutoff * k_cutoff;
    }
  return work;
}

Matter matter(const char* name, const Box& box, std::vector<Vec3> position) {
  auto work = work_of(box, position);
  return {name, box, std::move(position), std::move(work)};
}

std::vector<Matter> all_matter() {
  const Box tall = Box::orthorhombic(40, 40, 100), cube = Box::orthorhombic(70, 70, 70);
  const auto slab = [](Vec3 x) { return x.z > 25 && x.z < 65; };
  const auto ball = [](Vec3 x) { return norm(x - Vec3{30, 32, 37}) < 24; };
  auto mixed = lattice(
      tall, k_spacing, [](Vec3 x) { return x.z < 30; }, 3);
  const auto vapour = lattice(
      tall, 2 * k_spacing, [](Vec3 x) { return x.z >= 30; }, 4);
  mixed.insert(mixed.end(), vapour.begin(), vapour.end());
  return {matter("slab in vacuum", tall, lattice(tall, k_spacing, slab, 1)),
          matter("droplet", cube, lattice(cube, k_spacing, ball, 2)),
          matter("dense beside eight times thinner", tall, std::move(mixed))};
}

enum class By { place, atoms, work };

struct Dealt {
  double busiest = 0;  ///< work of the busiest rank over the mean
  double ghosts = 0;   ///< of all ranks, per atom
};

Dealt deal(const Matter& m, int n_ranks, int per_node, By by) {
  std::vector<double> work(static_cast<std::size_t>(n_ranks));
  double ghosts = 0;
  std::mutex lock;
  const auto body = [&](Transport& ranks) {
    Atoms atoms;
    for (std::size_t i = static_cast<std::size_t>(ranks.rank()); i < m.position.size();
         i += static_cast<std::size_t>(ranks.size())) {
      atoms.position.push_back(padded(m.position[i]));
      atoms.id.push_back(static_cast<std::int64_t>(i));
      atoms.type.push_back(0);
      ++atoms.nlocal;
    }
    DomainGrid grid(domain_frame(m.box, atoms.position, ranks), ranks.node_of());
    migrate(grid, ranks, atoms);
    Array<Vec4> weight;
    for (const std::int64_t id : atoms.id)
      weight.push_back({by == By::work ? m.work[static_cast<std::size_t>(id)] : 1.0, 0, 0, 0});
    if (by != By::place) Lender(ranks).lend(grid, 0, {}, atoms, weight);
    Halo halo(ranks);
    halo.build(grid, m.box, k_cutoff, atoms);
    const std::lock_guard guard(lock);
    ghosts += static_cast<double>(atoms.nghost);
    for (std::int64_t i = 0; i < atoms.nlocal; ++i)
      work[static_cast<std::size_t>(ranks.rank())] +=
          m.work[static_cast<std::size_t>(atoms.id[static_cast<std::size_t>(i)])];
  };
  run_ranks(n_ranks, body, per_node);
  double all = 0;
  for (const double w : work) all += w;
  return {*std::max_element(work.begin(), work.end()) * n_ranks / all,
          ghosts / static_cast<double>(m.position.size())};
}

}  // namespace

nlohmann::json node_balance_table() {
  fmt::print(
      "\n| matter | atoms | nodes × ranks | busiest rank's work over the mean: by place | by atoms | by work "
      "| "
      "ghosts per atom: by place | by atoms | by work |\n|---|---|---|---|---|---|---|---|---|\n");
  nlohmann::json rows = nlohmann::json::array();
  for (const Matter& m : all_matter())
    for (const auto& [nodes, per_node] : {std::pair{1, 4}, {1, 8}, {1, 48}, {4, 4}}) {
      const int n = nodes * per_node;
      const Dealt place = deal(m, n, per_node, By::place), atoms = deal(m, n, per_node, By::atoms),
                  work = deal(m, n, per_node, By::work);
      fmt::print("| {} | {} | {} × {} | {:.3f} | {:.3f} | {:.3f} | {:.1f} | {:.1f} | {:.1f} |\n", m.name,
                 m.position.size(), nodes, per_node, place.busiest, atoms.busiest, work.busiest, place.ghosts,
                 atoms.ghosts, work.ghosts);
      std::fflush(stdout);
      rows.push_back({{"matter", m.name},
                      {"atoms", m.position.size()},
                      {"nodes", nodes},
                      {"ranks_per_node", per_node},
                      {"busiest_over_mean", {place.busiest, atoms.busiest, work.busiest}},
                      {"ghosts_per_atom", {place.ghosts, atoms.ghosts, work.ghosts}}});
    }
  return rows;
}

}  // namespace nanoday::bench
