// From ∂E/∂a to forces and virials of every neighbor pair: one warp per atom, lanes over its neighbors.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/descriptor.hpp"

#include "atoms/forces.hpp"
#include "cuda/embedding_net.hpp"
#include "cuda/environment.hpp"

namespace nanoday::NANODAY_GPU {
namespace {

/// Largest force of a pair on an axis that is booked [eV/Å]; 128 such pairs still fit 2^63.
inline constexpr double k_force_limit = 4096.0;

NANODAY_DEVICE std::int64_t to_fixed(double x) { return std::llrint(x * k_fixed_point_scale); }

/// One neighbor, in the lane that has it.
struct Pair {
  std::int32_t neighbor = -1;  ///< −1: this lane has none
  std::int32_t receiver = -1;  ///< whose row its force goes to
  Vec3 d;                      ///< r_j − r_i [Å]
  EnvironmentRow raw = {};
};

/// What a centre receives from its neighbors, a share per lane; integers, so that order does not matter.
template <bool Virial>
struct CentreSums {
  std::int64_t force[3] = {};
  std::int64_t virial[Virial ? 9 : 1] = {};
  bool fits = true;
};

/// Net: nets may be asked; without, fewer registers are needed and more warps hide each other's waits.
template <class Real, bool Virial, bool Net>
struct DescriptorBackward : DescriptorRows<Real> {
  static constexpr const char* k_name = Net ? "descriptor_backward_net" : "descriptor_backward";
  static constexpr int k_max_threads = k_warp * k_block_warps;
  static constexpr int k_min_blocks = Net || Virial ? 3 : sizeof(Real) == 8 ? 4 : 5;  // most without spills
  using Rows = DescriptorRows<Real>;
  using Rows::memory;
  using Rows::model;
  using Rows::tiles;
  GradientOutput out;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t row = this->row(block);
    const std::int32_t index = this->tile_index(row);
    if (index >= this->last_tile) return;
    const Tile tile = tiles.tile[index];
    const int r = static_cast<int>(row % k_tile_rows);
    const std::int32_t atom = tiles.atom[tile.row + r];
    if (atom < 0) return;
    if (index < tiles.n_tiles && tiles.taken != nullptr && tiles.taken[tile.row + r] != 0) return;
    const GroupView<Real>& group = model.groups[tile.group];
    load_gradient(block, this->a + tile.a + static_cast<std::int64_t>(r) * 4 * group.n_columns,
                  group.n_columns);
    std::int32_t* kept = this->template own<std::int32_t>(block, memory.kept);
    CentreSums<Virial> sums;
    bool overflow = false;
    for (int type = 0; type < model.n_types; ++type) {
      if (group.table[type] < 0) continue;
      const Segment segment = this->segment(atom, type);
      const int count = choose_neighbors(block, segment, group.sel[type], kept, overflow);
      for (int first = 0; first < count; first += k_warp) {
        const int k = first + block.lane();
        add_neighbors(block, group, type, segment, k < count ? kept[k] : -1, sums);
      }
      block.sync_warp();  // kept is about to be overwritten
    }
    add_centre(block, atom, sums);
  }

 private:
  /// ∂E/∂a of the row into shared memory, column by column, divided by N.
  NANODAY_DEVICE void load_gradient(Block& block, const Real* da, int columns) const {
    Four<Real>* to = this->template own<Four<Real>>(block, memory.columns);
    const Real scale = static_cast<Real>(model.inverse_normaliser);
    for (int c = 0; c < 4; ++c)
      for (int m = block.lane(); m < columns; m += k_warp) to[m].v[c] = da[c * columns + m] * scale;
    block.sync_warp();
  }

  /// One neighbor per lane (−1: none): ∂E/∂R, then its force.
  NANODAY_DEVICE void add_neighbors(Block& block, const GroupView<Real>& group, int type,
                                    const Segment& segment, std::int32_t neighbor,
                                    CentreSums<Virial>& sums) const {
    const TableView<Real>& table = model.tables[group.table[type]];
    const Four<Real>* da = this->template own<Four<Real>>(block, memory.columns) + group.first_column[type];
    Pair pair;
    pair.neighbor = neighbor;
    TablePlace<Real> place;
    double s = 0;
    Four<Real> row = {};
    if (neighbor >= 0) {
      const bool ghost = out.ghost_owner != nullptr && neighbor >= out.nlocal;
      pair.receiver = ghost ? out.ghost_owner[neighbor - out.nlocal] : neighbor;
      pair.d = xyz(this->position[neighbor]) - xyz(segment.centre);
      pair.raw = this->environment(pair.d);
      double r[4];
      normalise(group, pair.raw, r);
      for (int c = 0; c < 4; ++c) row.v[c] = static_cast<Real>(r[c]);
      s = r[0];
      place = locate(table, s);
    }
    Four<Real> d_row = {};
    const unsigned outside = block.ballot(place.outside);
    const bool by_net = Net && place.outside && table.n_layers > 0;
    if (neighbor >= 0 && !by_net) {
      if (outside == 0)
        table_gradient<false>(table, place, row, da, d_row);
      else
        table_gradient<true>(table, place, row, da, d_row);
    }
    if constexpr (Net) net_gradient(block, table, table.n_layers > 0 ? outside : 0u, s, row, da, d_row);
    if (neighbor >= 0) book(pair_force(group, pair, d_row), pair, sums);
  }

  /// ∂E/∂R of one neighbor from the columns of its type; ∂E/∂R_0 includes the slope of the table, since s̃ is
  /// R_0. Beyond: the table may be continued.
  template <bool Beyond>
  NANODAY_DEVICE void table_gradient(const TableView<Real>& table, const TablePlace<Real>& place,
                                     const Four<Real>& row, const Four<Real>* da, Four<Real>& d_row) const {
    const Polynomial<Real>* piece = polynomial(table, place.piece, 0);
    for (int m = 0; m < table.columns; ++m) {
      const Polynomial<Real> p = piece[m];
      const Four<Real> g = da[m];
      Real b, slope;
      p.value_and_slope(place.t, b, slope);
      if constexpr (Beyond) b += slope * place.beyond;
      const Real db = g.v[0] * row.v[0] + g.v[1] * row.v[1] + g.v[2] * row.v[2] + g.v[3] * row.v[3];
      d_row.v[0] += g.v[0] * b + db * slope;
      for (int c = 1; c < 4; ++c) d_row.v[c] += g.v[c] * b;
    }
  }

  /// The same where the net is asked: the warp works for two lanes at a time, lanes over columns.
  NANODAY_DEVICE void net_gradient(Block& block, const TableView<Real>& table, unsigned asked, double s,
                                   const Four<Real>& row, const Four<Real>* da, Four<Real>& d_row) const {
    while (asked != 0) {
      const int k0 = std::countr_zero(asked);
      asked &= asked - 1;
      const bool two = asked != 0;
      const int k1 = two ? std::countr_zero(asked) : k0;
      asked &= two ? asked - 1 : 0u;
      const double s2[k_net_batch] = {block.shuffle(s, k0), block.shuffle(s, k1)};
      const EmbeddingValues g =
          embedding_net(block, table, s2, this->template own<double>(block, memory.net), memory.width);
      net_columns(block, table, k0, g.value, g.slope, row, da, d_row);
      if (two) net_columns(block, table, k1, g.value + memory.width, g.slope + memory.width, row, da, d_row);
    }
  }

  /// Sums over the columns of the neighbor that lane k has; the result goes to that lane.
  NANODAY_DEVICE void net_columns(Block& block, const TableView<Real>& table, int k, const double* value,
                                  const double* slope, const Four<Real>& row, const Four<Real>* da,
                                  Four<Real>& d_row) const {
    Four<Real> r, sum = {};
    for (int c = 0; c < 4; ++c) r.v[c] = block.shuffle(row.v[c], k);
    for (int m = block.lane(); m < table.columns; m += k_warp) {
      const Four<Real> g = da[m];
      const Real b = static_cast<Real>(value[m]);
      const Real db = g.v[0] * r.v[0] + g.v[1] * r.v[1] + g.v[2] * r.v[2] + g.v[3] * r.v[3];
      sum.v[0] += g.v[0] * b + db * static_cast<Real>(slope[m]);
      for (int c = 1; c < 4; ++c) sum.v[c] += g.v[c] * b;
    }
    for (int c = 0; c < 4; ++c) {
      const Real all = warp_sum(block, sum.v[c]);
      if (block.lane() == k) d_row.v[c] = all;
    }
  }

  /// g = ∂E_i/∂r_ij (spec 2.3, 2.7) [eV/Å].
  NANODAY_DEVICE Vec3 pair_force(const GroupView<Real>& group, const Pair& pair,
                                 const Four<Real>& d_row) const {
    double q[4];
    for (int c = 0; c < 4; ++c) q[c] = static_cast<double>(d_row.v[c]) * group.inverse_std[c];
    const double along =
        q[0] * pair.raw.radial + pair.raw.angular * (q[1] * pair.d.x + q[2] * pair.d.y + q[3] * pair.d.z);
    return along * pair.d + pair.raw.isotropic * Vec3{q[1], q[2], q[3]};
  }

  /// F_j −= g, W −= g ⊗ r at once; the centre's share waits in the sums.
  NANODAY_DEVICE void book(Vec3 force, const Pair& pair, CentreSums<Virial>& sums) const {
    const double g[3] = {force.x, force.y, force.z}, r[3] = {pair.d.x, pair.d.y, pair.d.z};
    bool fits = true;
    for (int c = 0; c < 3; ++c) fits = fits && g[c] < k_force_limit && g[c] > -k_force_limit;
    sums.fits = sums.fits && fits;
    if (!fits) return;
    for (int c = 0; c < 3; ++c) {
      const std::int64_t q = to_fixed(g[c]);
      atomic_add(&out.force[pair.receiver][c], -q);
      sums.force[c] += q;
    }
    if constexpr (Virial)
      for (int a = 0; a < 3; ++a)
        for (int b = 0; b < 3; ++b) {
          const std::int64_t w = to_fixed(g[a] * r[b]);
          sums.virial[3 * a + b] += w;
          if (out.atom_virial != nullptr) atomic_add(&out.atom_virial[pair.neighbor][3 * a + b], -w);
        }
  }

  /// F_i += Σ g, and the virial of the centre.
  NANODAY_DEVICE void add_centre(Block& block, std::int32_t atom, const CentreSums<Virial>& sums) const {
    for (int c = 0; c < 3; ++c) {
      const std::int64_t all = warp_sum(block, sums.force[c]);
      if (block.lane() == c) atomic_add(&out.force[atom][c], all);
    }
    if constexpr (Virial)
      for (int c = 0; c < 9; ++c) {
        const std::int64_t all = warp_sum(block, sums.virial[c]);
        if (block.lane() == c && out.virial.sum != nullptr) out.virial.add(atom, c, -all);
      }
    if (sums.fits) return;
    atomic_or(&this->report.counts->force_overflow, 1u);
    if (this->report.signals != nullptr) atomic_or(&this->report.signals->trouble, 1u);
  }
};

template <class Real>
void launch_backward(Stream& stream, const DescriptorRows<Real>& rows, const GradientOutput& out) {
  const Grid grid = warp_grid(rows.last_tile - rows.first_tile, rows.memory);
  const bool net = rows.memory.width > 0;
  if (out.virial.sum != nullptr || out.atom_virial != nullptr) {
    if (net)
      launch(stream, DescriptorBackward<Real, true, true>{rows, out}, grid);
    else
      launch(stream, DescriptorBackward<Real, true, false>{rows, out}, grid);
  } else {
    if (net)
      launch(stream, DescriptorBackward<Real, false, true>{rows, out}, grid);
    else
      launch(stream, DescriptorBackward<Real, false, false>{rows, out}, grid);
  }
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------

template <class Real>
void descriptor_backward(Stream& stream, const PackedModel<Real>& model, const TileView& tiles,
                         const PassBuffers<Real>& buffers, const Vec4* position, const ListView& list,
                         const GradientOutput& out, const PassReport& report) {
  DescriptorRows<Real> rows = descriptor_rows(model, tiles, buffers, position, list, report);
  rows.memory = warp_memory(model, Direction::backward, false);
  launch_backward(stream, rows, out);
  if (tiles.exact_tiles == 0) return;
  // Apart, since nets need registers and shared memory that the plan's own rows have better use for.
  rows.memory = warp_memory(model, Direction::backward, true);
  rows.first_tile = tiles.n_tiles;
  rows.last_tile = tiles.n_tiles + tiles.exact_tiles;
  launch_backward(stream, rows, out);
}

#define NANODAY_INSTANTIATE(Real)                                                           \
  template void descriptor_backward(Stream&, const PackedModel<Real>&, const TileView&,     \
                                    const PassBuffers<Real>&, const Vec4*, const ListView&, \
                                    const GradientOutput&, const PassReport&);
NANODAY_INSTANTIATE(double)
NANODAY_INSTANTIATE(float)

}  // namespace nanoday::NANODAY_GPU
