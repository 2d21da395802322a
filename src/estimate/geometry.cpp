// How a box falls into domains: ghosts, messages, and the fullest domain.
// SPDX-License-Identifier: Apache-2.0
#include "estimate/geometry.hpp"

#include "domain_grid.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

/// Variance over mean of atoms in a domain of a liquid: three times that of water molecules in cubes of 8 Å,
/// measured by tests/bench/balance (benchmarks/balance.json).
constexpr double k_liquid_variance = 0.9;

/// Atoms of the repeated cell between two planes of constant fraction of the whole box, per atom of one copy:
/// how many copies along this direction put that atom there.
double copies_between(double fraction, std::int64_t copies, double low, double high) {
  const double n = static_cast<double>(copies);
  return std::ceil(high * n - fraction) - std::ceil(low * n - fraction);
}

Division make_division(const std::array<int, 3>& grid, const Box& whole, double atoms, double reach) {
  Division d;
  d.grid = grid;
  const Vec3 heights = whole.heights();
  const std::array<double, 3> height{heights.x, heights.y, heights.z};
  double domains = 1, grown = 1, neighbors = 1, own = 1;
  for (int k = 0; k < 3; ++k) {
    d.edge[k] = height[k] / grid[k];
    const int layers = static_cast<int>(std::ceil(reach / d.edge[k]));
    domains *= grid[k];
    grown *= 1 + 2 * reach / d.edge[k];
    own *= grid[k] == 1 ? 1 + 2 * reach / d.edge[k] : 1;  // images of the domain itself
    neighbors *= std::min(grid[k], 2 * layers + 1);
    d.layers = std::max(d.layers, layers);
  }
  d.atoms = atoms / domains;
  d.ghosts = d.atoms * (grown - 1);
  d.sent = d.atoms * (grown - own);
  d.neighbors = neighbors - 1;
  return d;
}

}  // namespace

Box RepeatedCell::whole() const {
  Box all = box;
  for (int d = 0; d < 3; ++d) all.cell[d] = static_cast<double>(copies[d]) * box.cell[d];
  return all;
}

Divisions divide(const Box& whole, double atoms, int nodes, int ranks_per_node, double reach) {
  std::vector<int> node_of;
  for (int n = 0; n < nodes; ++n) node_of.insert(node_of.end(), static_cast<std::size_t>(ranks_per_node), n);
  const DomainGrid grid({whole, {0, 0, 0}, {1, 1, 1}}, node_of);
  return {make_division(grid.shape(), whole, atoms, reach), make_division(grid.nodes(), whole, atoms, reach)};
}

double fullest_share(const RepeatedCell& cell, const Division& division) {
  constexpr double k_budget = 3e7;  // pairs of domain and atom looked at
  const std::array<std::int64_t, 3> grid{division.grid[0], division.grid[1], division.grid[2]};
  const std::int64_t domains = grid[0] * grid[1] * grid[2];
  if (domains == 1) return 1;
  if (cell.fraction.empty())
    return 1 + std::sqrt(2 * std::log(static_cast<double>(domains)) * k_liquid_variance / division.atoms);
  const auto most = static_cast<std::int64_t>(k_budget / static_cast<double>(cell.fraction.size()));
  const std::int64_t looked_at = std::min(domains, std::max<std::int64_t>(1, most));
  double fullest = 0;
  for (std::int64_t k = 0; k < looked_at; ++k) {
    // Evenly spread over all domains, which the fraction of the golden ratio scatters.
    const double spread = static_cast<double>(k) * 0.6180339887498949;
    const std::int64_t n =
        looked_at == domains ? k : static_cast<std::int64_t>((spread - std::floor(spread)) * double(domains));
    const std::array<std::int64_t, 3> place{n / (grid[1] * grid[2]), n / grid[2] % grid[1], n % grid[2]};
    double count = 0;
    for (const Vec3& f : cell.fraction) {
      const std::array<double, 3> fraction{f.x, f.y, f.z};
      double product = 1;
      for (int d = 0; d < 3; ++d)
        product *= copies_between(fraction[d], cell.copies[d], double(place[d]) / double(grid[d]),
                                  double(place[d] + 1) / double(grid[d]));
      count += product;
    }
    fullest = std::max(fullest, count);
  }
  return std::max(1.0, fullest / division.atoms);
}

}  // namespace nanoday
