// Which part of the box each rank owns: the choice of a grid, and who owns a place.
// SPDX-License-Identifier: Apache-2.0
#include "domain_grid.hpp"

#include "core/error.hpp"
#include "transport.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace nanoday {
namespace {

using Triple = std::array<int, 3>;
constexpr double k_infinity = std::numeric_limits<double>::infinity();

std::array<double, 3> components(Vec3 v) { return {v.x, v.y, v.z}; }

std::vector<int> divisors(int n) {
  std::vector<int> small, large;
  for (int d = 1; d <= n / d; ++d) {
    if (n % d != 0) continue;
    small.push_back(d);
    if (d != n / d) large.push_back(n / d);
  }
  small.insert(small.end(), large.rbegin(), large.rend());
  return small;
}

/// Every grid of n blocks.
std::vector<Triple> grids_of(int n) {
  std::vector<Triple> grids;
  for (const int a : divisors(n))
    for (const int b : divisors(n / a)) grids.push_back({a, b, n / a / b});
  return grids;
}

/// Area of a cross section of the frame along each axis [Å²].
std::array<double, 3> cross_sections(const DomainFrame& frame) {
  std::array<Vec3, 3> edge;
  for (int d = 0; d < 3; ++d) edge[d] = (frame.high[d] - frame.low[d]) * frame.box.cell[d];
  return {norm(cross(edge[1], edge[2])), norm(cross(edge[2], edge[0])), norm(cross(edge[0], edge[1]))};
}

/// What a grid costs: first the area between its blocks, then all of their surface (with what repeats onto
/// the same block), so that among equals the more cubic one wins.
struct Cost {
  double between = 0, surface = 0;
};

Cost cost_of(const DomainFrame& frame, const Triple& grid) {
  const auto area = cross_sections(frame);
  Cost cost;
  for (int d = 0; d < 3; ++d) {
    cost.surface += area[d] * grid[d];
    if (grid[d] > 1) cost.between += area[d] * (frame.box.periodic[d] ? grid[d] : grid[d] - 1);
  }
  return cost;
}

/// Rounding must not decide between grids that are equal by symmetry.
bool cheaper(const Cost& a, const Cost& b) {
  const auto less = [](double x, double y) { return x < y - 1e-9 * y; };
  return less(a.between, b.between) || (!less(b.between, a.between) && less(a.surface, b.surface));
}

/// The cheapest way to cut every block of `nodes` into n.
Triple cheapest_grid(const DomainFrame& frame, const Triple& nodes, int n) {
  Triple best{};
  Cost lowest{k_infinity, k_infinity};
  for (const Triple& inner : grids_of(n)) {
    const Triple grid{nodes[0] * inner[0], nodes[1] * inner[1], nodes[2] * inner[2]};
    const Cost cost = cost_of(frame, grid);
    if (best[0] != 0 && !cheaper(cost, lowest)) continue;
    best = grid;
    lowest = cost;
  }
  return best;
}

/// Place of the k-th block of a grid, c fastest.
Triple place_in(const Triple& grid, int k) {
  return {k / (grid[1] * grid[2]), k / grid[2] % grid[1], k % grid[2]};
}

/// Ranks of every node, in ascending order.
std::vector<std::vector<int>> members_of(const std::vector<int>& node_of) {
  std::vector<std::vector<int>> members(
      static_cast<std::size_t>(*std::max_element(node_of.begin(), node_of.end()) + 1));
  for (std::size_t r = 0; r < node_of.size(); ++r)
    members[static_cast<std::size_t>(node_of[r])].push_back(static_cast<int>(r));
  return members;
}

std::vector<double> even_cuts(double low, double high, int n) {
  std::vector<double> cuts;
  for (int k = 0; k <= n; ++k) cuts.push_back(low + (high - low) * (double(k) / n));
  return cuts;
}

/// Extent of all ranks' atoms along one direction that does not repeat; 0 … 1 when there are none.
void measure_extent(DomainFrame& frame, View<const Vec4> position, Transport& transport) {
  std::array<double, 6> reach;  // −low and high of each direction
  reach.fill(-k_infinity);
  for (const Vec4& x : position) {
    const auto f = components(frame.box.fractional(xyz(x)));
    for (int d = 0; d < 3; ++d) {
      reach[d] = std::max(reach[d], -f[d]);
      reach[3 + d] = std::max(reach[3 + d], f[d]);
    }
  }
  transport.all_reduce_max(View<double>(reach.data(), reach.size()));
  for (int d = 0; d < 3; ++d)
    if (!frame.box.periodic[d] && reach[d] > -k_infinity) {
      frame.low[d] = -reach[d];
      frame.high[d] = reach[3 + d];
    }
}

}  // namespace

DomainFrame domain_frame(const Box& box, View<const Vec4> local_position, Transport& transport) {
  require(box.is_open() || box.volume() > 0,
          "the periodic box has zero volume (its three cell vectors lie in a plane); give a box "
          "with three independent cell vectors");
  DomainFrame frame{box, {0, 0, 0}, {1, 1, 1}};
  if (box.is_open()) {
    frame.box = Box::orthorhombic(1, 1, 1);
    frame.box.periodic = {false, false, false};
  }
  const auto& repeats = frame.box.periodic;
  if (!repeats[0] || !repeats[1] || !repeats[2]) measure_extent(frame, local_position, transport);
  return frame;
}

DomainGrid::DomainGrid(const DomainFrame& frame, const std::vector<int>& node_of) : frame_(frame) {
  auto members = members_of(node_of);
  const bool even = std::all_of(members.begin(), members.end(),
                                [&](const auto& m) { return m.size() == members.front().size(); });
  if (!even) {
    members.clear();
    for (std::size_t r = 0; r < node_of.size(); ++r) members.push_back({static_cast<int>(r)});
  }
  const int n_inner = static_cast<int>(members.front().size());
  nodes_ = cheapest_grid(frame_, {1, 1, 1}, static_cast<int>(members.size()));
  shape_ = cheapest_grid(frame_, nodes_, n_inner);
  for (int d = 0; d < 3; ++d) {
    cuts_[d] = even_cuts(frame_.low[d], frame_.high[d], shape_[d]);
    for (int k = 0; k < shape_[d]; ++k) extents_[d].push_back({cuts_[d][k], cuts_[d][k + 1]});
  }
  const Triple inner{shape_[0] / nodes_[0], shape_[1] / nodes_[1], shape_[2] / nodes_[2]};
  place_.resize(node_of.size());
  rank_.resize(node_of.size());
  for (std::size_t node = 0; node < members.size(); ++node)
    for (int k = 0; k < n_inner; ++k) {
      const Triple outside = place_in(nodes_, static_cast<int>(node)), inside = place_in(inner, k);
      const int rank = members[node][static_cast<std::size_t>(k)];
      Triple& place = place_[static_cast<std::size_t>(rank)];
      for (int d = 0; d < 3; ++d) place[d] = outside[d] * inner[d] + inside[d];
      rank_[(static_cast<std::size_t>(place[0]) * shape_[1] + place[1]) * shape_[2] + place[2]] = rank;
    }
}

int DomainGrid::rank_at(Triple place) const {
  return rank_[(static_cast<std::size_t>(place[0]) * shape_[1] + place[1]) * shape_[2] + place[2]];
}

int DomainGrid::owner(Vec3 position) const {
  const auto f = components(frame_.box.fractional(position));
  Triple place;
  for (int d = 0; d < 3; ++d) {
    // The outermost cuts bound nothing: beyond them there is no other domain.
    const auto first = cuts_[d].begin() + 1, last = cuts_[d].end() - 1;
    place[d] = static_cast<int>(std::upper_bound(first, last, f[d]) - first);
  }
  return rank_at(place);
}

void DomainGrid::span(View<const Vec4> local_position, Transport& transport) {
  const Triple mine = place(transport.rank());
  std::array<std::vector<double>, 3> beyond;  // (2 shape) −low and high of every block
  for (int d = 0; d < 3; ++d)
    for (const auto& extent : extents_[d]) beyond[d].insert(beyond[d].end(), {-extent.low, extent.high});
  for (const Vec4& x : local_position) {
    const auto f = components(frame_.box.fractional(xyz(x)));
    for (int d = 0; d < 3; ++d) {
      double* const block = beyond[d].data() + 2 * mine[d];
      block[0] = std::max(block[0], -f[d]);
      block[1] = std::max(block[1], f[d]);
    }
  }
  for (int d = 0; d < 3; ++d) {
    transport.all_reduce_max(View<double>(beyond[d]));
    for (std::size_t k = 0; k < extents_[d].size(); ++k)
      extents_[d][k] = {-beyond[d][2 * k], beyond[d][2 * k + 1]};
  }
}

DomainGrid::Region DomainGrid::region_of(Triple begin, Triple end) const {
  Region region;
  for (int d = 0; d < 3; ++d) {
    const bool open = !frame_.box.periodic[d];
    region.low[d] = open && begin[d] == 0 ? -k_infinity : cuts_[d][static_cast<std::size_t>(begin[d])];
    region.high[d] = open && end[d] == shape_[d] ? k_infinity : cuts_[d][static_cast<std::size_t>(end[d])];
  }
  return region;
}

DomainGrid::Region DomainGrid::region(int rank) const {
  const Triple p = place(rank);
  return region_of(p, {p[0] + 1, p[1] + 1, p[2] + 1});
}

DomainGrid::Region DomainGrid::node_region(int rank) const {
  Triple begin = place(rank), end{};
  for (int d = 0; d < 3; ++d) {
    const int inner = shape_[d] / nodes_[d];
    begin[d] -= begin[d] % inner;
    end[d] = begin[d] + inner;
  }
  return region_of(begin, end);
}

}  // namespace nanoday
