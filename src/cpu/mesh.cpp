// What all mesh solvers share: layout, order of charges, and what becomes of gathered values.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/mesh.hpp"

#include "core/error.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <string>

namespace nanoday::cpu {

namespace {

/// Smallest multiple of `line` numbers ≥ n with an odd number of lines: columns of a power-of-two mesh would
/// otherwise fall into the same few cache sets.
int odd_lines(int n, int line) {
  const int lines = (n + line - 1) / line;
  return (lines % 2 == 1 ? lines : lines + 1) * line;
}

/// Bytes the kernel can hand out without swapping; the largest number where nothing tells.
double available_bytes() {
  std::ifstream file("/proc/meminfo");
  std::string word;
  while (file >> word) {
    double kilobytes = 0;
    if (word == "MemAvailable:" && file >> kilobytes) return kilobytes * 1024;
  }
  return std::numeric_limits<double>::max();
}

/// Arrays of the solver at their largest: three fields and one half spectrum each, influence and virial
/// tables, each thread's plane and block.
double solver_bytes(std::array<int, 3> mesh, int threads) {
  const double na = mesh[0], nb = mesh[1], nc = mesh[2];
  const double real = na * nb * (nc + 16) * 8, half = na * (nb / 2 + 1) * (nc + 8) * 16;
  const double tables = na * (nb / 2 + 1) * nc * 8 * 11;
  const double own = (nb * (nc + 16) * 16 + nb * (nc + 2) * 16) + 2 * na * (nc + 8) * 16;
  return 4 * (real + half) + tables + threads * own;
}

}  // namespace

MeshLayout mesh_layout(std::array<int, 3> mesh) {
  return {mesh, odd_lines(mesh[2] + k_weight_row - 1, 8), odd_lines(mesh[2], 4), (mesh[2] + 1) / 2};
}

void check_mesh_memory(std::array<int, 3> mesh, int threads) {
  constexpr double k_most_points = 1 << 30;
  const double widest = static_cast<double>(mesh[1]) * (mesh[2] + 16.0);
  const double columns = static_cast<double>(mesh[0]) * (mesh[2] + 8.0), rows = 1.0 * mesh[0] * mesh[1];
  const bool indexed = widest < k_most_points && columns < k_most_points && rows < k_most_points;
  check_free_memory(indexed ? solver_bytes(mesh, threads) : std::numeric_limits<double>::infinity(),
                    fmt::format("the mesh {} × {} × {}", mesh[0], mesh[1], mesh[2]));
}

void check_free_memory(double bytes, std::string_view what) {
  const double free = available_bytes();
  require(bytes < free,
          "{} does not fit into memory (it needs {:.3g} GiB, {:.3g} GiB are free); use fewer mesh points",
          what, bytes / 0x1p30, free / 0x1p30);
}

MeshMap mesh_map(const LongRangePlan& plan) {
  const auto& [a, b, c] = plan.box.cell;
  const double det = dot(a, cross(b, c));
  const auto& n = plan.mesh;
  return {n, {n[0] / det * cross(b, c), n[1] / det * cross(c, a), n[2] / det * cross(a, b)}, plan.box.origin};
}

void ChargesByPlane::reserve(std::size_t n, int planes) {
  order.resize(std::max(n, order.size()));
  bin.resize(planes + 1);
}

void ChargesByPlane::sort(const std::int32_t* start, std::int32_t n, int planes) {
  std::fill(bin.begin(), bin.end(), 0);
  for (std::int32_t i = 0; i < n; ++i) ++bin[start[i] + 1];
  for (int a = 0; a < planes; ++a) bin[a + 1] += bin[a];
  for (std::int32_t i = 0; i < n; ++i) order[bin[start[i]]++] = i;
  for (int a = planes; a > 0; --a) bin[a] = bin[a - 1];
  bin[0] = 0;
}

void PlaneLoad::add(const TouchingCharges& touching) {
  for (std::int32_t t = touching.first; t < touching.last; ++t) {
    const double q = std::fabs(touching.stencil[touching.order[t]].charge);
    total_ += q;
    largest_ = std::max(largest_, q);
  }
}

ForceRule::ForceRule(const LongRangePlan& plan, const InfluenceFunction& influence)
    : ad_(plan.differentiation == Differentiation::ad), map_(mesh_map(plan)) {
  if (ad_) self_ = self_force_amplitudes(plan, influence);
  for (int d = 0; d < 3; ++d) to_cartesian_[d] = -(ad_ ? 1 : 2 * M_PI / plan.mesh[d]) * map_.row[d];
}

Vec3 ForceRule::force(const Vec4& charge, Vec3 g) const {
  const Vec3 force = charge.w * (g.x * to_cartesian_[0] + g.y * to_cartesian_[1] + g.z * to_cartesian_[2]);
  return ad_ ? force - self_force(charge) : force;
}

Vec3 ForceRule::self_force(const Vec4& charge) const {
  const auto along = [&](int d, double x, double points_per_length) {
    const double phase =
        2 * M_PI * x * points_per_length;  // of the coordinate itself, wherever the box begins
    const double s = std::sin(phase), c = std::cos(phase);
    return charge.w * charge.w * s * (self_[d][0] + 2 * self_[d][1] * c);
  };
  return {along(0, charge.x, map_.row[0].x), along(1, charge.y, map_.row[1].y),
          along(2, charge.z, map_.row[2].z)};
}

void put_virial_half(std::array<double, 9>& virial, int half, Vec3 v) {
  if (half == 0) {
    virial[0] = v.x;
    virial[1] = virial[3] = v.y;
    virial[2] = virial[6] = v.z;
  } else {
    virial[4] = v.x;
    virial[5] = virial[7] = v.y;
    virial[8] = v.z;
  }
}

}  // namespace nanoday::cpu
