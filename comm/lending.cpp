// Atoms lent to other ranks: the plan of ring_balance.hpp between nodes, cuts of equal work inside them.
// SPDX-License-Identifier: Apache-2.0
#include "lending.hpp"

#include "migration.hpp"
#include "ring_balance.hpp"
#include "weighted_cut.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <numeric>

namespace nanoday {
namespace {

using Triple = std::array<int, 3>;

// Keys that order atoms by place and then by id: 28 bits of the frame's length, of which four may hold how
// far an atom has been lent, and 36 bits of the id.
constexpr int k_id_bits = 36, k_place_bits = 28, k_hop_bits = 4;
constexpr int k_most_hops = (1 << k_hop_bits) - 2;

std::size_t index_of(const Triple& shape, const Triple& place) {
  return (static_cast<std::size_t>(place[0]) * shape[1] + place[1]) * shape[2] + place[2];
}

/// Ranks of a node along a, b, c.
Triple inner_of(const DomainGrid& grid) {
  Triple inner;
  for (int d = 0; d < 3; ++d) inner[d] = grid.shape()[d] / grid.nodes()[d];
  return inner;
}

Triple node_of(const DomainGrid& grid, int rank) {
  Triple node = grid.place(rank);
  const Triple inner = inner_of(grid);
  for (int d = 0; d < 3; ++d) node[d] /= inner[d];
  return node;
}

/// Place along an axis as a whole number of `bits` bits, of which not all are set.
std::uint64_t place_key(const DomainFrame& frame, int axis, Vec3 position, int bits) {
  const Vec3 f = frame.box.fractional(position);
  const double along = axis == 0 ? f.x : axis == 1 ? f.y : f.z;
  const double length = frame.high[axis] - frame.low[axis];
  const double fraction = length > 0 ? (along - frame.low[axis]) / length : 0;
  const double most = std::ldexp(1.0, bits);
  return static_cast<std::uint64_t>(std::clamp(std::floor(fraction * most), 0.0, most - 2));
}

std::uint64_t with_id(std::uint64_t key, std::int64_t id) {
  return (key << k_id_bits) | static_cast<std::uint64_t>(id);
}

/// Atoms of every node, ordered by place.
std::vector<std::int64_t> count_atoms(const DomainGrid& grid, Transport& transport, std::int64_t nlocal) {
  std::vector<std::int64_t> counts(index_of(grid.nodes(), {grid.nodes()[0], 0, 0}));
  counts[index_of(grid.nodes(), node_of(grid, transport.rank()))] = nlocal;
  transport.all_reduce_sum(View<std::int64_t>(counts));
  return counts;
}

double mean_of(const std::vector<std::int64_t>& counts) {
  return static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::int64_t{0})) /
         static_cast<double>(counts.size());
}

std::int64_t total_work(View<const Vec4> work) {
  std::int64_t total = 0;
  for (const Vec4& w : work) total += std::llround(w.x);
  return total;
}

/// Faces of nodes between an atom and the node of its place.
int hops_of(const DomainGrid& grid, const Triple& node, Vec3 position) {
  const Triple home = node_of(grid, grid.owner(position));
  return std::abs(home[0] - node[0]) + std::abs(home[1] - node[1]) + std::abs(home[2] - node[2]);
}

/// Carries out one step of the plan between nodes.
class Step {
 public:
  Step(const DomainGrid& grid, Transport& transport, Transport& team, const BalanceStep& step, Atoms& atoms)
      : grid_(grid), transport_(transport), team_(team), step_(step), atoms_(atoms) {}

  void take(Array<Vec4>& work) {
    const auto axis = static_cast<std::size_t>(step_.axis);
    const Triple node = node_of(grid_, transport_.rank());
    Triple below = node;
    --below[axis];
    const std::int64_t up = step_.up[index_of(grid_.nodes(), node)];
    const std::int64_t from_below = below[axis] < 0 ? 0 : step_.up[index_of(grid_.nodes(), below)];
    destination_.assign(static_cast<std::size_t>(atoms_.nlocal), transport_.rank());
    if (up > 0) choose(up, 1);
    if (from_below < 0) choose(-from_below, -1);
    move_atoms(transport_, destination_, atoms_, {&work});
  }

 private:
  /// Collective over the node: of its atoms with the fewest hops the n nearest the upper (+1) or lower (−1)
  /// face go to the node beyond, wherever there; the cuts inside that node will deal them.
  void choose(std::int64_t n, int direction) {
    const Triple node = node_of(grid_, transport_.rank());
    KeyedItems items;
    std::vector<std::size_t> row;
    for (std::size_t i = 0; i < destination_.size(); ++i) {
      if (destination_[i] != transport_.rank()) continue;
      const Vec3 x = xyz(atoms_.position[i]);
      constexpr int bits = k_place_bits - k_hop_bits;
      const std::uint64_t place = place_key(grid_.frame(), step_.axis, x, bits);
      const std::uint64_t distance = direction < 0 ? place : (std::uint64_t{1} << bits) - 1 - place;
      const auto hops = static_cast<std::uint64_t>(std::min(hops_of(grid_, node, x), k_most_hops));
      items.key.push_back(with_id((hops << bits) + distance, atoms_.id[i]));
      row.push_back(i);
    }
    items.group.assign(row.size(), 0);
    items.weight.assign(row.size(), 1);
    const std::uint64_t cut = find_cuts(team_, items, {{0, n}})[0];
    Triple beyond = grid_.place(transport_.rank());
    beyond[static_cast<std::size_t>(step_.axis)] += direction * inner_of(grid_)[step_.axis];
    for (std::size_t k = 0; k < row.size(); ++k)
      if (items.key[k] < cut) destination_[row[k]] = grid_.rank_at(beyond);
  }

  const DomainGrid& grid_;
  Transport& transport_;
  Transport& team_;
  const BalanceStep& step_;
  Atoms& atoms_;
  std::vector<int> destination_;
};

/// Sum of consecutive shares; equal ones where none are given.
double sum_of_shares(View<const double> share, std::size_t first, std::size_t last, int members) {
  if (share.empty()) return static_cast<double>(last - first) / members;
  double sum = 0;
  for (std::size_t k = first; k < last; ++k) sum += share[k];
  return sum;
}

/// How much each group's lower parts should weigh: parts − 1 cuts per group.
/// \param total (groups) what they weigh; \param members of one part
std::vector<CutGoal> goals_of(const std::vector<std::int64_t>& total, std::size_t parts, std::size_t members,
                              View<const double> share, int all_members) {
  std::vector<CutGoal> goals;
  for (std::size_t g = 0; g < total.size(); ++g) {
    const std::size_t first = g * parts * members;
    const double whole = sum_of_shares(share, first, first + parts * members, all_members);
    for (std::size_t p = 1; p < parts; ++p) {
      const double below = sum_of_shares(share, first, first + p * members, all_members);
      const double ratio = whole > 0 ? below / whole : 0;
      goals.push_back({static_cast<std::int32_t>(g), std::llround(ratio * static_cast<double>(total[g]))});
    }
  }
  return goals;
}

/// The part of its group that an item lies in, numbered through all groups. \param cuts (groups, parts − 1)
void take_parts(const std::vector<std::uint64_t>& cuts, std::size_t parts, KeyedItems& items) {
  for (std::size_t i = 0; i < items.key.size(); ++i) {
    const auto g = static_cast<std::size_t>(items.group[i]);
    const auto first = cuts.begin() + static_cast<std::ptrdiff_t>(g * (parts - 1));
    const auto part = std::upper_bound(first, first + static_cast<std::ptrdiff_t>(parts - 1), items.key[i]);
    items.group[i] = static_cast<std::int32_t>(g * parts + static_cast<std::size_t>(part - first));
  }
}

/// Collective over a node: which of its ranks works on each atom, numbered c fastest. First slabs along a,
/// then columns of each along b, then along c.
std::vector<std::int32_t> cut_among_members(const DomainGrid& grid, Transport& team, View<const double> share,
                                            const Atoms& atoms, View<const Vec4> work) {
  const Triple inner = inner_of(grid);
  const auto n = static_cast<std::size_t>(atoms.nlocal);
  KeyedItems items{std::vector<std::uint64_t>(n), std::vector<std::int32_t>(n), {}};
  for (std::size_t i = 0; i < n; ++i) items.weight.push_back(std::llround(work[i].x));
  std::size_t groups = 1, members = static_cast<std::size_t>(team.size());
  for (int axis = 0; axis < 3; ++axis) {
    const auto parts = static_cast<std::size_t>(inner[axis]);
    if (parts == 1) continue;
    std::vector<std::int64_t> total(groups);
    for (std::size_t i = 0; i < n; ++i) {
      const std::uint64_t place = place_key(grid.frame(), axis, xyz(atoms.position[i]), k_place_bits);
      items.key[i] = with_id(place, atoms.id[i]);
      total[static_cast<std::size_t>(items.group[i])] += items.weight[i];
    }
    team.all_reduce_sum(View<std::int64_t>(total));
    members /= parts;
    take_parts(find_cuts(team, items, goals_of(total, parts, members, share, team.size())), parts, items);
    groups *= parts;
  }
  return std::move(items.group);
}

/// Collective over all ranks: atoms go to the ranks of their node that they were cut to.
void deal_inside(const DomainGrid& grid, Transport& transport, Transport& team, View<const double> share,
                 Atoms& atoms, Array<Vec4>& work) {
  const Triple inner = inner_of(grid), node = node_of(grid, transport.rank());
  const auto member = cut_among_members(grid, team, share, atoms, work);
  std::vector<int> destination;
  for (const std::int32_t m : member) {
    const Triple within{m / (inner[1] * inner[2]), m / inner[2] % inner[1], m % inner[2]};
    Triple place;
    for (int d = 0; d < 3; ++d) place[d] = node[d] * inner[d] + within[d];
    destination.push_back(grid.rank_at(place));
  }
  move_atoms(transport, destination, atoms, {&work});
}

}  // namespace

Lender::Lender(Transport& transport) : transport_(transport) {
  const auto& nodes = transport.node_of();
  std::vector<int> ranks(static_cast<std::size_t>(*std::max_element(nodes.begin(), nodes.end()) + 1));
  for (const int node : nodes) ++ranks[static_cast<std::size_t>(node)];
  const bool even = std::all_of(ranks.begin(), ranks.end(), [&](int n) { return n == ranks[0]; });
  team_ = transport.split(even ? nodes[static_cast<std::size_t>(transport.rank())] : transport.rank());
}

double Lender::unevenness(const DomainGrid& grid, View<const double> share, View<const Vec4> work) const {
  const auto counts = count_atoms(grid, transport_, static_cast<std::int64_t>(work.size()));
  const double mean = mean_of(counts);
  if (mean == 0) return 0;
  const auto most = static_cast<double>(*std::max_element(counts.begin(), counts.end()));
  const std::int64_t own = total_work(work);
  std::int64_t all = own;
  team_->all_reduce_sum(View<std::int64_t>(&all, 1));
  const auto me = static_cast<std::size_t>(team_->rank());
  const double goal = static_cast<double>(all) * sum_of_shares(share, me, me + 1, team_->size());
  const double of_equal = static_cast<double>(all) / team_->size();
  std::array<double, 1> beyond{all > 0 ? (static_cast<double>(own) - goal) / of_equal : 0};
  transport_.all_reduce_max(View<double>(beyond.data(), 1));
  return std::max({0.0, most / mean - 1, beyond[0]});
}

Lending Lender::lend(DomainGrid& grid, double tolerance, View<const double> share, Atoms& atoms,
                     Array<Vec4>& work) const {
  Lending lending;
  lending.before = lending.after = unevenness(grid, share, work);
  if (lending.before < tolerance || lending.before == 0) return lending;
  const auto counts = count_atoms(grid, transport_, atoms.nlocal);
  const BalancePlan plan = plan_balance(grid.nodes(), {false, false, false}, counts);
  for (const BalanceStep& step : plan.steps) Step(grid, transport_, *team_, step, atoms).take(work);
  if (team_->size() > 1) deal_inside(grid, transport_, *team_, share, atoms, work);
  const View<const Vec4> local(atoms.position.data(), static_cast<std::size_t>(atoms.nlocal));
  grid.span(local, transport_);
  for (const Vec4& x : local) lending.moved += grid.owner(xyz(x)) != transport_.rank();
  transport_.all_reduce_sum(View<std::int64_t>(&lending.moved, 1));
  lending.after = unevenness(grid, share, work);
  return lending;
}

}  // namespace nanoday
