// The mesh approximation of the long-range energy as sums over charges and modes: no mesh, no transform.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/long_range.hpp"

#include <cmath>
#include <complex>
#include <vector>

namespace nanoday::reference {

/// Centred cardinal B-spline of order p at x, from its truncated powers.
inline double b_spline(int p, double x) {
  double sum = 0, binomial = 1, factorial = 1;
  for (int j = 2; j < p; ++j) factorial *= j;
  for (int j = 0; j <= p; ++j) {
    const double y = p / 2.0 - std::fabs(x) - j;  // the side of the symmetric function with the shorter sum
    if (y > 0) sum += (j % 2 ? -1 : 1) * binomial * std::pow(y, p - 1);
    binomial = binomial * (p - j) / (j + 1);
  }
  return sum / factorial;
}
inline double b_spline_slope(int p, double x) { return b_spline(p - 1, x + 0.5) - b_spline(p - 1, x - 0.5); }

inline double sinc(double x) { return x == 0 ? 1 : std::sin(x) / x; }

/// Spec dplr.md 3 in its slowest form: every charge has a sum over its stencil for every frequency.
class MeshSum {
 public:
  using C = std::complex<double>;

  explicit MeshSum(const LongRangePlan& plan) : plan_(plan), n_(plan.mesh), volume_(plan.box.volume()) {
    const auto& [a, b, c] = plan.box.cell;
    const double det = dot(a, cross(b, c));
    reciprocal_ = {(1 / det) * cross(b, c), (1 / det) * cross(c, a), (1 / det) * cross(a, b)};
    if (plan.differentiation == Differentiation::ik) set_reach();
  }

  LongRangeResult evaluate(const std::vector<Vec4>& charge) const {
    LongRangeResult result;
    const std::size_t n = charge.size();
    result.force.assign(n, {});
    result.atom_energy.assign(n, 0);
    result.atom_virial.assign(n, {});
    std::vector<Shape> shape;
    for (const auto& q : charge) shape.push_back(shape_of(q));
    std::array<std::array<double, 2>, 3> self{};
    for (int i = 0; i < n_[0]; ++i)
      for (int j = 0; j < n_[1]; ++j)
        for (int k = 0; k < n_[2]; ++k) {
          if (i == 0 && j == 0 && k == 0) continue;
          add_mode({i, j, k}, charge, shape, result);
          add_self(self, frequency({i, j, k}));
        }
    if (plan_.differentiation == Differentiation::ad) subtract_self(self, charge, result);
    return result;
  }

 private:
  using Mode = std::array<int, 3>;
  struct Shape {
    std::array<std::vector<C>, 3> weight, slope;  ///< Σ_j w_j e^{−2πi n m_j/N} per direction and index
  };

  Mode frequency(Mode m) const {
    for (int d = 0; d < 3; ++d) m[d] -= n_[d] * (2 * m[d] / n_[d]);
    return m;
  }
  Vec3 wave(const Mode& f) const {
    return 2 * M_PI *
           (double(f[0]) * reciprocal_[0] + double(f[1]) * reciprocal_[1] + double(f[2]) * reciprocal_[2]);
  }

  void set_reach() {
    const auto& [a, b, c] = plan_.box.cell;
    const double xx = norm(a), xy = dot(a, b) / xx, xz = dot(a, c) / xx;
    const double yy = std::sqrt(dot(b, b) - xy * xy), yz = (dot(b, c) - xy * xz) / yy;
    const double zz = std::sqrt(dot(c, c) - xz * xz - yz * yz);
    std::array<double, 3> t;
    for (int d = 0; d < 3; ++d) t[d] = plan_.beta / (M_PI * n_[d]) * std::pow(std::log(1e7), 0.25);
    reach_ = {int(xx * t[0]), int(std::fabs(xy) * t[0] + yy * t[1]),
              int(std::fabs(xz) * t[0] + std::fabs(yz) * t[1] + zz * t[2])};
  }

  Shape shape_of(const Vec4& q) const {
    Shape shape;
    const Vec3 x = xyz(q) - plan_.box.origin;
    for (int d = 0; d < 3; ++d) {
      const double p = n_[d] * dot(reciprocal_[d], x);
      for (int i = 0; i < n_[d]; ++i) {
        C weight = 0, slope = 0;
        for (int m = int(std::floor(p)) - 8; m <= int(std::floor(p)) + 8; ++m) {
          const C phase = std::polar(1.0, -2 * M_PI * i * m / n_[d]);
          if (std::fabs(m - p) > plan_.order / 2.0 + 1) continue;
          weight += b_spline(plan_.order, m - p) * phase;
          slope -= b_spline_slope(plan_.order, m - p) * phase;
        }
        shape.weight[d].push_back(weight);
        shape.slope[d].push_back(slope);
      }
    }
    return shape;
  }

  double influence(const Mode& f) const {
    const Vec3 k = wave(f);
    double d = 1, sum = 0;
    for (int e = 0; e < 3; ++e) {  // the alias sum is the transform of the spline of twice the order
      double cosines = 0;
      for (int j = -plan_.order; j <= plan_.order; ++j)
        cosines += b_spline(2 * plan_.order, j) * std::cos(2 * M_PI * f[e] * j / n_[e]);
      d *= cosines;
    }
    for (int a = -reach_[0]; a <= reach_[0]; ++a)
      for (int b = -reach_[1]; b <= reach_[1]; ++b)
        for (int c = -reach_[2]; c <= reach_[2]; ++c) {
          const Vec3 q = wave({f[0] + a * n_[0], f[1] + b * n_[1], f[2] + c * n_[2]});
          const double u = sinc(M_PI * (double(f[0]) / n_[0] + a)) * sinc(M_PI * (double(f[1]) / n_[1] + b)) *
                           sinc(M_PI * (double(f[2]) / n_[2] + c));
          sum += dot(k, q) / dot(q, q) * std::exp(-dot(q, q) / (4 * plan_.beta * plan_.beta)) *
                 std::pow(u * u, plan_.order);
        }
    const double four_pi = plan_.differentiation == Differentiation::ik ? plan_.influence_4pi : 4 * M_PI;
    return four_pi / dot(k, k) * sum / (d * d);
  }

  void add_mode(const Mode& m, const std::vector<Vec4>& charge, const std::vector<Shape>& shape,
                LongRangeResult& result) const {
    const Mode f = frequency(m);
    const Vec3 k = wave(f);
    const double g = plan_.coulomb * influence(f);
    C density = 0;
    for (std::size_t i = 0; i < charge.size(); ++i)
      density += charge[i].w * shape[i].weight[0][m[0]] * shape[i].weight[1][m[1]] * shape[i].weight[2][m[2]];
    density /= volume_;
    const double k2 = dot(k, k), beta = plan_.beta, both = 2 * (1 / k2 + 1 / (4 * beta * beta));
    const std::array<double, 3> kv{k.x, k.y, k.z};
    std::array<double, 9> factor{};
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) factor[3 * a + b] = (a == b) - both * kv[a] * kv[b];
    const double energy = 0.5 * volume_ * g * std::norm(density);
    result.energy += energy;
    for (int c = 0; c < 9; ++c) result.virial[c] += energy * factor[c];
    for (std::size_t i = 0; i < charge.size(); ++i) {
      const auto& [w, s] = shape[i];
      const C at = std::conj(w[0][m[0]] * w[1][m[1]] * w[2][m[2]]);
      const double potential = g * (density * at).real();
      result.atom_energy[i] += charge[i].w / 2 * potential;
      for (int c = 0; c < 9; ++c) result.atom_virial[i][c] += charge[i].w / 2 * potential * factor[c];
      Vec3 slope;
      if (plan_.differentiation == Differentiation::ik)
        slope = (g * (C(0, 1) * density * at).real()) * k;
      else
        slope =
            g * (n_[0] * (density * std::conj(s[0][m[0]] * w[1][m[1]] * w[2][m[2]])).real() * reciprocal_[0] +
                 n_[1] * (density * std::conj(w[0][m[0]] * s[1][m[1]] * w[2][m[2]])).real() * reciprocal_[1] +
                 n_[2] * (density * std::conj(w[0][m[0]] * w[1][m[1]] * s[2][m[2]])).real() * reciprocal_[2]);
      result.force[i] = padded(xyz(result.force[i]) - charge[i].w * slope);
    }
  }

  void add_self(std::array<std::array<double, 2>, 3>& self, const Mode& f) const {
    if (plan_.differentiation == Differentiation::ik) return;
    const auto overlap = [&](int d, int shift) {
      double sum = 0;
      for (int i = -2; i <= 2; ++i)
        sum += std::pow(
            sinc(M_PI * (double(f[d]) / n_[d] + i)) * sinc(M_PI * (double(f[d]) / n_[d] + i + shift)),
            plan_.order);
      return sum;
    };
    for (int d = 0; d < 3; ++d)
      for (int j = 1; j <= 2; ++j)
        self[d][j - 1] += j * M_PI / volume_ * n_[d] * norm(reciprocal_[d]) * influence(f) * overlap(d, j) *
                          overlap((d + 1) % 3, 0) * overlap((d + 2) % 3, 0);
  }

  void subtract_self(const std::array<std::array<double, 2>, 3>& self, const std::vector<Vec4>& charge,
                     LongRangeResult& result) const {
    for (std::size_t i = 0; i < charge.size(); ++i) {
      const double q2 = 2 * plan_.coulomb * charge[i].w * charge[i].w;
      const auto along = [&](int d, double x) {
        const double p = 2 * M_PI * x * n_[d] * norm(reciprocal_[d]);
        return q2 * (self[d][0] * std::sin(p) + self[d][1] * std::sin(2 * p));
      };
      result.force[i] = padded(xyz(result.force[i]) -
                               Vec3{along(0, charge[i].x), along(1, charge[i].y), along(2, charge[i].z)});
    }
  }

  LongRangePlan plan_;
  std::array<int, 3> n_;
  double volume_;
  std::array<Vec3, 3> reciprocal_{};
  std::array<int, 3> reach_{};
};

}  // namespace nanoday::reference
