// From list candidates to environment-matrix rows: filter by distance, switch, table coordinate.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/embedding_net.hpp"
#include "cpu/kernels/filter.hpp"
#include "cpu/kernels/kernel_set.hpp"
#include "cpu/kernels/simd.hpp"

namespace nanoday::cpu::NANODAY_ISA {

inline constexpr int k_segment_align = 16;  ///< multiple of every vector width

/// Unused entries sit at the cutoff, like padding: inside every table, and their results are never read.
template <class Real>
NANODAY_INLINE void pad_segment(NeighborBlock<Real>& n, std::int64_t first, int count, double rcut) {
  for (std::int64_t k = first + count; k % k_segment_align != 0; ++k) {
    n.dx[k] = rcut;
    n.dy[k] = n.dz[k] = 0;
    n.r2[k - first] = rcut * rcut;
  }
}

/// Table piece and coordinate inside it (spec 3) of k_lanes neighbors; lanes outside get some piece.
template <class Real>
NANODAY_INLINE void locate(const PackedTable<Real>& table, Vec<double> s, const Real** piece, Real* t) {
  using V = Vec<double>;
  const V zero{}, fine_last = broadcast(table.n_first - 1.0);
  V a = (s - table.lower) * table.inverse0;
  a = a > zero ? a : zero;
  a = a < fine_last ? a : fine_last;
  V row = __builtin_convertvector(__builtin_convertvector(a, IntVec<double>), V);
  V u = s - (row * table.stride0 + table.lower);
  if (table.max > table.upper) {  // second, coarse segment of compressed models
    const V coarse_last = broadcast(table.n_pieces - table.n_first - 1.0), upper = broadcast(table.upper);
    V c = (s - table.upper) * table.inverse1;
    c = c > zero ? c : zero;
    c = c < coarse_last ? c : coarse_last;
    c = __builtin_convertvector(__builtin_convertvector(c, IntVec<double>), V);
    u = s < upper ? u : s - (c * table.stride1 + table.upper);
    row = s < upper ? row : c + static_cast<double>(table.n_first);
  }
  const double piece_bytes = 6.0 * table.columns * sizeof(Real);
  const IntVec<double> address = __builtin_convertvector(row * piece_bytes, IntVec<double>) +
                                 reinterpret_cast<std::int64_t>(table.coefficients.data());
  static_assert(sizeof(void*) == sizeof(std::int64_t));
  std::memcpy(piece, &address, sizeof address);
  store_as(t, u);
}

/// Rows, derivative scalars and table coordinate of one segment. Returns true when a neighbor lies outside
/// the table (a NaN counts as outside).
template <class Real>
bool environment_rows(const PackedModel<Real>& model, const PackedCentre<Real>& centre,
                      const PackedTable<Real>& table, NeighborBlock<Real>& n, std::int64_t first, int count) {
  using V = Vec<double>;
  constexpr int lanes = k_lanes<double>;
  const V zero{}, one = broadcast(1.0), lower = broadcast(table.lower), max = broadcast(table.max);
  const bool tabulated = !table.coefficients.empty();
  IntVec<double> inside = ~IntVec<double>{};
  for (std::int64_t k = first; k < first + count; k += lanes) {
    const V x = load(&n.dx[k]), y = load(&n.dy[k]), z = load(&n.dz[k]), r2 = load(&n.r2[k - first]);
    const V i = inverse_square_root(r2);
    V u = (r2 * i - model.rcut_smth) * model.inverse_width;
    u = u < zero ? zero : u;
    u = u > one ? one : u;
    const V p = u * (u * -6.0 + 15.0) - 10.0, u2 = u * u;
    const V w = u2 * u * p + 1.0;
    const V slope = (u2 * p * 3.0 + u2 * u * (15.0 - u * 12.0)) * model.inverse_width;
    const V i2 = i * i, iso = w * i2;
    store(&n.radial[k], (slope - w * i) * i2);
    store(&n.angular[k], (slope - w * i * 2.0) * i2 * i);
    store(&n.isotropic[k], iso);
    const V s = (w * i - centre.avg[0]) * centre.inverse_std[0];
    store_as(&n.row[0][k], s);
    store_as(&n.row[1][k], (iso * x - centre.avg[1]) * centre.inverse_std[1]);
    store_as(&n.row[2][k], (iso * y - centre.avg[2]) * centre.inverse_std[2]);
    store_as(&n.row[3][k], (iso * z - centre.avg[3]) * centre.inverse_std[3]);
    store(&n.s[k - first], s);  // in double, for neighbors outside the table
    if (!tabulated) continue;
    inside &= (s >= lower) & (s < max);
    locate(table, s, &n.piece[k], &n.t[k]);
  }
  bool all = tabulated || count == 0;
  for (int l = 0; l < lanes; ++l) all &= inside[l] != 0;
  return !all;
}

/// Counts neighbors outside the table and remembers the first atom and the smallest distance.
template <class Real>
void count_outside(const PackedTable<Real>& table, const NeighborBlock<Real>& n, std::int64_t first,
                   int count, std::int32_t atom, BatchCounts& counts) {
  for (std::int64_t k = first; k < first + count; ++k) {
    const double s = n.s[k - first];
    if (s >= table.lower && s < table.max) continue;
    ++counts.outside_table;
    if (counts.first_outside_atom < 0) counts.first_outside_atom = atom;
    const double r = __builtin_sqrt(n.r2[k - first]);
    if (counts.smallest_distance == 0 || r < counts.smallest_distance) counts.smallest_distance = r;
  }
}

/// Builds the neighbor segments of one atom. Returns false when the atom must go to the exact plan.
template <class Real>
bool build_environment(const PackedModel<Real>& model, const BatchArgs& args, int slot, std::int64_t& used,
                       Workspace<Real>& ws, BatchCounts& counts) {
  NeighborBlock<Real>& n = ws.neighbors;
  const PackedCentre<Real>& centre = model.centres[args.centre_type];
  const std::int32_t atom = ws.atoms[slot];
  const std::int64_t start = used;
  const bool lowrank = model.plan->table == TableKind::lowrank;
  bool overflow = false;
  for (int type = 0; type < model.n_types; ++type) {
    const std::int64_t segment = static_cast<std::int64_t>(atom) * model.n_types + type;
    const std::int64_t begin = args.offset[segment], end = args.offset[segment + 1];
    const int k = slot * model.n_types + type;
    n.first[k] = used;
    n.count[k] = 0;
    n.reserve(used + (end - begin) + k_segment_align);
    n.reserve_segment(end - begin + k_segment_align);
    int count = filter(args, args.position[atom], begin, end, model.rcut2, n, used);
    if (count > centre.sel[type]) {
      keep_nearest(args.position, args.position[atom], centre.sel[type], used, count, ws);
      count = centre.sel[type];
      overflow = true;
    }
    if (centre.table[type] < 0) continue;
    n.count[k] = count;
    pad_segment(n, used, count, model.rcut);
    const PackedTable<Real>& table = model.tables[centre.table[type]];
    if (environment_rows(model, centre, table, n, used, count)) {
      if (!table.coefficients.empty()) count_outside(table, n, used, count, atom, counts);
      if (lowrank) {
        used = start;
        ws.hand_over(atom);
        counts.sel_overflow += overflow;
        return false;
      }
      continue_table(table, n, used, count, ws.special);
    }
    used += (count + k_segment_align - 1) / k_segment_align * k_segment_align;
  }
  counts.sel_overflow += overflow;
  return true;
}

}  // namespace nanoday::cpu::NANODAY_ISA
