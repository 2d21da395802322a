// Atoms lent to the rank next door: the plan of ring_balance.hpp carried out.
// SPDX-License-Identifier: Apache-2.0
#include "lending.hpp"

#include "migration.hpp"
#include "ring_balance.hpp"

#include <algorithm>
#include <cstdlib>
#include <numeric>

namespace nanoday {
namespace {

using Triple = std::array<int, 3>;

std::size_t index_of(const DomainGrid& grid, const Triple& place) {
  const Triple& n = grid.shape();
  return (static_cast<std::size_t>(place[0]) * n[1] + place[1]) * n[2] + place[2];
}

/// Atoms of every rank, ordered by place.
std::vector<std::int64_t> count_atoms(const DomainGrid& grid, Transport& transport, const Atoms& atoms) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(grid.ranks()));
  counts[index_of(grid, grid.place(transport.rank()))] = atoms.nlocal;
  transport.all_reduce_sum(View<std::int64_t>(counts));
  return counts;
}

double excess_of(const std::vector<std::int64_t>& counts) {
  const double total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0}));
  return static_cast<double>(*std::max_element(counts.begin(), counts.end())) -
         total / static_cast<double>(counts.size());
}

/// Faces between an atom and the domain of its place.
std::vector<std::int32_t> hops_of(const DomainGrid& grid, const Triple& place, const Atoms& atoms) {
  std::vector<std::int32_t> hops;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const Triple home = grid.place(grid.owner(xyz(atoms.position[static_cast<std::size_t>(i)])));
    hops.push_back(std::abs(home[0] - place[0]) + std::abs(home[1] - place[1]) +
                   std::abs(home[2] - place[2]));
  }
  return hops;
}

void take_step(const DomainGrid& grid, Transport& transport, const BalanceStep& step, Atoms& atoms) {
  const Triple place = grid.place(transport.rank());
  Triple above = place, below = place;
  ++above[static_cast<std::size_t>(step.axis)];
  --below[static_cast<std::size_t>(step.axis)];
  const bool first = below[static_cast<std::size_t>(step.axis)] < 0;
  const std::int64_t up = step.up[index_of(grid, place)],
                     from_below = first ? 0 : step.up[index_of(grid, below)];
  const auto hops = hops_of(grid, place, atoms);
  const auto n = static_cast<std::size_t>(atoms.nlocal);
  const HeldAtoms held{{atoms.position.data(), n}, {atoms.id.data(), n}, hops};
  const FaceChoice choice = choose_for_faces(grid.frame(), step.axis, held, std::max<std::int64_t>(up, 0),
                                             std::max<std::int64_t>(-from_below, 0));
  std::vector<int> destination(n, transport.rank());
  for (const std::int32_t i : choice.up) destination[static_cast<std::size_t>(i)] = grid.rank_at(above);
  for (const std::int32_t i : choice.down) destination[static_cast<std::size_t>(i)] = grid.rank_at(below);
  move_atoms(transport, destination, atoms);
}

}  // namespace

Lending lend_atoms(DomainGrid& grid, Transport& transport, double tolerance, Atoms& atoms) {
  const auto counts = count_atoms(grid, transport, atoms);
  Lending lending;
  lending.before = lending.after = excess_of(counts);
  const double mean = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})) /
                      static_cast<double>(counts.size());
  if (lending.before < std::max(1.0, tolerance * mean)) return lending;
  const BalancePlan plan = plan_balance(grid.shape(), {false, false, false}, counts);
  for (const BalanceStep& step : plan.steps) take_step(grid, transport, step, atoms);
  grid.span({atoms.position.data(), static_cast<std::size_t>(atoms.nlocal)}, transport);
  lending.moved = plan.moved;
  lending.after = plan.excess();
  return lending;
}

}  // namespace nanoday
