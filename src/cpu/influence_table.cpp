// The influence function of a plan on the reciprocal mesh points that matter.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/influence_table.hpp"

#include "math/influence_function.hpp"

#include <algorithm>

namespace nanoday::cpu {

namespace {

std::array<Vec3, 3> reciprocal_vectors(const Box& box) {
  const auto& [a, b, c] = box.cell;
  const double f = 2 * M_PI / dot(a, cross(b, c));
  return {f * cross(b, c), f * cross(c, a), f * cross(a, b)};
}

/// Lower triangle (xx, xy, xz, yy, yz, zz) of the cell turned so that a ∥ x and b lies in the xy plane.
std::array<double, 6> lower_triangle(const Box& box) {
  const auto& [a, b, c] = box.cell;
  const double length = norm(a), area = norm(cross(a, b));
  const Vec3 x = (1 / length) * a, y = (1 / (area * length)) * cross(cross(a, b), a);
  return {length, dot(b, x), dot(c, x), area / length, dot(c, y), box.volume() / area};
}

template <class Function>  // called with (index in the table, mode)
void for_each_mode(const InfluenceTable& table, Function&& function) {
  const auto& n = table.mesh;
  for (int block = 0; block < table.blocks; ++block) {
    const int rows = table.rows(block);
    for (int i = 0; i < n[2]; ++i)
      for (int r = 0; r < rows; ++r)
        function(table.mode_first[block] + static_cast<std::size_t>(i) * rows + r,
                 {mesh_frequency(table.row_a[table.row_first[block] + r], n[0]), mesh_frequency(block, n[1]),
                  mesh_frequency(i, n[2])});
  }
}

/// Finds the kept rows; all fields but the tables.
InfluenceTable find_rows(const LongRangePlan& plan, const InfluenceFunction& influence) {
  InfluenceTable table;
  table.mesh = plan.mesh;
  table.row_first = {0};
  table.mode_first = {0};
  const auto& n = plan.mesh;
  int last = 0;
  for (int b = 0; b <= n[1] / 2; ++b) {
    for (int a = 0; a < n[0]; ++a) {
      bool keep = false;
      for (int c = 0; c < n[2] && !keep; ++c)
        keep = influence.significance({mesh_frequency(a, n[0]), mesh_frequency(b, n[1]),
                                       mesh_frequency(c, n[2])}) > k_negligible_mode;
      if (keep) table.row_a.push_back(a);
    }
    const std::size_t rows = table.row_a.size() - table.row_first.back();
    if (rows > 0) last = b;
    table.row_first.push_back(static_cast<int>(table.row_a.size()));
    table.mode_first.push_back(table.mode_first.back() + (rows * n[2] + 3) / 4 * 4);
  }
  table.blocks = last + 1;
  table.row_first.resize(table.blocks + 1);
  table.mode_first.resize(table.blocks + 1);
  return table;
}

}  // namespace

InfluenceFunction::InfluenceFunction(const LongRangePlan& plan)
    : plan_(plan), reciprocal_(reciprocal_vectors(plan.box)) {
  if (plan.differentiation == Differentiation::ik) {
    const auto reach = alias_reach(lower_triangle(plan.box), plan.mesh, plan.beta);
    for (int d = 0; d < 3; ++d) reach_[d] = static_cast<int>(reach[d]);
  }
  for (int d = 0; d < 3; ++d) {
    const int n = plan.mesh[d];
    for (int i = 0; i < n; ++i) {
      const double x = M_PI * mesh_frequency(i, n) / n, s = std::sin(x);
      alias_sum_[d].push_back(assignment_alias_sum(plan.order, s * s));
      for (int b = -reach_[d]; b <= reach_[d]; ++b)
        u_squared_[d].push_back(sinc_power(x + M_PI * b, 2 * plan.order));
    }
  }
}

Vec3 InfluenceFunction::wave_vector(const Mode& m) const {
  return double(m[0]) * reciprocal_[0] + double(m[1]) * reciprocal_[1] + double(m[2]) * reciprocal_[2];
}

InfluenceFunction::Mode InfluenceFunction::mirrored(const Mode& m) const {
  Mode result;
  for (int d = 0; d < 3; ++d) result[d] = 2 * m[d] == -plan_.mesh[d] ? m[d] : -m[d];
  return result;
}

bool InfluenceFunction::on_edge(const Mode& m) const {
  return 2 * m[0] == -plan_.mesh[0] || 2 * m[1] == -plan_.mesh[1] || 2 * m[2] == -plan_.mesh[2];
}

double InfluenceFunction::numerator(const Mode& m, Vec3 k) const {
  std::array<const double*, 3> u{};
  for (int d = 0; d < 3; ++d) {
    const int i = m[d] < 0 ? m[d] + plan_.mesh[d] : m[d];
    u[d] = u_squared_[d].data() + static_cast<std::size_t>(i) * (2 * reach_[d] + 1) + reach_[d];
  }
  if (plan_.differentiation == Differentiation::ad)
    return ad_numerator(dot(k, k), plan_.beta, u[0][0] * u[1][0] * u[2][0]);
  double sum = 0;
  for (int a = -reach_[0]; a <= reach_[0]; ++a)
    for (int b = -reach_[1]; b <= reach_[1]; ++b)
      for (int c = -reach_[2]; c <= reach_[2]; ++c) {
        const Vec3 q = k + wave_vector({a * plan_.mesh[0], b * plan_.mesh[1], c * plan_.mesh[2]});
        sum += ik_alias_term(k, q, plan_.beta, u[0][a] * u[1][b] * u[2][c]);
      }
  return sum;
}

double InfluenceFunction::denominator(const Mode& m) const {
  double product = 1;
  for (int d = 0; d < 3; ++d) product *= alias_sum_[d][m[d] < 0 ? m[d] + plan_.mesh[d] : m[d]];
  return product;
}

double InfluenceFunction::value(const Mode& m) const {
  if (m == Mode{0, 0, 0}) return 0;
  const Vec3 k = wave_vector(m);
  const double d = denominator(m);
  const double four_pi = plan_.differentiation == Differentiation::ik ? plan_.influence_4pi : 4 * M_PI;
  return plan_.coulomb / plan_.box.volume() * four_pi / dot(k, k) * numerator(m, k) / (d * d);
}

double InfluenceFunction::significance(const Mode& m) const {
  if (m == Mode{0, 0, 0}) return 0;
  return std::fabs(numerator(m, wave_vector(m))) / denominator(m);
}

InfluenceTable make_influence_table(const LongRangePlan& plan, const InfluenceFunction& influence) {
  InfluenceTable table = find_rows(plan, influence);
  table.green.resize(table.modes());
  for_each_mode(table, [&](std::size_t at, const InfluenceFunction::Mode& mode) {
    table.green[at] = influence.value(mode);
    if (!influence.on_edge(mode)) return;
    // In a skewed cell −N/2 and +N/2 are different waves: the transform of real data sees their mean.
    const auto other = influence.mirrored(mode);
    table.green[at] = (table.green[at] + influence.value(other)) / 2;
    const double difference = influence.significance(mode) - influence.significance(other);
    if (std::fabs(difference) > k_negligible_mode) table.separable = false;
  });
  for (int d = table.separable ? 2 : 0; d < 3; ++d) {
    table.slope[d].resize(table.modes());
    for_each_mode(table, [&](std::size_t at, const InfluenceFunction::Mode& mode) {
      const auto other = influence.mirrored(mode);
      table.slope[d][at] = influence.on_edge(mode)
                               ? (mode[d] * influence.value(mode) - other[d] * influence.value(other)) / 2
                               : mode[d] * table.green[at];
    });
  }
  return table;
}

std::array<Array<double>, 6> make_virial_tables(const InfluenceTable& table,
                                                const InfluenceFunction& influence, double beta) {
  std::array<Array<double>, 6> virial;
  for (auto& component : virial) component.resize(table.modes());
  for_each_mode(table, [&](std::size_t at, const InfluenceFunction::Mode& mode) {
    if (mode == InfluenceFunction::Mode{0, 0, 0}) return;
    const auto factor = virial_factor(influence.wave_vector(mode), beta);
    const auto other = influence.mirrored(mode);
    const auto mirror = virial_factor(influence.wave_vector(other), beta);
    const bool edge = influence.on_edge(mode);
    const double here = edge ? influence.value(mode) / 2 : table.green[at];
    const double there = edge ? influence.value(other) / 2 : 0;
    for (int c = 0; c < 6; ++c) virial[c][at] = here * factor[c] + there * mirror[c];
  });
  return virial;
}

std::array<std::array<double, 2>, 3> self_force_amplitudes(const LongRangePlan& plan,
                                                           const InfluenceFunction& influence) {
  const auto& n = plan.mesh;
  std::array<std::array<std::vector<double>, 3>, 3> overlap;  // [direction][shift][frequency index]
  for (int d = 0; d < 3; ++d)
    for (int shift = 0; shift < 3; ++shift)
      for (int i = 0; i < n[d]; ++i)
        overlap[d][shift].push_back(
            self_force_overlap(M_PI * mesh_frequency(i, n[d]) / n[d], plan.order, shift));
  std::array<std::array<double, 2>, 3> sum{};
  for (int a = 0; a < n[0]; ++a)
    for (int b = 0; b < n[1]; ++b)
      for (int c = 0; c < n[2]; ++c) {
        const double g =
            influence.value({mesh_frequency(a, n[0]), mesh_frequency(b, n[1]), mesh_frequency(c, n[2])});
        const double x = overlap[0][0][a], y = overlap[1][0][b], z = overlap[2][0][c];
        for (int j = 1; j <= 2; ++j) {
          sum[0][j - 1] += g * overlap[0][j][a] * y * z;
          sum[1][j - 1] += g * x * overlap[1][j][b] * z;
          sum[2][j - 1] += g * x * y * overlap[2][j][c];
        }
      }
  const std::array<double, 3> length{plan.box.cell[0].x, plan.box.cell[1].y, plan.box.cell[2].z};
  for (int d = 0; d < 3; ++d)
    for (int j = 1; j <= 2; ++j) sum[d][j - 1] *= 2 * M_PI * j * n[d] / length[d];
  return sum;
}

}  // namespace nanoday::cpu
