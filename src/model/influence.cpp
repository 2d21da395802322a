// The influence function of a mesh plan, mode by mode.
// SPDX-License-Identifier: Apache-2.0
#include "model/influence.hpp"

#include "math/influence_function.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {

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

HalfSpectrum make_half_spectrum(const LongRangePlan& plan, const InfluenceFunction& influence) {
  const auto& n = plan.mesh;
  const std::size_t row = n[2] / 2 + 1, plane = n[1] * row;
  const bool mirrors = plan.box.is_orthorhombic();  // then the signs of single frequencies do not matter
  HalfSpectrum half;
  half.green.resize(n[0] * plane);
  const auto fill = [&](std::size_t at, const InfluenceFunction::Mode& mode) {
    const double here = influence.value(mode);
    half.green[at] = here;
    if (mirrors || !influence.on_edge(mode)) return;
    const auto other = influence.mirrored(mode);
    const double there = influence.value(other);
    half.green[at] = (here + there) / 2;
    if (std::fabs(influence.significance(mode) - influence.significance(other)) > k_negligible_mode) {
      half.edge_difference.resize(half.green.size());
      half.edge_difference[at] = (here - there) / 2;
    }
  };
  for (int a = 0; a < n[0]; ++a)
    for (int b = 0; b < n[1]; ++b) {
      double* out = half.green.data() + a * plane + b * row;
      const int same_a = mirrors && 2 * a > n[0] ? n[0] - a : a,
                same_b = mirrors && 2 * b > n[1] ? n[1] - b : b;
      if (same_a != a || same_b != b) {
        std::copy_n(half.green.data() + same_a * plane + same_b * row, row, out);
        continue;
      }
      for (std::size_t c = 0; c < row; ++c)
        fill(a * plane + b * row + c,
             {mesh_frequency(a, n[0]), mesh_frequency(b, n[1]), mesh_frequency(static_cast<int>(c), n[2])});
    }
  return half;
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

}  // namespace nanoday
