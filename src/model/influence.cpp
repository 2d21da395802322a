// The influence function of a mesh plan, mode by mode.
// SPDX-License-Identifier: Apache-2.0
#include "model/influence.hpp"

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

InfluenceFunction::InfluenceFunction(const LongRangePlan& plan) {
  modes_.mesh = plan.mesh;
  modes_.reciprocal = reciprocal_vectors(plan.box);
  modes_.beta = plan.beta;
  modes_.ik = plan.differentiation == Differentiation::ik;
  modes_.scale = plan.coulomb / plan.box.volume() * (modes_.ik ? plan.influence_4pi : 4 * M_PI);
  if (modes_.ik) {
    const auto reach = alias_reach(lower_triangle(plan.box), plan.mesh, plan.beta);
    for (int d = 0; d < 3; ++d) modes_.reach[d] = static_cast<int>(reach[d]);
  }
  for (int d = 0; d < 3; ++d) {
    const int n = plan.mesh[d];
    for (int i = 0; i < n; ++i) {
      const double x = M_PI * mesh_frequency(i, n) / n, s = std::sin(x);
      alias_sum_[d].push_back(assignment_alias_sum(plan.order, s * s));
      for (int b = -modes_.reach[d]; b <= modes_.reach[d]; ++b)
        u_squared_[d].push_back(sinc_power(x + M_PI * b, 2 * plan.order));
    }
    modes_.u_squared[d] = u_squared_[d].data();
    modes_.alias_sum[d] = alias_sum_[d].data();
  }
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
