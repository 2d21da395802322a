// The se_e2_a descriptor of one atom and its gradient, straight from the equations.
// SPDX-License-Identifier: Apache-2.0
#include "oracle/descriptor.hpp"

#include "oracle/stored_table.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday::oracle {

Switch switch_at(const Model& model, double r) {
  if (r < model.rcut_smth) return {1, 0};
  if (r >= model.rcut) return {0, 0};
  const double u = (r - model.rcut_smth) / model.switch_width;
  const double p = -6 * u * u + 15 * u - 10;
  return {u * u * u * p + 1, (3 * u * u * p + u * u * u * (15 - 12 * u)) / model.switch_width};
}

namespace {

/// Distances as the producer orders them: coordinates rounded to float32 first (spec 2.1).
float distance2_float(const Vec4& a, const Vec4& b) {
  const float x = static_cast<float>(b.x) - static_cast<float>(a.x);
  const float y = static_cast<float>(b.y) - static_cast<float>(a.y);
  const float z = static_cast<float>(b.z) - static_cast<float>(a.z);
  return x * x + y * y + z * z;
}

/// Neighbors of one type inside the cutoff, at most `sel`, nearest first.
std::vector<std::int32_t> neighbors_of_type(const Model& model, const EvaluationArgs& args, std::int64_t i,
                                            int type, bool& overflow) {
  const NeighborList& list = *args.neighbors;
  const std::int64_t section = i * list.n_types + type;
  std::vector<std::pair<float, std::int32_t>> found;
  for (std::int64_t k = list.offset[section]; k < list.offset[section + 1]; ++k) {
    const std::int32_t j = list.index[k];
    const Vec3 d = xyz(args.position[j]) - xyz(args.position[i]);
    if (dot(d, d) < model.rcut * model.rcut)
      found.emplace_back(distance2_float(args.position[i], args.position[j]), j);
  }
  std::sort(found.begin(), found.end());
  overflow = static_cast<int>(found.size()) > model.sel[type];
  if (overflow) found.resize(model.sel[type]);
  std::vector<std::int32_t> kept;
  for (const auto& [distance, j] : found) kept.push_back(j);
  return kept;
}

/// R = (R̂ − avg)/std with R̂ = w·(1/r, x/r², y/r², z/r²), and ∂R/∂r_ij (spec 2.3).
void fill_environment(const Model& model, int centre, Slot& slot) {
  const double r = norm(slot.d);
  const auto [w, dw] = switch_at(model, r);
  const std::array<double, 3> x{slot.d.x, slot.d.y, slot.d.z};
  const Row& avg = model.avg[centre];
  const Row& std = model.std[centre];
  const Vec3 n = (1 / r) * slot.d;
  slot.row[0] = (w / r - avg[0]) / std[0];
  slot.row_gradient[0] = ((dw / r - w / (r * r)) / std[0]) * n;
  for (int b = 0; b < 3; ++b) {
    slot.row[1 + b] = (w * x[b] / (r * r) - avg[1 + b]) / std[1 + b];
    Vec3 gradient = ((dw / (r * r) - 2 * w / (r * r * r)) * x[b]) * n;
    (b == 0 ? gradient.x : b == 1 ? gradient.y : gradient.z) += w / (r * r);
    slot.row_gradient[1 + b] = (1 / std[1 + b]) * gradient;
  }
}

ValueAndSlope embedding_of(const Model& model, int centre, int type, double x) {
  const int pair = model.pair_index(centre, type);
  return model.compressed ? look_up(model.tables[pair], x) : embed(model.embedding[pair], x);
}

/// T += multiplicity · R ⊗ G / N.
void add_to_t(const Model& model, const Row& row, const ValueAndSlope& g, double multiplicity,
              Descriptor& out) {
  for (int c = 0; c < 4; ++c)
    for (int m = 0; m < model.m1; ++m) out.t[c][m] += multiplicity * row[c] * g.value[m] / model.normaliser;
}

void count_outside(const Model& model, int centre, const Slot& slot, std::int64_t i,
                   EvaluationCounts& counts) {
  if (!model.compressed) return;
  if (!outside(model.tables[model.pair_index(centre, slot.type)], slot.row[0])) return;
  const double r = norm(slot.d);
  counts.smallest_distance = counts.outside_table == 0 ? r : std::min(counts.smallest_distance, r);
  if (counts.first_outside_atom < 0) counts.first_outside_atom = i;
  ++counts.outside_table;
}

/// Empty slots carry R = −avg/std and do contribute when avg is not zero (spec 2.3).
void add_padding(const Model& model, int centre, int type, int n_empty, Descriptor& out) {
  Row row;
  for (int c = 0; c < 4; ++c) row[c] = -model.avg[centre][c] / model.std[centre][c];
  add_to_t(model, row, embedding_of(model, centre, type, row[0]), n_empty, out);
}

}  // namespace

Descriptor describe(const Model& model, const EvaluationArgs& args, std::int64_t i,
                    EvaluationCounts& counts) {
  const int centre = args.type[i];
  Descriptor out;
  out.t.fill(std::vector<double>(model.m1, 0.0));
  bool any_overflow = false;
  for (int type = 0; type < model.n_types(); ++type) {
    bool overflow = false;
    const auto neighbors = neighbors_of_type(model, args, i, type, overflow);
    any_overflow = any_overflow || overflow;
    if (model.is_excluded(centre, type)) continue;
    for (const std::int32_t j : neighbors) {
      Slot slot;
      slot.index = j;
      slot.type = type;
      slot.d = xyz(args.position[j]) - xyz(args.position[i]);
      fill_environment(model, centre, slot);
      slot.g = embedding_of(model, centre, type, slot.row[0]);
      count_outside(model, centre, slot, i, counts);
      add_to_t(model, slot.row, slot.g, 1, out);
      out.slots.push_back(std::move(slot));
    }
    const int n_empty = model.sel[type] - static_cast<int>(neighbors.size());
    if (n_empty > 0) add_padding(model, centre, type, n_empty, out);
  }
  if (any_overflow) ++counts.sel_overflow;
  out.d.assign(static_cast<std::size_t>(model.m1) * model.m2, 0.0);
  for (int m = 0; m < model.m1; ++m)
    for (int k = 0; k < model.m2; ++k)
      for (int c = 0; c < 4; ++c) out.d[m * model.m2 + k] += out.t[c][m] * out.t[c][k];
  return out;
}

// Spec 2.4, "Backward".
std::vector<Vec3> descriptor_gradient(const Model& model, const Descriptor& descriptor,
                                      const std::vector<double>& a, const std::vector<Vec3>& b) {
  std::array<std::vector<double>, 4> dt;
  dt.fill(std::vector<double>(model.m1, 0.0));
  for (int c = 0; c < 4; ++c)
    for (int m = 0; m < model.m1; ++m) {
      for (int k = 0; k < model.m2; ++k) {
        dt[c][m] += a[m * model.m2 + k] * descriptor.t[c][k];
        dt[c][k] += a[m * model.m2 + k] * descriptor.t[c][m];
      }
      if (!b.empty() && c >= 1) dt[c][m] += c == 1 ? b[m].x : c == 2 ? b[m].y : b[m].z;
    }
  std::vector<Vec3> gradient;
  for (const Slot& slot : descriptor.slots) {
    Row dr{};
    for (int c = 0; c < 4; ++c)
      for (int m = 0; m < model.m1; ++m) {
        dr[c] += dt[c][m] * slot.g.value[m] / model.normaliser;
        dr[0] += dt[c][m] * slot.g.slope[m] * slot.row[c] / model.normaliser;
      }
    Vec3 g;
    for (int c = 0; c < 4; ++c) g = g + dr[c] * slot.row_gradient[c];
    gradient.push_back(g);
  }
  return gradient;
}

}  // namespace nanoday::oracle
