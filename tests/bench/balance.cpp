// Tables of the balance: what passes between nodes leave and move, beside one ring; work of a node's ranks.
// SPDX-License-Identifier: Apache-2.0
//
// Question: how even is the work of hundreds and thousands of nodes at 47 atoms each, and what does it cost?
// Use: nanoday_balance [--json FILE] [--samples 20]
// Atoms are drawn in space and counted per node. "poisson": every atom anywhere. "water": molecules of three
// atoms on a cubic lattice with normal displacements of the width at which the number of molecules per node
// scatters as it does in examples/structures/water192.data.
#include "core/error.hpp"
#include "io/structure_file.hpp"
#include "node_balance.hpp"
#include "ring_balance.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <numeric>
#include <random>

namespace nanoday {
namespace {

using Counts = std::vector<std::int64_t>;
using Shape = std::array<int, 3>;
using Random = std::mt19937_64;

constexpr double k_atoms_per_node = 47;                 // of the 51 ns/day paper's strong scaling
constexpr double k_molecule = 3;                        // atoms
constexpr double k_oh = 0.9572, k_half_angle = 0.9117;  // water: [Å], half of 104.5 degrees

std::size_t size_of(const Shape& shape) { return static_cast<std::size_t>(shape[0]) * shape[1] * shape[2]; }

/// Counts points per node of a periodic box whose nodes are cubes of edge `edge`.
struct Counter {
  Shape shape;
  double edge;
  Counts counts;

  Counter(const Shape& s, double e) : shape(s), edge(e), counts(size_of(s), 0) {}
  void add(Vec3 x) {
    const std::array<double, 3> at{x.x, x.y, x.z};
    std::size_t index = 0;
    for (int d = 0; d < 3; ++d) {
      const int cell = static_cast<int>(std::floor(at[d] / edge)) % shape[d];
      index = index * shape[d] + static_cast<std::size_t>(cell < 0 ? cell + shape[d] : cell);
    }
    ++counts[index];
  }
};

/// Variance over mean.
double scatter(const Counts& counts) {
  const double n = static_cast<double>(counts.size());
  const double mean = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})) / n;
  double sum = 0;
  for (const std::int64_t c : counts)
    sum += (static_cast<double>(c) - mean) * (static_cast<double>(c) - mean);
  return sum / n / mean;
}

Counts poisson(const Shape& shape, Random& random) {
  Counter counter(shape, 1);
  std::uniform_real_distribution<double> x(0, shape[0]), y(0, shape[1]), z(0, shape[2]);
  const std::int64_t n = std::llround(k_atoms_per_node * static_cast<double>(counter.counts.size()));
  for (std::int64_t i = 0; i < n; ++i) counter.add({x(random), y(random), z(random)});
  return counter.counts;
}

struct Water {
  double density = 0;  ///< molecules per Å³
  double edge = 0;     ///< of a node's cube [Å]
  double scatter = 0;  ///< of molecules in such cubes, measured
  double width = 0;    ///< of displacements, in lattice spacings
};

Vec3 random_direction(Random& random) {
  std::normal_distribution<double> normal;
  const Vec3 v{normal(random), normal(random), normal(random)};
  return (1 / norm(v)) * v;
}

/// Rows of a rotation that no face of a node lies along: a lattice in line with the nodes would count like
/// none.
constexpr Vec3 k_turned[3] = {{0.4630738523, -0.6606786427, -0.5908183633},
                              {0.3001996008, 0.7441117764, -0.5968063872},
                              {0.8339321357, 0.0990019960, 0.5429141717}};

/// Displaced lattice of molecules in the box of all nodes; `atoms` counts all three, else the oxygen only.
Counts displaced_lattice(const Shape& shape, const Water& water, bool atoms, Random& random) {
  Counter counter(shape, water.edge);
  std::normal_distribution<double> normal;
  const double spacing = std::cbrt(1 / water.density);
  const Vec3 box{shape[0] * water.edge, shape[1] * water.edge, shape[2] * water.edge};
  const int reach = static_cast<int>(norm(box) / spacing / 2) + 1;
  const auto inside = [](double x, double length) { return x >= 0 && x < length; };
  for (int i = -reach; i <= reach; ++i)
    for (int j = -reach; j <= reach; ++j)
      for (int k = -reach; k <= reach; ++k) {
        const Vec3 site = 0.5 * box + spacing * (double(i) * k_turned[0] + double(j) * k_turned[1] +
                                                 double(k) * k_turned[2]);
        if (!inside(site.x, box.x) || !inside(site.y, box.y) || !inside(site.z, box.z)) continue;
        const double width = water.width * spacing;
        const Vec3 o = site + Vec3{width * normal(random), width * normal(random), width * normal(random)};
        counter.add(o);
        if (!atoms) continue;
        const Vec3 axis = random_direction(random);
        const Vec3 other = cross(axis, random_direction(random));
        const Vec3 side = (1 / norm(other)) * other;
        for (const double sign : {-1.0, 1.0})
          counter.add(o + k_oh * (std::cos(k_half_angle) * axis + sign * std::sin(k_half_angle) * side));
      }
  return counter.counts;
}

/// Molecules in node-sized cubes anywhere in the structure.
Water measure_water() {
  const Structure structure =
      read_structures(NANODAY_SOURCE_DIR "/examples/structures/water192.data").front();
  const double length = structure.box.heights().x;
  Water water;
  water.density = static_cast<double>(structure.natoms()) / k_molecule / structure.box.volume();
  water.edge = std::cbrt(k_atoms_per_node / k_molecule / water.density);
  Random random(1);
  std::uniform_real_distribution<double> corner(0, length);
  Counts counts;
  for (int sample = 0; sample < 20000; ++sample) {
    const Vec3 low{corner(random), corner(random), corner(random)};
    std::int64_t n = 0;
    for (std::size_t o = 0; o < structure.natoms(); o += 3) {
      const Vec3 d = structure.position[o] - structure.box.origin - low;
      const auto inside = [&](double x) { return x - length * std::floor(x / length) < water.edge; };
      n += inside(d.x) && inside(d.y) && inside(d.z);
    }
    counts.push_back(n);
  }
  water.scatter = scatter(counts);
  double low = 0, high = 1;
  for (int k = 0; k < 20; ++k) {
    water.width = (low + high) / 2;
    Random same(2);
    (scatter(displaced_lattice({21, 21, 21}, water, false, same)) < water.scatter ? low : high) = water.width;
  }
  return water;
}

/// One line of the table: the worst and the mean of several samples.
struct Line {
  double before = 0, excess = 0, moved = 0;  ///< largest − mean before and after; share of atoms: mean
  double crossings = 0;                      ///< faces crossed per atom, mean
  int repeats = 0, hops = 0;                 ///< worst
  double repeated = 0;                       ///< share of samples with a repeat
};

void add_plan(Line& line, const BalancePlan& plan, const Counts& counts, int samples) {
  const double atoms = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  const double mean = atoms / static_cast<double>(counts.size());
  double crossings = 0;
  for (const BalanceStep& step : plan.steps)
    for (const std::int64_t n : step.up) crossings += std::abs(static_cast<double>(n));
  line.before =
      std::max(line.before, static_cast<double>(*std::max_element(counts.begin(), counts.end())) - mean);
  line.excess = std::max(line.excess, plan.excess());
  line.moved += static_cast<double>(plan.moved) / atoms / samples;
  line.crossings += crossings / atoms / samples;
  line.repeats = std::max(line.repeats, plan.repeats);
  line.hops = std::max(line.hops, plan.hops);
  line.repeated += (plan.repeats > 0 ? 1.0 : 0.0) / samples;
}

nlohmann::json row_json(const Shape& shape, const char* matter, const char* scheme, double spread,
                        const Line& line) {
  fmt::print("| {}×{}×{} | {} | {} | {:.0f} | {:.2f} | {:.1f} % | {:.2f} | {} | {} ({:.0f} %) |\n", shape[0],
             shape[1], shape[2], matter, scheme, line.before, line.excess, 100 * line.moved, line.crossings,
             line.hops, line.repeats, 100 * line.repeated);
  std::fflush(stdout);
  return {{"nodes", shape},
          {"atoms", matter},
          {"scheme", scheme},
          {"variance_over_mean", spread},
          {"excess_before", line.before},
          {"excess_after", line.excess},
          {"moved_fraction", line.moved},
          {"crossings_per_atom", line.crossings},
          {"hops", line.hops},
          {"repeats", line.repeats},
          {"samples_with_repeats", line.repeated}};
}

nlohmann::json table(const Water& water, int samples) {
  fmt::print(
      "| nodes | atoms | scheme | largest − mean before | after | moved | crossings per atom | hops | "
      "repeats (of samples) |\n|---|---|---|---|---|---|---|---|---|\n");
  nlohmann::json rows = nlohmann::json::array();
  for (const Shape& shape : {Shape{8, 12, 8}, Shape{20, 21, 20}})
    for (const bool liquid : {true, false}) {
      Line three, one;
      double spread = 0;
      for (int sample = 0; sample < samples; ++sample) {
        Random random(static_cast<std::uint64_t>(sample) + 10);
        const Counts counts = liquid ? displaced_lattice(shape, water, true, random) : poisson(shape, random);
        spread += scatter(counts) / samples;
        add_plan(three, plan_balance(shape, {true, true, true}, counts), counts, samples);
        add_plan(one, plan_one_ring(shape, counts, 10000), counts, samples);
      }
      const char* matter = liquid ? "water" : "poisson";
      rows.push_back(row_json(shape, matter, "three passes", spread, three));
      rows.push_back(row_json(shape, matter, "one ring", spread, one));
    }
  return rows;
}

int run(const std::map<std::string, std::string>& options) {
  const auto samples = options.find("--samples");
  const Water water = measure_water();
  fmt::print("water: {:.3f} Å nodes, variance/mean of molecules {:.3f}, displacement {:.3f} spacings\n\n",
             water.edge, water.scatter, water.width);
  const int n = samples == options.end() ? 20 : std::stoi(samples->second);
  const nlohmann::json out = {{"atoms_per_node", k_atoms_per_node},
                              {"samples", n},
                              {"water",
                               {{"node_edge", water.edge},
                                {"variance_over_mean_molecules", water.scatter},
                                {"displacement_in_spacings", water.width}}},
                              {"rows", table(water, n)},
                              {"inside_nodes", bench::node_balance_table()}};
  if (const auto file = options.find("--json"); file != options.end())
    std::ofstream(file->second) << out.dump(1) << '\n';
  return 0;
}

}  // namespace
}  // namespace nanoday

int main(int argc, char** argv) {
  std::map<std::string, std::string> options;
  for (int k = 1; k + 1 < argc; k += 2) options[argv[k]] = argv[k + 1];
  try {
    return nanoday::run(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "nanoday_balance: {}\n", error.what());
    return 1;
  }
}
