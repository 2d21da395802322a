// For tests of the CUDA kernels: atoms with their neighbors, dealt out to tiles; passes; what must come out.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/neighbor_list.hpp"
#include "cuda/descriptor.hpp"
#include "oracle/descriptor.hpp"
#include "oracle/stored_table.hpp"
#include "periodic_images.hpp"
#include "reference/compare.hpp"
#include "reference/plans.hpp"
#include "reference/systems.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>
#include <vector>

namespace nanoday::reference {

namespace gpu = nanoday::NANODAY_GPU;

/// Atoms, ghosts and candidates, in the system's own order.
struct Neighborhood {
  Atoms atoms;
  NeighborList list;

  EvaluationArgs args() const { return {atoms.position, atoms.type, atoms.nlocal, &list, {}}; }
};

inline Neighborhood neighborhood_of(const System& system, const Model& model, double skin = 1.0) {
  Neighborhood n;
  n.atoms = atoms_of(system);
  PeriodicImages halo;
  halo.build(system.box, model.rcut + skin, n.atoms);
  cpu::build_neighbor_list(
      {n.atoms.position, n.atoms.type, n.atoms.id, n.atoms.nlocal, model.n_types(), model.rcut + skin}, true,
      1, n.list);
  return n;
}

/// Ranks 2, 3, 4, … and random bases: nothing like the net, but columns of every type differ.
inline std::shared_ptr<const InferencePlan> random_lowrank_plan(std::shared_ptr<const Model> model,
                                                                Precision precision = Precision::fp64) {
  std::mt19937_64 random(7);
  std::normal_distribution<double> normal(0, 1);
  LowRankChoice choice = full_rank(*model);
  for (std::size_t k = 0; k < choice.basis.size(); ++k) {
    LowRankChoice::Basis& basis = choice.basis[k];
    basis.rank = std::min<int>(model->m1, 2 + static_cast<int>(k));
    basis.project.resize(static_cast<std::size_t>(model->m1) * basis.rank);
    for (double& x : basis.project) x = normal(random);
    basis.expand = basis.project;
  }
  for (auto& centre : choice.centres) {
    centre.pair_p = centre.pair_q = {0};
    centre.n_precise = centre.n_single = 1;
  }
  PlanOptions options;
  options.precision = precision;
  return make_lowrank_plan(std::move(model), options, std::move(choice));
}

/// The columns b(s̃) of a plan for one pair of types, with their slopes, in double.
inline oracle::ValueAndSlope plan_columns(const InferencePlan& plan, int pair, double s,
                                          bool by_table = true) {
  const Model& model = *plan.model;
  const bool tabulated = by_table && !plan.tables.empty() && !plan.tables[pair].empty();
  if (tabulated && s >= plan.tables[pair].lower && s < plan.tables[pair].max) {
    const PieceTable& t = plan.tables[pair];
    const bool coarse = s >= t.upper;
    const double lower = coarse ? t.upper : t.lower, stride = coarse ? t.stride1 : t.stride0;
    const int most = coarse ? t.n_pieces - t.n_first - 1 : t.n_first - 1;
    const int i = std::min(most, static_cast<int>((s - lower) / stride));
    const double u = s - (lower + i * stride);
    const double* c =
        t.coefficients.data() + static_cast<std::size_t>(coarse ? t.n_first + i : i) * 6 * t.columns;
    oracle::ValueAndSlope out;
    for (int m = 0; m < t.columns; ++m) {
      double value = 0, slope = 0;
      for (int k = 0; k < 6; ++k) value += c[k * t.columns + m] * std::pow(u, k);
      for (int k = 1; k < 6; ++k) slope += k * c[k * t.columns + m] * std::pow(u, k - 1);
      out.value.push_back(value);
      out.slope.push_back(slope);
    }
    return out;
  }
  const oracle::ValueAndSlope g =
      model.compressed ? oracle::look_up(model.tables[pair], s) : oracle::embed(model.embedding[pair], s);
  if (plan.table != TableKind::lowrank) return g;
  const LowRankChoice::Basis& basis = plan.choice.basis[pair];
  oracle::ValueAndSlope out{std::vector<double>(basis.rank, 0.0), std::vector<double>(basis.rank, 0.0)};
  for (int m = 0; m < model.m1; ++m)
    for (int p = 0; p < basis.rank; ++p) {
      const double w = basis.project[static_cast<std::size_t>(m) * basis.rank + p];
      out.value[p] += g.value[m] * w;
      out.slope[p] += g.slope[m] * w;
    }
  return out;
}

/// a of one atom, (4, R): spec 2.3, 2.4 with the plan's own columns.
inline std::vector<double> reference_a(const InferencePlan& plan, const EvaluationArgs& args,
                                       std::int64_t i) {
  const Model& model = *plan.model;
  const int centre = args.type[i];
  const CentrePlan& to = plan.centres[centre];
  std::vector<double> a(static_cast<std::size_t>(4) * to.n_columns, 0.0);
  const auto add = [&](const oracle::Row& row, const oracle::ValueAndSlope& b, int type, double weight) {
    for (int c = 0; c < 4; ++c)
      for (std::size_t m = 0; m < b.value.size(); ++m)
        a[c * to.n_columns + to.first_column[type] + m] += weight * row[c] * b.value[m] / model.normaliser;
  };
  EvaluationCounts counts;
  std::vector<int> empty = model.sel;
  for (const oracle::Slot& slot : oracle::describe(model, args, i, counts).slots) {
    add(slot.row, plan_columns(plan, model.pair_index(centre, slot.type), slot.row[0]), slot.type, 1);
    --empty[slot.type];
  }
  oracle::Row row;
  for (int c = 0; c < 4; ++c) row[c] = -model.avg[centre][c] / model.std[centre][c];
  for (int type = 0; type < model.n_types(); ++type)
    if (!model.is_excluded(centre, type))
      add(row, plan_columns(plan, model.pair_index(centre, type), row[0], false), type, empty[type]);
  return a;
}

/// Forces and virials of all atoms.
struct Gradients {
  Numbers force, virial, atom_virial;  ///< (nall, 3), (9), (nall, 9)
};

/// Adds those of one atom with ∂E/∂a = da.
inline void add_reference_gradient(const InferencePlan& plan, const EvaluationArgs& args, std::int64_t i,
                                   const std::vector<double>& da, Gradients& to) {
  const Model& model = *plan.model;
  const int centre = args.type[i], columns = plan.centres[centre].n_columns;
  EvaluationCounts counts;
  for (const oracle::Slot& slot : oracle::describe(model, args, i, counts).slots) {
    const auto b = plan_columns(plan, model.pair_index(centre, slot.type), slot.row[0]);
    const int first = plan.centres[centre].first_column[slot.type];
    oracle::Row dr{};
    for (int c = 0; c < 4; ++c)
      for (std::size_t m = 0; m < b.value.size(); ++m) {
        const double d = da[c * columns + first + m] / model.normaliser;
        dr[c] += d * b.value[m];
        dr[0] += d * b.slope[m] * slot.row[c];
      }
    Vec3 g;
    for (int c = 0; c < 4; ++c) g = g + dr[c] * slot.row_gradient[c];
    const double f[3] = {g.x, g.y, g.z}, r[3] = {slot.d.x, slot.d.y, slot.d.z};
    for (int x = 0; x < 3; ++x) {
      to.force[3 * i + x] += f[x];
      to.force[3 * slot.index + x] -= f[x];
      for (int y = 0; y < 3; ++y) {
        to.virial[3 * x + y] -= f[x] * r[y];
        to.atom_virial[9 * slot.index + 3 * x + y] -= f[x] * r[y];
      }
    }
  }
}

/// Where atoms sit in a pass.
struct Deal {
  int exact_tiles_per_type = 1;
  int gap = 5;             ///< every gap-th row stays empty; 0: none
  bool backwards = false;  ///< atoms in descending order
};

/// One model on the device with everything a pass over all atoms needs.
template <class Real>
class Pass {
 public:
  Pass(std::shared_ptr<const InferencePlan> plan, const Neighborhood& n, Deal deal = {})
      : model(stream, {std::move(plan)}), n_(n) {
    gpu::Tile next;
    for (int t = 0; t < model.view().n_types; ++t)
      if (model.groups()[t].active) add_rows(t, next, deal);
    n_tiles_ = static_cast<std::int32_t>(tiles_.size());
    const int exact = model.has_exact() ? deal.exact_tiles_per_type : 0;
    for (int t = 0; t < model.view().n_types; ++t)
      for (int k = 0; k < exact; ++k) add_tile(model.view().n_types + t, next);
    gpu::upload(stream, tile_, tiles_);
    gpu::upload(stream, atom_, atoms_);
    gpu::upload(stream, position_, n.atoms.position);
    gpu::upload(stream, offset_, n.list.offset);
    gpu::upload(stream, index_, n.list.index);
    gpu::upload(stream, a_, std::vector<Real>(next.a, Real(99)));  // what no kernel writes must not be read
    gpu::upload(stream, taken_, std::vector<std::uint8_t>(std::size_t{64} * n_tiles_, 7));
    gpu::upload(stream, exact_count_, std::vector<std::int32_t>(model.view().n_types, 0));
    gpu::upload(stream, counts_, std::vector<gpu::PassCounts>(1));
    const std::size_t nall = n.atoms.position.size();
    gpu::upload(stream, force_, std::vector<std::array<std::int64_t, 4>>(nall));
    gpu::upload(stream, virial_, std::vector<gpu::FixedSum>(std::size_t{9} * k_slots));
    gpu::upload(stream, signals_, std::vector<gpu::Signals>(1));
    gpu::upload(stream, atom_virial_, std::vector<std::array<std::int64_t, 9>>(nall));
    stream.synchronize();
  }

  gpu::TileView tile_view() const {
    return {tile_.data(),  atom_.data(),       n_tiles_, static_cast<std::int32_t>(tiles_.size()) - n_tiles_,
            taken_.data(), exact_count_.data()};
  }
  gpu::PassBuffers<Real> buffers() const {
    gpu::PassBuffers<Real> b;
    b.a = a_.data();
    return b;
  }
  gpu::PassReport report() const { return {counts_.data(), signals_.data()}; }
  gpu::ListView list_view() const { return {n_.list.n_types, offset_.data(), index_.data()}; }

  void forward() {
    descriptor_forward(stream, model, tile_view(), buffers(), position_.data(), list_view(), report());
    if (model.has_exact())
      descriptor_forward_exact(stream, model, tile_view(), buffers(), position_.data(), list_view(),
                               report());
    atoms_ = fetched(atom_);
  }

  /// ∂E/∂a = cotangent(atom, element) of every row that is in use; zero in the others.
  template <class Cotangent>
  void backward(const Cotangent& cotangent, bool virial = true) {
    std::vector<Real> a(a_.size(), Real(0));
    for_each_row([&](std::int64_t at, int size, std::int32_t atom, bool) {
      for (int k = 0; atom >= 0 && k < size; ++k) a[at + k] = static_cast<Real>(cotangent(atom, k));
    });
    gpu::upload(stream, a_, a);
    gpu::GradientOutput out;
    out.force = force_.data();
    out.ghost_owner = owner_.data();
    out.nlocal = n_.atoms.nlocal;
    if (virial) {
      out.virial = {virial_.data(), nullptr, k_slots};
      out.atom_virial = atom_virial_.data();
    }
    descriptor_backward(stream, model, tile_view(), buffers(), position_.data(), list_view(), out, report());
    stream.synchronize();
  }

  /// From now on forces on ghosts go to these local atoms.
  void send_home(const std::vector<std::int32_t>& owner) {
    gpu::upload(stream, owner_, owner);
    stream.synchronize();
  }

  /// visit(where a begins, 4 R, atom or −1, exact) for every row.
  template <class Visit>
  void for_each_row(const Visit& visit) {
    for (std::size_t t = 0; t < tiles_.size(); ++t)
      for (int r = 0; r < gpu::k_tile_rows; ++r) {
        const int size = 4 * model.groups()[tiles_[t].group].n_columns;
        visit(tiles_[t].a + std::int64_t{r} * size, size, atoms_[tiles_[t].row + r],
              static_cast<std::int32_t>(t) >= n_tiles_);
      }
  }

  template <class T>
  std::vector<T> fetched(const gpu::DeviceArray<T>& from) {
    std::vector<T> values(from.size());
    gpu::download(stream, values.data(), from, from.size());
    stream.synchronize();
    return values;
  }
  std::vector<Real> a() { return fetched(a_); }
  std::vector<std::uint8_t> taken() { return fetched(taken_); }
  std::vector<std::int32_t> exact_count() { return fetched(exact_count_); }
  std::vector<std::int32_t> atoms() { return fetched(atom_); }
  std::vector<std::array<std::int64_t, 4>> force() { return fetched(force_); }
  gpu::PassCounts counts() { return fetched(counts_)[0]; }
  gpu::Signals signals() { return fetched(signals_)[0]; }
  Gradients gradients() {
    Gradients g;
    const auto append = [](Numbers& to, const auto& rows, int n) {
      for (const auto& row : rows)
        for (int k = 0; k < n; ++k) to.push_back(static_cast<double>(row[k]) / k_fixed_point_scale);
    };
    append(g.force, force(), 3);
    const std::vector<gpu::FixedSum> slots = fetched(virial_);
    for (int c = 0; c < 9; ++c) {
      gpu::FixedSum sum;
      for (int k = 0; k < k_slots; ++k) sum.add(slots[9 * k + c]);
      g.virial.push_back(value_of(sum));
    }
    append(g.atom_virial, fetched(atom_virial_), 9);
    return g;
  }

  gpu::Stream stream;
  gpu::PackedModel<Real> model;

 private:
  static constexpr int k_slots = 5;  // not a divisor of anything

  void add_tile(int group, gpu::Tile& next) {
    next.group = group;
    next.row = static_cast<std::int32_t>(atoms_.size());
    tiles_.push_back(next);
    atoms_.resize(atoms_.size() + gpu::k_tile_rows, -1);
    next.a += std::int64_t{gpu::k_tile_rows} * 4 * model.groups()[group].n_columns;
  }
  void add_rows(int type, gpu::Tile& next, const Deal& deal) {
    std::vector<std::int32_t> mine;
    for (std::int64_t i = 0; i < n_.atoms.nlocal; ++i)
      if (n_.atoms.type[i] == type) mine.push_back(static_cast<std::int32_t>(i));
    if (deal.backwards) std::reverse(mine.begin(), mine.end());
    std::size_t row = atoms_.size();
    for (std::int32_t atom : mine) {
      if (deal.gap > 0 && row % deal.gap == 0) ++row;
      while (row >= atoms_.size()) add_tile(type, next);
      atoms_[row++] = atom;
    }
  }

  const Neighborhood& n_;
  std::int32_t n_tiles_ = 0;
  std::vector<gpu::Tile> tiles_;
  std::vector<std::int32_t> atoms_;
  gpu::DeviceArray<gpu::Tile> tile_;
  gpu::DeviceArray<std::int32_t> atom_, exact_count_, index_;
  gpu::DeviceArray<std::int64_t> offset_;
  gpu::DeviceArray<Vec4> position_;
  gpu::DeviceArray<Real> a_;
  gpu::DeviceArray<std::uint8_t> taken_;
  gpu::DeviceArray<gpu::PassCounts> counts_;
  gpu::DeviceArray<std::array<std::int64_t, 4>> force_;
  gpu::DeviceArray<std::array<std::int64_t, 9>> atom_virial_;
  gpu::DeviceArray<gpu::FixedSum> virial_;
  gpu::DeviceArray<gpu::Signals> signals_;
  gpu::DeviceArray<std::int32_t> owner_;
};

}  // namespace nanoday::reference
