// For tests of the nets on the device: plans of odd sizes, rows dealt out by hand, and what must come out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/dense.hpp"
#include "cuda/features.hpp"
#include "cuda/fitting.hpp"
#include "reference/compare.hpp"
#include "reference/plans.hpp"
#include "reference/toy_model.hpp"

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace nanoday::reference {

namespace gpu = nanoday::NANODAY_GPU;

inline Numbers random_numbers(std::size_t n, std::mt19937_64& random, double width = 1) {
  std::normal_distribution<double> normal(0, width);
  Numbers out(n);
  for (double& x : out) x = normal(random);
  return out;
}

/// A low-rank plan whose bases, rotation and pairs mean nothing but have the sizes asked for, nearly so for
/// every other table and type.
struct LowRankSizes {
  int rank = 5, n_rotated = 7, n_features = 21;
};
inline std::shared_ptr<const InferencePlan> lowrank_plan(std::shared_ptr<const Model> model,
                                                         LowRankSizes sizes = {},
                                                         Precision precision = Precision::fp64) {
  std::mt19937_64 random(11);
  LowRankChoice choice;
  for (int k = 0; k < model->pair_count(); ++k) {
    LowRankChoice::Basis basis{std::min(model->m1, sizes.rank + k % 2), {}, {}};
    basis.project = random_numbers(static_cast<std::size_t>(model->m1) * basis.rank, random, 0.4);
    basis.expand = random_numbers(basis.project.size(), random, 0.4);
    choice.basis.push_back(basis);
  }
  for (int t = 0; t < model->n_types(); ++t) {
    int columns = 0;
    for (int n = 0; n < model->n_types(); ++n)
      if (!model->is_excluded(t, n)) columns += choice.basis[model->pair_index(t, n)].rank;
    LowRankChoice::Centre centre;
    centre.n_rotated = std::min(sizes.n_rotated, columns);
    centre.rotation = random_numbers(static_cast<std::size_t>(columns) * centre.n_rotated, random, 0.4);
    centre.inverse = random_numbers(centre.rotation.size(), random, 0.4);
    const int wide = centre.n_rotated > 0 ? centre.n_rotated : columns;
    for (int f = 0; f < sizes.n_features - t; ++f) {  // in no order: the packed ones are sorted
      const int p = static_cast<int>(random() % wide), q = static_cast<int>(random() % wide);
      centre.pair_p.push_back(std::min(p, q));
      centre.pair_q.push_back(std::max(p, q));
    }
    centre.n_precise = sizes.n_features / 2;
    centre.n_single = static_cast<std::int32_t>(centre.pair_p.size());
    choice.centres.push_back(centre);
  }
  PlanOptions options;
  options.precision = precision;
  return make_lowrank_plan(std::move(model), options, std::move(choice));
}

/// a' = a·rotation, (4, R').
inline Numbers rotated(const CentrePlan& plan, const Numbers& a) {
  if (plan.n_rotated == 0) return a;
  Numbers out(static_cast<std::size_t>(4) * plan.n_rotated, 0.0);
  for (int c = 0; c < 4; ++c)
    for (int i = 0; i < plan.n_columns; ++i)
      for (int j = 0; j < plan.n_rotated; ++j)
        out[c * plan.n_rotated + j] += a[c * plan.n_columns + i] * plan.rotation[i * plan.n_rotated + j];
  return out;
}

/// S in the plan's own order.
inline Numbers features_of(const CentrePlan& plan, const Numbers& a) {
  const Numbers x = rotated(plan, a);
  const std::size_t n = x.size() / 4;
  Numbers s(plan.pair_p.size(), 0.0);
  for (std::size_t f = 0; f < s.size(); ++f)
    for (std::size_t c = 0; c < 4; ++c) s[f] += x[c * n + plan.pair_p[f]] * x[c * n + plan.pair_q[f]];
  return s;
}

/// ∂E/∂a from ∂E/∂S.
inline Numbers features_gradient(const CentrePlan& plan, const Numbers& a, const Numbers& ds) {
  const Numbers x = rotated(plan, a);
  const std::size_t n = x.size() / 4;
  Numbers dx(x.size(), 0.0);
  for (std::size_t f = 0; f < ds.size(); ++f)
    for (std::size_t c = 0; c < 4; ++c) {
      dx[c * n + plan.pair_p[f]] += ds[f] * x[c * n + plan.pair_q[f]];
      dx[c * n + plan.pair_q[f]] += ds[f] * x[c * n + plan.pair_p[f]];
    }
  if (plan.n_rotated == 0) return dx;
  Numbers da(a.size(), 0.0);
  for (int c = 0; c < 4; ++c)
    for (int i = 0; i < plan.n_columns; ++i)
      for (int j = 0; j < plan.n_rotated; ++j)
        da[c * plan.n_columns + i] += dx[c * plan.n_rotated + j] * plan.rotation[i * plan.n_rotated + j];
  return da;
}

/// x·W of one row, W (n_in, n_out).
inline Numbers times(const Numbers& x, const std::vector<double>& weight, std::size_t n_out) {
  Numbers z(n_out, 0.0);
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t o = 0; o < n_out; ++o) z[o] += x[i] * weight[i * n_out + o];
  return z;
}
/// W·y of one row.
inline Numbers times_transposed(const Numbers& y, const std::vector<double>& weight, std::size_t n_in) {
  Numbers x(n_in, 0.0);
  for (std::size_t i = 0; i < n_in; ++i)
    for (std::size_t o = 0; o < y.size(); ++o) x[i] += weight[i * y.size() + o] * y[o];
  return x;
}

/// What one row gives: energy models `energy`, dipole models `dipole`, and the gradient of either (with c).
struct RowResult {
  double energy = 0;
  Numbers dipole, gradient;
};

/// One row of centre type t by plain loops over the plan's and the model's own numbers.
inline RowResult reference_row(const InferencePlan& plan, int t, const Numbers& a, const Vec3& c) {
  const Model& model = *plan.model;
  const CentrePlan& centre = plan.centres[t];
  const FittingNet& net = model.fitting[t];
  std::vector<Numbers> h{features_of(centre, a)}, slope;
  const auto weight = [&](std::size_t l) { return l == 0 ? centre.weight : net.layers[l].weight; };
  const auto residual = [&](std::size_t l) { return l > 0 && net.layers[l].n_in == net.layers[l].n_out; };
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    const DenseLayer& layer = net.layers[l];
    Numbers z = times(h.back(), weight(l), static_cast<std::size_t>(layer.n_out)), s(z.size());
    for (std::size_t o = 0; o < z.size(); ++o) {
      const ActivationValue y = activate(net.activation, z[o] + (l == 0 ? centre.bias : layer.bias)[o]);
      const double dt = layer.idt.empty() ? 1 : layer.idt[o];
      z[o] = dt * y.value + (residual(l) ? h.back()[o] : 0);
      s[o] = dt * y.slope;
    }
    h.push_back(z);
    slope.push_back(s);
  }
  RowResult out;
  Numbers dh, direct(a.size(), 0.0);
  const std::size_t n = static_cast<std::size_t>(centre.n_columns);
  if (model.kind == ModelKind::energy) {
    out.energy = times(h.back(), net.output.weight, 1)[0] + net.output.bias[0] + model.bias_atom_e[t];
    out.energy = out.energy * model.out_std[t] + model.out_bias[t];
    for (const double w : net.output.weight) dh.push_back(w * model.out_std[t]);
  } else {
    Numbers y = times(h.back(), centre.output, n), dy(n, 0.0);
    const double cs[3] = {c.x, c.y, c.z};
    out.dipole.assign(3, 0.0);
    for (std::size_t p = 0; p < n; ++p) {
      y[p] += centre.output_bias[p];
      for (std::size_t k = 0; k < 3; ++k) {
        out.dipole[k] += y[p] * a[(1 + k) * n + p];
        dy[p] += cs[k] * a[(1 + k) * n + p];
        direct[(1 + k) * n + p] = cs[k] * y[p];
      }
    }
    dh = times_transposed(dy, centre.output, h.back().size());
  }
  for (std::size_t l = net.layers.size(); l-- > 0;) {
    Numbers dz(dh.size());
    for (std::size_t o = 0; o < dz.size(); ++o) dz[o] = dh[o] * slope[l][o];
    const Numbers before = dh;
    dh = times_transposed(dz, weight(l), h[l].size());
    for (std::size_t o = 0; residual(l) && o < dh.size(); ++o) dh[o] += before[o];
  }
  out.gradient = features_gradient(centre, a, dh);
  for (std::size_t k = 0; k < direct.size(); ++k) out.gradient[k] += direct[k];
  return out;
}

/// How rows are dealt out: how many of each group, and which stay empty.
struct RowDeal {
  std::vector<int> rows{70, 130};  ///< per type; every gap-th stays empty
  std::vector<int> exact{};        ///< per type, rows of the exact plan that are used
  int exact_tiles = 2;             ///< room per type where there is an exact plan
  int gap = 7;                     ///< 0: none stays empty
  int taken = 0;                   ///< every so many rows of the plan are taken over; 0: none
  unsigned seed = 5;
};

/// Rows with random a, in device memory, with buffers for a pass.
template <class Real>
class NetPass {
 public:
  NetPass(std::shared_ptr<const InferencePlan> plan, RowDeal deal = {}) : model(stream, {std::move(plan)}) {
    const int nt = model.view().n_types;
    deal.exact.resize(nt);
    for (int t = 0; t < nt; ++t)
      if (!model.groups()[t].active) deal.exact[t] = 0;
    gpu::Tile next;
    for (int t = 0; t < nt; ++t)
      if (model.groups()[t].active) add_tiles(t, (deal.rows[t] + 63) / 64, next);
    n_tiles_ = static_cast<int>(tiles.size());
    for (int t = 0; t < nt && model.has_exact(); ++t) add_tiles(nt + t, deal.exact_tiles, next);
    deal_rows(deal);
    fill(deal, next);
    gpu::upload(stream, tile_, tiles);
    gpu::upload(stream, atom_, atoms);
    gpu::upload(stream, taken_, taken);
    gpu::upload(stream, exact_count_, deal.exact);
    gpu::upload(stream, a_, a);
    const std::size_t size = atoms.size() * model.max_width();
    layers_.resize(size * (2 * model.max_layers() + 2));
    rotated_.resize(next.rotated);
    features_.resize(next.features);
    vectors_.resize(atoms.size() * 2 * gpu::vector_width(model));
    stream.synchronize();
  }

  gpu::TileView view() const {
    return {tile_.data(),  atom_.data(),       n_tiles_, static_cast<std::int32_t>(tiles.size()) - n_tiles_,
            taken_.data(), exact_count_.data()};
  }
  gpu::PassBuffers<Real> buffers() const {
    gpu::PassBuffers<Real> b;
    b.a = a_.data();
    b.rotated = rotated_.data();
    b.features = features_.data();
    b.vectors = vectors_.data();
    b.width = model.max_width();
    Real* next = layers_.data();
    const auto take = [&] { return std::exchange(next, next + atoms.size() * b.width); };
    for (int l = 0; l < model.max_layers(); ++l) b.hidden[l] = take(), b.slope[l] = take();
    b.gradient = take();
    return b;
  }

  /// visit(tile, row in the tile, atom) for every row that gives something.
  template <class Visit>
  void for_each_row(const Visit& visit) const {
    for (const gpu::Tile& tile : tiles)
      for (int r = 0; r < gpu::k_tile_rows; ++r)
        if (atoms[tile.row + r] >= 0 && !is_taken(tile, r)) visit(tile, r, atoms[tile.row + r]);
  }
  bool is_taken(const gpu::Tile& tile, int r) const {
    return tile.row + r < static_cast<int>(taken.size()) && taken[tile.row + r] != 0;
  }
  const InferencePlan& plan_of(const gpu::Tile& tile) const {
    return tile.group < model.view().n_types ? model.plan() : *model.plan().exact;
  }
  int type_of(const gpu::Tile& tile) const { return tile.group % model.view().n_types; }
  /// a of a row as the device sees it, in double.
  Numbers a_of(const gpu::Tile& tile, int r) const { return part(a, tile.a, r, tile); }
  static Numbers slice(const std::vector<Real>& from, std::int64_t first, int n) {
    return {from.begin() + first, from.begin() + first + n};
  }
  Numbers part(const std::vector<Real>& from, std::int64_t first, int r, const gpu::Tile& tile) const {
    const int size = 4 * model.groups()[tile.group].n_columns;
    return slice(from, first + std::int64_t{r} * size, size);
  }

  template <class T>
  std::vector<T> fetched(const T* from, std::size_t n) {
    std::vector<T> values(n);
    gpu::copy_to_host(stream, values.data(), from, n * sizeof(T));
    stream.synchronize();
    return values;
  }
  std::vector<Real> fetched_a() { return fetched(a_.data(), a.size()); }
  std::vector<Real> fetched_features() { return fetched(features_.data(), features_.size()); }
  void set_features(const std::vector<Real>& values) {
    gpu::upload(stream, features_, values);
    stream.synchronize();
  }
  void reset_a() {
    gpu::upload(stream, a_, a);
    stream.synchronize();
  }

  gpu::Stream stream;
  gpu::PackedModel<Real> model;
  std::vector<gpu::Tile> tiles;
  std::vector<std::int32_t> atoms;  ///< of rows
  std::vector<std::uint8_t> taken;
  std::vector<Real> a;
  int n_atoms = 0;

 private:
  void add_tiles(int group, int count, gpu::Tile& next) {
    const auto& g = model.groups()[group];
    for (int k = 0; k < count; ++k) {
      next.group = group;
      tiles.push_back(next);
      next.row += gpu::k_tile_rows;
      next.a += std::int64_t{gpu::k_tile_rows} * 4 * g.n_columns;
      next.rotated += std::int64_t{gpu::k_tile_rows} * 4 * g.n_rotated;
      next.features += std::int64_t{gpu::k_tile_rows} * g.n_features;
    }
    atoms.resize(next.row, -1);
  }
  void deal_rows(const RowDeal& deal) {
    const int nt = model.view().n_types;
    taken.assign(std::size_t{64} * n_tiles_, 0);
    std::vector<int> used(2 * nt, 0);
    for (const gpu::Tile& tile : tiles)
      for (int r = 0; r < gpu::k_tile_rows; ++r) {
        const int at = tile.row + r, k = used[tile.group]++;
        const bool exact = tile.group >= nt;
        if (exact ? k >= deal.exact[tile.group - nt]
                  : k >= deal.rows[tile.group] || (deal.gap > 0 && at % deal.gap == 0))
          continue;
        atoms[at] = n_atoms++;
        if (!exact && deal.taken > 0 && at % deal.taken == 1) taken[at] = 1;
      }
  }
  /// Rows that give nothing hold what must never be read: the plan's empty ones zeros, others NaN.
  void fill(const RowDeal& deal, const gpu::Tile& end) {
    a.assign(end.a, Real(0));
    for (const gpu::Tile& tile : tiles)
      for (int r = 0; r < gpu::k_tile_rows; ++r) {
        const int atom = atoms[tile.row + r], size = 4 * model.groups()[tile.group].n_columns;
        std::mt19937_64 random(deal.seed * 1000 + static_cast<unsigned>(atom + 1));
        for (int k = 0; k < size; ++k) {
          Real& x = a[tile.a + std::int64_t{r} * size + k];
          if (atom >= 0 && !is_taken(tile, r))
            x = static_cast<Real>(random_numbers(1, random, 0.5)[0]);
          else if (tile.group >= model.view().n_types || is_taken(tile, r))
            x = std::numeric_limits<Real>::quiet_NaN();
        }
      }
  }

  int n_tiles_ = 0;
  gpu::DeviceArray<gpu::Tile> tile_;
  gpu::DeviceArray<std::int32_t> atom_, exact_count_;
  gpu::DeviceArray<std::uint8_t> taken_;
  gpu::DeviceArray<Real> a_, rotated_, features_, layers_, vectors_;
};

inline std::shared_ptr<const Model> shared(Model model) {
  return std::make_shared<const Model>(std::move(model));
}

}  // namespace nanoday::reference
