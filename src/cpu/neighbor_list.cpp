// Cell-list neighbor search and spatial sorting on the CPU.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/neighbor_list.hpp"

#include "core/error.hpp"
#include "cpu/first_touch.hpp"
#include "math/morton_code.hpp"

#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace nanoday::cpu {
namespace {

/// Axis-aligned cells over all atoms; atoms of a cell are consecutive in `order`, sorted by type inside it.
struct Cells {
  Vec3 low;
  std::array<int, 3> n{1, 1, 1};
  Vec3 inverse;
  std::vector<std::int64_t> begin;  ///< (cells · n_types + 1)
  std::vector<std::int32_t> order;  ///< (nall)
  Array<Vec4> position;             ///< (nall) in that order
};

std::array<int, 3> cell_of(const Cells& cells, const Vec4& x) {
  const auto at = [](double v, int n) { return std::clamp(static_cast<int>(v), 0, n - 1); };
  return {at((x.x - cells.low.x) * cells.inverse.x, cells.n[0]),
          at((x.y - cells.low.y) * cells.inverse.y, cells.n[1]),
          at((x.z - cells.low.z) * cells.inverse.z, cells.n[2])};
}

std::array<Vec3, 2> bounds(View<const Vec4> position) {
  Vec3 low{1e300, 1e300, 1e300}, high{-1e300, -1e300, -1e300};
  for (const Vec4& p : position) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y), std::min(low.z, p.z)};
    high = {std::max(high.x, p.x), std::max(high.y, p.y), std::max(high.z, p.z)};
  }
  return {low, high};
}

/// Cells of half the cutoff: few candidates are tested in vain, and 125 cells are visited per atom.
Cells make_cells(const NeighborArgs& args) {
  Cells cells;
  const auto [low, high] = bounds(args.position);
  cells.low = low;
  const double side = std::max(0.5 * args.cutoff, 1e-6);
  // Open systems may be sparse: never more cells than a few per atom.
  const double most = std::cbrt(8.0 * static_cast<double>(args.position.size()) + 64.0);
  const auto count = [&](double length) { return static_cast<int>(std::clamp(length / side, 1.0, most)); };
  cells.n = {count(high.x - low.x), count(high.y - low.y), count(high.z - low.z)};
  const auto inverse = [](double length, int n) { return length > 0 ? n / length : 0.0; };
  cells.inverse = {inverse(high.x - low.x, cells.n[0]), inverse(high.y - low.y, cells.n[1]),
                   inverse(high.z - low.z, cells.n[2])};
  const std::int64_t n_cells = static_cast<std::int64_t>(cells.n[0]) * cells.n[1] * cells.n[2];
  std::vector<std::int64_t> key(args.position.size());
  cells.begin.assign(n_cells * args.n_types + 1, 0);
  for (std::size_t i = 0; i < key.size(); ++i) {
    const auto c = cell_of(cells, args.position[i]);
    key[i] = ((static_cast<std::int64_t>(c[0]) * cells.n[1] + c[1]) * cells.n[2] + c[2]) * args.n_types +
             args.type[i];
    ++cells.begin[key[i] + 1];
  }
  std::partial_sum(cells.begin.begin(), cells.begin.end(), cells.begin.begin());
  cells.order.resize(key.size());
  std::vector<std::int64_t> next(cells.begin.begin(), cells.begin.end() - 1);
  for (std::size_t i = 0; i < key.size(); ++i) cells.order[next[key[i]]++] = static_cast<std::int32_t>(i);
  for (const std::int32_t i : cells.order) cells.position.push_back(args.position[i]);
  return cells;
}

/// Neighbors of one atom with one type, appended to out.
void collect(const NeighborArgs& args, const Cells& cells, std::int64_t i, int type,
             std::vector<std::int32_t>& out) {
  const Vec4 centre = args.position[i];
  const double reach2 = args.cutoff * args.cutoff;
  const auto c = cell_of(cells, centre);
  const auto span = [&](double width_inverse) {
    return static_cast<int>(std::ceil(args.cutoff * width_inverse));
  };
  const std::array<int, 3> s{span(cells.inverse.x), span(cells.inverse.y), span(cells.inverse.z)};
  for (int x = std::max(0, c[0] - s[0]); x <= std::min(cells.n[0] - 1, c[0] + s[0]); ++x)
    for (int y = std::max(0, c[1] - s[1]); y <= std::min(cells.n[1] - 1, c[1] + s[1]); ++y)
      for (int z = std::max(0, c[2] - s[2]); z <= std::min(cells.n[2] - 1, c[2] + s[2]); ++z) {
        const std::int64_t cell =
            ((static_cast<std::int64_t>(x) * cells.n[1] + y) * cells.n[2] + z) * args.n_types + type;
        const std::int64_t first = cells.begin[cell], count = cells.begin[cell + 1] - first;
        // Branch-free: every candidate is written, the end moves only past those that are near.
        std::size_t n = out.size();
        out.resize(n + static_cast<std::size_t>(count));
        for (std::int64_t k = first; k < first + count; ++k) {
          const Vec4& p = cells.position[k];
          const double dx = p.x - centre.x, dy = p.y - centre.y, dz = p.z - centre.z;
          const std::int32_t j = cells.order[k];
          out[n] = j;
          n += (dx * dx + dy * dy + dz * dz < reach2) & (j != i);
        }
        out.resize(n);
      }
}

void order_by_id(const NeighborArgs& args, std::vector<std::int32_t>& list, std::size_t first) {
  std::sort(list.begin() + static_cast<std::ptrdiff_t>(first), list.end(),
            [&](std::int32_t a, std::int32_t b) {
              const Vec4 &p = args.position[a], &q = args.position[b];
              return std::tie(args.id[a], p.x, p.y, p.z) < std::tie(args.id[b], q.x, q.y, q.z);
            });
}

}  // namespace

void build_neighbor_list(const NeighborArgs& args, bool by_id, int threads, NeighborList& list) {
  require_run(args.position.size() < 0x7fffffff,
              "{} atoms and ghosts on one rank (more than 2^31 - 1); use more ranks", args.position.size());
  list.n_types = args.n_types;
  list.cutoff = args.cutoff;
  list.offset.assign(static_cast<std::size_t>(args.nlocal * args.n_types + 1), 0);
  if (args.nlocal == 0) {
    list.index.assign(64, 0);
    return;
  }
  const Cells cells = make_cells(args);
  const auto first_of = [&](int t) { return args.nlocal * t / threads; };  // centre of thread t
  std::vector<std::vector<std::int32_t>> part(threads);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int me = 0; me < threads; ++me) {
    std::vector<std::int32_t>& mine = part[me];
    for (std::int64_t i = first_of(me); i < first_of(me + 1); ++i)
      for (int t = 0; t < args.n_types; ++t) {
        const std::size_t first = mine.size();
        collect(args, cells, i, t, mine);
        if (by_id) order_by_id(args, mine, first);
        list.offset[i * args.n_types + t + 1] = static_cast<std::int64_t>(mine.size() - first);
      }
  }
  std::partial_sum(list.offset.begin(), list.offset.end(), list.offset.begin());
  const std::size_t n = static_cast<std::size_t>(list.offset.back());
  const auto place_of = [&](int t) { return list.offset[first_of(t) * args.n_types]; };
  resize_shared(list.index, n + 64, threads, place_of);
  std::fill(list.index.begin() + static_cast<std::ptrdiff_t>(n), list.index.end(), 0);
#pragma omp parallel for num_threads(threads) schedule(static, 1)
  for (int me = 0; me < threads; ++me)
    std::copy(part[me].begin(), part[me].end(), list.index.begin() + place_of(me));
}

std::vector<std::int32_t> spatial_order(View<const Vec4> position, double cell) {
  const auto [low, high] = bounds(position);
  std::vector<std::pair<std::uint64_t, std::int32_t>> keys(position.size());
  for (std::size_t i = 0; i < position.size(); ++i) {
    const Vec4& p = position[i];
    const auto bin = [&](double v) {
      return static_cast<std::uint64_t>(std::clamp(v / cell, 0.0, k_last_cell));
    };
    keys[i] = {morton_code(bin(p.x - low.x), bin(p.y - low.y), bin(p.z - low.z)),
               static_cast<std::int32_t>(i)};
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::int32_t> order(keys.size());
  std::transform(keys.begin(), keys.end(), order.begin(), [](const auto& k) { return k.second; });
  return order;
}

}  // namespace nanoday::cpu
