// The reciprocal vectors of a direct sum in the order its loops take them, and their weights.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/reciprocal_lines.hpp"

#include "math/reciprocal_grid.hpp"

#include <algorithm>
#include <numbers>

namespace nanoday::cpu {
namespace {

/// Signs that make (nx, ±ny, ±nz) different vectors, no two of them opposite: the first index that is not
/// zero stays positive.
bool distinct(int nx, int ny, int nz, int sign) {
  const bool flip_y = (sign & 2) != 0, flip_z = (sign & 1) != 0;
  if (nx == 0 && ny == 0 && nz == 0) return false;
  if (flip_y && (ny == 0 || nx == 0)) return false;
  return !flip_z || (nz > 0 && (nx > 0 || ny > 0));
}

/// Largest nz ≤ limit with a vector (nx, ±ny, ±nz) of length ≤ k_far; −1 when there is none.
int last_index(const ReciprocalLines& lines, int nx, int ny, int limit, double k_far) {
  for (int nz = limit; nz >= 0; --nz)
    for (int sign = 0; sign < 4; ++sign)
      if (norm(lines.wave_vector(nx, ny, nz, sign)) <= k_far) return nz;
  return -1;
}

void add_line(ReciprocalLines& lines, int nx, int ny, int nz_max, double prefactor) {
  const int rows = (nx > 0 ? 2 : 1) * (ny > 0 ? 2 : 1), columns = 2 * nz_max + 1;
  lines.line.push_back(
      {nx, ny, nz_max, rows, columns, lines.table_size, static_cast<std::int64_t>(lines.weight.size())});
  lines.table_size += rows * columns;
  for (int nz = 0; nz <= nz_max; ++nz)
    for (int sign = 0; sign < 4; ++sign) {
      const Vec3 k = lines.wave_vector(nx, ny, nz, sign);
      lines.weight.push_back(distinct(nx, ny, nz, sign) ? prefactor * gaussian_green(dot(k, k), lines.beta)
                                                        : 0);
    }
  lines.n_max = {std::max(lines.n_max[0], nx), std::max(lines.n_max[1], ny),
                 std::max(lines.n_max[2], nz_max)};
}

/// The eight sums of |nx|, |ny|, |nz|: entry 4 sx + 2 sy + sz, s = 0 for cos and 1 for sin. `at` is −1 where
/// the wave is sin 0.
struct Octet {
  std::array<std::int64_t, 8> at;
};

Octet octet_of(const ReciprocalLine& line, int nz) {
  Octet octet{};
  for (int e = 0; e < 8; ++e) {
    const int sx = e >> 2, sy = (e >> 1) & 1, sz = e & 1;
    const bool absent = (sx && line.nx == 0) || (sy && line.ny == 0) || (sz && nz == 0);
    const int row = line.ny > 0 ? 2 * sx + sy : sx;
    const int column = nz == 0 ? 0 : 2 * nz - 1 + sz;
    octet.at[e] = absent ? -1 : line.table + column * line.rows + row;
  }
  return octet;
}

/// Contribution of each of the eight sums to S(nx, ±ny, ±nz): those with an even number of sines to the real
/// part, the others to the imaginary part; i² = −1 for two sines, and a sign for each flipped sine.
double share_of(int entry, int sign) {
  const int flipped = entry & sign;
  const int sines = ((entry >> 2) & 1) + ((entry >> 1) & 1) + (entry & 1);
  const bool negative = (sines >= 2) != ((((flipped >> 1) ^ flipped) & 1) != 0);
  return negative ? -1 : 1;
}
bool imaginary(int entry) { return (((entry >> 2) ^ (entry >> 1) ^ entry) & 1) != 0; }

}  // namespace

std::pair<const ReciprocalLine*, const ReciprocalLine*> ReciprocalLines::share(int me, int size) const {
  const auto cut = [&](int member) {
    const std::int64_t goal = table_size * member / size;
    return std::lower_bound(line.data(), line.data() + line.size(), goal,
                            [](const ReciprocalLine& l, std::int64_t w) { return l.table < w; });
  };
  return {cut(me), me + 1 == size ? line.data() + line.size() : cut(me + 1)};
}

Vec3 ReciprocalLines::wave_vector(int nx, int ny, int nz, int sign) const {
  const double y = (sign & 2) != 0 ? -ny : ny, z = (sign & 1) != 0 ? -nz : nz;
  return 2 * std::numbers::pi * (double(nx) * reciprocal[0] + y * reciprocal[1] + z * reciprocal[2]);
}

ReciprocalLines make_reciprocal_lines(const LongRangePlan& plan) {
  const auto [limit, k_far] = direct_sum_reach(plan);
  ReciprocalLines lines;
  lines.beta = plan.beta;
  const auto& [a, b, c] = plan.box.cell;
  const double inverse = 1 / dot(a, cross(b, c));
  lines.reciprocal = {inverse * cross(b, c), inverse * cross(c, a), inverse * cross(a, b)};
  const double prefactor = 2 * plan.coulomb / plan.box.volume();
  for (int nx = 0; nx <= limit[0]; ++nx)
    for (int ny = 0; ny <= limit[1]; ++ny) {
      const int nz_max = last_index(lines, nx, ny, limit[2], k_far);
      if (nz_max >= 0) add_line(lines, nx, ny, nz_max, prefactor);
    }
  return lines;
}

void apply_green(const ReciprocalLines& lines, const ReciprocalLine& line, int component, const double* sums,
                 double* coefficients, LineTotals* totals) {
  if (totals != nullptr) *totals = {};
  for (int nz = 0; nz <= line.nz_max; ++nz) {
    const Octet octet = octet_of(line, nz);
    std::array<double, 8> in{}, out{};
    for (int e = 0; e < 8; ++e) in[e] = octet.at[e] < 0 ? 0 : sums[octet.at[e]];
    for (int sign = 0; sign < 4; ++sign) {
      double weight = lines.weight[line.weight + 4 * nz + sign];
      if (weight == 0) continue;
      double real = 0, imag = 0;
      for (int e = 0; e < 8; ++e) (imaginary(e) ? imag : real) += share_of(e, sign) * in[e];
      const Vec3 k = lines.wave_vector(line.nx, line.ny, nz, sign);
      if (totals != nullptr) {
        const double energy = 0.5 * weight * (real * real + imag * imag);
        (*totals)[0] += energy;
        for (int v = 0; v < 6; ++v) (*totals)[1 + v] += energy * strain_factor(k, lines.beta, v);
      }
      if (component >= 0) weight *= strain_factor(k, lines.beta, component);
      for (int e = 0; e < 8; ++e) out[e] += share_of(e, sign) * weight * (imaginary(e) ? imag : real);
    }
    for (int e = 0; e < 8; ++e)
      if (octet.at[e] >= 0) coefficients[octet.at[e]] = out[e];
  }
}

}  // namespace nanoday::cpu
