// Meshes cut evenly into bricks, and their transforms from the definition, for tests.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "brick_grid.hpp"

#include <cmath>
#include <complex>
#include <numbers>
#include <vector>

namespace nanoday::testing {

using Complex = std::complex<double>;
using Mesh = std::vector<Complex>;

/// Bricks of equal size, or nearly so; ranks in the order of their places.
inline BrickGrid even_bricks(std::array<int, 3> shape, std::array<int, 3> mesh) {
  BrickGrid grid;
  grid.mesh = mesh;
  for (int d = 0; d < 3; ++d)
    for (int p = 0; p <= shape[d]; ++p) grid.cut[d].push_back((p * mesh[d] + shape[d] - 1) / shape[d]);
  for (int a = 0; a < shape[0]; ++a)
    for (int b = 0; b < shape[1]; ++b)
      for (int c = 0; c < shape[2]; ++c) {
        grid.rank.push_back(static_cast<int>(grid.rank.size()));
        grid.place.push_back({a, b, c});
      }
  return grid;
}

/// Calls use(index in the whole mesh, index in the brick).
template <class F>
void for_brick_points(const MeshBrick& brick, std::array<int, 3> mesh, F use) {
  std::size_t here = 0;
  for (int a = brick.begin[0]; a < brick.end[0]; ++a)
    for (int b = brick.begin[1]; b < brick.end[1]; ++b)
      for (int c = brick.begin[2]; c < brick.end[2]; ++c)
        use((static_cast<std::size_t>(a) * mesh[1] + b) * mesh[2] + c, here++);
}

inline int wrapped(int i, int n) { return ((i % n) + n) % n; }

/// Calls use(index in an array with margins, index in the whole mesh, true in the brick itself).
template <class F>
void for_margin_points(const MeshBrick& brick, std::array<int, 3> margin, std::array<int, 3> mesh, F use) {
  std::size_t here = 0;
  for (int a = brick.begin[0] - margin[0]; a < brick.end[0] + margin[0]; ++a)
    for (int b = brick.begin[1] - margin[1]; b < brick.end[1] + margin[1]; ++b)
      for (int c = brick.begin[2] - margin[2]; c < brick.end[2] + margin[2]; ++c) {
        const bool inside = a >= brick.begin[0] && a < brick.end[0] && b >= brick.begin[1] &&
                            b < brick.end[1] && c >= brick.begin[2] && c < brick.end[2];
        const std::size_t there =
            (static_cast<std::size_t>(wrapped(a, mesh[0])) * mesh[1] + wrapped(b, mesh[1])) * mesh[2] +
            wrapped(c, mesh[2]);
        use(here++, there, inside);
      }
}

inline Mesh take_brick(const Mesh& whole, const MeshBrick& brick, std::array<int, 3> mesh) {
  Mesh own(brick.points());
  for_brick_points(brick, mesh, [&](std::size_t there, std::size_t here) { own[here] = whole[there]; });
  return own;
}

inline void put_brick(const Mesh& own, const MeshBrick& brick, std::array<int, 3> mesh, Mesh& whole) {
  for_brick_points(brick, mesh, [&](std::size_t there, std::size_t here) { whole[there] = own[here]; });
}

/// Σ_j x[j] e^{±2πi j·k/N}, one dimension after the other, each by its definition.
inline Mesh definition(Mesh x, std::array<int, 3> mesh, int sign) {
  std::array<std::size_t, 3> stride{static_cast<std::size_t>(mesh[1]) * mesh[2],
                                    static_cast<std::size_t>(mesh[2]), 1};
  for (int d = 0; d < 3; ++d) {
    const std::size_t n = mesh[d];
    Mesh y(x.size());
    for (std::size_t at = 0; at < x.size(); ++at) {
      const std::size_t k = at / stride[d] % n, first = at - k * stride[d];
      for (std::size_t j = 0; j < n; ++j)
        y[at] +=
            x[first + j * stride[d]] * std::polar(1.0, sign * 2 * std::numbers::pi * double(j * k % n) / n);
    }
    x = y;
  }
  return x;
}

inline double largest_difference(const Mesh& a, const Mesh& b) {
  double most = 0;
  for (std::size_t k = 0; k < a.size(); ++k) most = std::max(most, std::abs(a[k] - b[k]));
  return most;
}

}  // namespace nanoday::testing
