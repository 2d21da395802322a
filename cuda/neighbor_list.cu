// Neighbor search in cells, and what it shares with sorting in space: bounds and orders.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/neighbor_list.hpp"

#include "cuda/rebuild.hpp"
#include "cuda/segment_sort.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace nanoday::NANODAY_GPU {
namespace {

/// Axis-aligned cells over all atoms. A slot holds the atoms of one replica, cell and type; the slots of one
/// type along z follow each other, so that a search reads whole columns.
struct CellGrid {
  Vec3 low, inverse;
  std::array<int, 3> n{1, 1, 1};
  int n_types = 1, n_replicas = 1;

  NANODAY_HD std::int64_t slots() const { return slot(n_replicas, 0, 0, 0, 0); }
  NANODAY_HD std::int64_t slot(int replica, int x, int y, int z, int type) const {
    return (((static_cast<std::int64_t>(replica) * n[0] + x) * n[1] + y) * n_types + type) * n[2] + z;
  }
  NANODAY_HD std::array<int, 3> cell_of(const Vec4& x) const {
    return {clamped((x.x - low.x) * inverse.x, n[0]), clamped((x.y - low.y) * inverse.y, n[1]),
            clamped((x.z - low.z) * inverse.z, n[2])};
  }
  static NANODAY_HD int clamped(double v, int n) {
    if (!(v > 0)) return 0;  // positions that are not numbers are somebody else's to find
    return v < n ? static_cast<int>(v) : n - 1;
  }
};

struct SlotKeys {
  static constexpr const char* k_name = "cell_keys";
  CellGrid grid;
  const Vec4* position;
  const std::int32_t* type;
  const std::int32_t* replica;  ///< null: one
  std::uint64_t* key;
  std::int32_t* order;
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global();
    if (i >= n) return;
    const auto c = grid.cell_of(position[i]);
    key[i] =
        static_cast<std::uint64_t>(grid.slot(replica == nullptr ? 0 : replica[i], c[0], c[1], c[2], type[i]));
    order[i] = static_cast<std::int32_t>(i);
  }
};

/// Positions in the order of slots, so that candidates of a column are read in whole lines; w carries the
/// index in memory (exact in a double).
struct Candidates {
  static constexpr const char* k_name = "cell_positions";
  const Vec4* position;
  const std::int32_t* order;
  Vec4* candidate;
  std::int64_t n;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t k = block.global();
    if (k >= n) return;
    const std::int32_t j = order[k];
    const Vec4 x = position[j];
    candidate[k] = {x.x, x.y, x.z, static_cast<double>(j)};
  }
};

/// begin[s] = first place in the sorted keys that is not below s; s = 0 … n_slots.
struct SlotBegins {
  static constexpr const char* k_name = "cell_begins";
  const std::uint64_t* key;
  std::int64_t* begin;
  std::int64_t n, n_slots;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t s = block.global();
    if (s > n_slots) return;
    std::int64_t low = 0, high = n;
    while (low < high) {
      const std::int64_t middle = (low + high) / 2;
      if (key[middle] < static_cast<std::uint64_t>(s))
        low = middle + 1;
      else
        high = middle;
    }
    begin[s] = low;
  }
};

/// Columns of cells around a centre: one per lane, 32 at a time.
struct Columns {
  int x0, y0, z0, z1, width, count;  ///< width: columns along y
};

/// A warp per atom: once to count, once to fill. The same code both times, with every rounding written out,
/// so that both times agree.
struct Search {
  static constexpr const char* k_name = "neighbor_search";
  CellGrid grid;
  std::array<int, 3> span;  ///< cells the cutoff reaches over
  double reach2;
  const Vec4* position;
  const std::int32_t* replica;  ///< null: one
  const Vec4* candidate;
  const std::int64_t* begin;
  std::int64_t* offset;  ///< counts, or where each (atom, type) begins
  std::int32_t* index;
  std::int64_t nlocal;
  bool fill;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t i = block.global() / k_warp;
    if (i >= nlocal) return;  // whole warps
    const Vec4 centre = position[i];
    const int home = replica == nullptr ? 0 : replica[i];
    const Columns around = columns(grid.cell_of(centre));
    for (int type = 0; type < grid.n_types; ++type) {
      const std::int64_t segment = i * grid.n_types + type;
      std::int64_t found = fill ? offset[segment] : 0;
      for (int first = 0; first < around.count; first += k_warp) {
        std::int32_t low = 0, high = 0;
        if (first + block.lane() < around.count) range(around, first + block.lane(), home, type, low, high);
        unsigned filled = block.ballot(low < high);
        for (; filled != 0; filled &= filled - 1) {
          const int lane = std::countr_zero(filled);
          found = visit(block, centre, i, block.shuffle(low, lane), block.shuffle(high, lane), found);
        }
      }
      if (!fill && block.lane() == 0) offset[segment] = found;
    }
  }

  NANODAY_DEVICE Columns columns(const std::array<int, 3>& c) const {
    std::array<int, 3> low{}, high{};
    for (int d = 0; d < 3; ++d) {
      low[d] = c[d] > span[d] ? c[d] - span[d] : 0;
      high[d] = c[d] + span[d] < grid.n[d] ? c[d] + span[d] : grid.n[d] - 1;
    }
    const int width = high[1] - low[1] + 1;
    return {low[0], low[1], low[2], high[2], width, (high[0] - low[0] + 1) * width};
  }

  /// Places of the candidates of one type in one column.
  NANODAY_DEVICE void range(const Columns& a, int column, int home, int type, std::int32_t& low,
                            std::int32_t& high) const {
    const std::int64_t slot = grid.slot(home, a.x0 + column / a.width, a.y0 + column % a.width, a.z0, type);
    low = static_cast<std::int32_t>(begin[slot]);
    high = static_cast<std::int32_t>(begin[slot + a.z1 - a.z0 + 1]);
  }

  /// Counts candidates low … high − 1 that are near, and writes them behind `found` others.
  NANODAY_DEVICE std::int64_t visit(Block& block, const Vec4& centre, std::int64_t i, std::int32_t low,
                                    std::int32_t high, std::int64_t found) const {
    for (std::int32_t first = low; first < high; first += k_warp) {
      bool near = false;
      Vec4 x;
      if (first + block.lane() < high) {
        x = candidate[first + block.lane()];
        const double dx = x.x - centre.x, dy = x.y - centre.y, dz = x.z - centre.z;
        near = std::fma(dz, dz, std::fma(dy, dy, dx * dx)) < reach2 && x.w != static_cast<double>(i);
      }
      const unsigned lanes = block.ballot(near);
      if (fill && near)
        index[found + std::popcount(lanes & ((1u << block.lane()) - 1))] = static_cast<std::int32_t>(x.w);
      found += std::popcount(lanes);
    }
    return found;
  }
};

/// Cells of half the cutoff: few candidates are tested in vain, and 25 columns are visited per atom. Sparse
/// systems get larger ones: never more slots than a few per atom.
CellGrid make_grid(const Bounds& bounds, int n_types, double cutoff, const DeviceAtoms& atoms) {
  CellGrid grid;
  grid.low = bounds.low;
  grid.n_types = n_types;
  grid.n_replicas = atoms.n_replicas;
  const double most = 4 * static_cast<double>(atoms.nall()) + 4096;
  const Vec3 size = bounds.high - bounds.low;
  const auto cells = [](double length, double side) { return std::clamp(length / side, 1.0, 2e9); };
  for (double side = std::max(0.5 * cutoff, 1e-6);; side *= 1.1) {
    const double x = std::floor(cells(size.x, side)), y = std::floor(cells(size.y, side)),
                 z = std::floor(cells(size.z, side));
    grid.n = {static_cast<int>(x), static_cast<int>(y), static_cast<int>(z)};
    if (x * y * z == 1 || x * y * z * n_types * atoms.n_replicas <= most) break;
  }
  const auto inverse = [](double length, int n) { return length > 0 ? n / length : 0.0; };
  grid.inverse = {inverse(size.x, grid.n[0]), inverse(size.y, grid.n[1]), inverse(size.z, grid.n[2])};
  return grid;
}

void sort_into_slots(Stream& stream, RebuildWork& work, const CellGrid& grid, const DeviceAtoms& atoms) {
  const std::int64_t n = atoms.nall(), n_slots = grid.slots();
  size_orders(work, n);
  launch(stream,
         SlotKeys{grid, atoms.position.data(), atoms.type.data(), replicas(atoms), work.key.data(),
                  work.order.data(), n},
         grid_for(n));
  sort_pairs(stream, work.scratch, work.key.data(), work.key_sorted.data(), work.order.data(),
             work.order_sorted.data(), n, std::bit_width(static_cast<std::uint64_t>(n_slots)));
  work.cell_begin.resize(n_slots + 1);
  launch(stream, SlotBegins{work.key_sorted.data(), work.cell_begin.data(), n, n_slots},
         grid_for(n_slots + 1));
  work.spare.resize(n * sizeof(Vec4));
  launch(stream,
         Candidates{atoms.position.data(), work.order_sorted.data(),
                    reinterpret_cast<Vec4*>(work.spare.data()), n},
         grid_for(n));
}

/// Reserves little more than needed: in large systems the list is most of all memory.
void size_index(DeviceArray<std::int32_t>& index, std::int64_t n) {
  if (static_cast<std::size_t>(n) > index.capacity()) {
    index = DeviceArray<std::int32_t>();  // gives the memory back before asking for more
    index.resize(n + n / 64 + 64);
  }
  index.resize(n);
}

}  // namespace

// ------------------------------------------------------------------------------------------------------

void build_list(Stream& stream, RebuildWork& work, int n_types, double cutoff, bool by_id,
                const DeviceAtoms& atoms, DeviceList& list) {
  check_index_range(atoms.nall());
  const std::int64_t segments = atoms.nlocal * n_types;
  list.n_types = n_types;
  list.offset.resize(segments + 1);
  if (atoms.nlocal == 0) {
    fill_zero(stream, list.offset.data(), sizeof(std::int64_t));
    return;
  }
  const CellGrid grid =
      make_grid(bounds_of(stream, work, atoms.position.data(), atoms.nall()), n_types, cutoff, atoms);
  sort_into_slots(stream, work, grid, atoms);
  const auto span = [&](double inverse) {
    return static_cast<int>(std::min(std::ceil(cutoff * inverse), 2e9));
  };
  Search search{grid,
                {span(grid.inverse.x), span(grid.inverse.y), span(grid.inverse.z)},
                cutoff * cutoff,
                atoms.position.data(),
                replicas(atoms),
                reinterpret_cast<const Vec4*>(work.spare.data()),
                work.cell_begin.data(),
                list.offset.data(),
                nullptr,
                atoms.nlocal,
                false};
  const Grid shape = grid_for(atoms.nlocal * k_warp, 128);
  launch(stream, search, shape);
  exclusive_sum(stream, work.scratch, list.offset.data(), list.offset.data(), segments);
  std::int64_t pairs = 0;
  copy_to_host(stream, &pairs, list.offset.data() + segments, sizeof(pairs));
  stream.synchronize();
  size_index(list.index, pairs);
  search.index = list.index.data();
  search.fill = true;
  launch(stream, search, shape);
  if (by_id) sort_segments(stream, atoms, segments, list.offset.data(), list.index.data());
}

}  // namespace nanoday::NANODAY_GPU
