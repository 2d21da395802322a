// A mesh in bricks for tests: every operation gathers all of the mesh on every rank and keeps the rank's own
// part. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/mesh_ranks.hpp"
#include "transport.hpp"

#include <cmath>
#include <vector>

namespace nanoday::reference {

/// Bricks of a grid with any cuts; rank (a, b, c) is number (a · shape_b + b) · shape_c + c.
struct Cuts {
  std::array<int, 3> mesh{};
  std::array<std::vector<int>, 3> at;  ///< (bricks + 1) along a, b, c: 0 … mesh

  std::array<int, 3> shape() const {
    return {int(at[0].size()) - 1, int(at[1].size()) - 1, int(at[2].size()) - 1};
  }
  int ranks() const { return shape()[0] * shape()[1] * shape()[2]; }
  MeshBrick brick(int rank) const {
    const auto n = shape();
    const std::array<int, 3> place{rank / (n[1] * n[2]), rank / n[2] % n[1], rank % n[2]};
    MeshBrick brick;
    for (int d = 0; d < 3; ++d) {
      brick.begin[d] = at[d][place[d]];
      brick.end[d] = at[d][place[d] + 1];
    }
    return brick;
  }
  /// The rank that owns a point given by its fractions, 0 ≤ f < 1.
  int owner(std::array<double, 3> fraction) const {
    int rank = 0;
    for (int d = 0; d < 3; ++d) {
      int place = 0;
      while (at[d][place + 1] <= fraction[d] * mesh[d]) ++place;
      rank = rank * shape()[d] + place;
    }
    return rank;
  }
};

class GatheredMesh final : public MeshRanks {
 public:
  GatheredMesh(Transport& transport, const Cuts& cuts, std::array<int, 3> margin)
      : transport_(transport), mesh_(cuts.mesh), brick_(cuts.brick(transport.rank())), margin_(margin) {}
  int rank() const override { return transport_.rank(); }
  int size() const override { return transport_.size(); }
  void sum(View<std::int64_t> values) override { transport_.all_reduce_sum(values); }
  double largest(double value) override {
    transport_.all_reduce_max({&value, 1});
    return value;
  }
  bool bricks() const override { return true; }
  MeshBrick brick() const override { return brick_; }
  std::array<int, 3> margin() const override { return margin_; }

  void fold(View<std::int64_t> with_margins) override {
    std::vector<std::int64_t> whole(points());
    for_points(true, [&](std::size_t at, std::size_t point, bool) { whole[point] += with_margins[at]; });
    transport_.all_reduce_sum(View<std::int64_t>(whole));
    for_points(true, [&](std::size_t at, std::size_t point, bool own) {
      with_margins[at] = own ? whole[point] : 0;
    });
  }
  void expand(View<double> with_margins) override {
    std::vector<double> whole(points());
    for_points(true, [&](std::size_t at, std::size_t point, bool own) {
      if (own) whole[point] = with_margins[at];
    });
    transport_.all_reduce_sum(View<double>(whole));
    for_points(true, [&](std::size_t at, std::size_t point, bool) { with_margins[at] = whole[point]; });
  }
  void forward(View<std::complex<double>> brick) override { transform(brick, -1); }
  void backward(View<std::complex<double>> brick) override { transform(brick, 1); }

 private:
  using C = std::complex<double>;

  std::size_t points() const { return std::size_t(mesh_[0]) * mesh_[1] * mesh_[2]; }

  /// Calls use(place in the brick's array, place in the whole mesh, own) for the brick with or without
  /// margins.
  template <class Use>
  void for_points(bool margins, Use use) const {
    std::array<int, 3> low{}, high{};
    for (int d = 0; d < 3; ++d) {
      low[d] = brick_.begin[d] - (margins ? margin_[d] : 0);
      high[d] = brick_.end[d] + (margins ? margin_[d] : 0);
    }
    const auto wrap = [&](int i, int d) { return std::size_t(((i % mesh_[d]) + mesh_[d]) % mesh_[d]); };
    const auto inside = [&](int i, int d) { return i >= brick_.begin[d] && i < brick_.end[d]; };
    std::size_t at = 0;
    for (int a = low[0]; a < high[0]; ++a)
      for (int b = low[1]; b < high[1]; ++b)
        for (int c = low[2]; c < high[2]; ++c)
          use(at++, (wrap(a, 0) * mesh_[1] + wrap(b, 1)) * mesh_[2] + wrap(c, 2),
              inside(a, 0) && inside(b, 1) && inside(c, 2));
  }

  void transform(View<C> brick, int sign) {
    std::vector<C> whole(points());
    for_points(false, [&](std::size_t at, std::size_t point, bool) { whole[point] = brick[at]; });
    transport_.all_reduce_sum(View<double>(reinterpret_cast<double*>(whole.data()), 2 * whole.size()));
    const std::size_t stride[3] = {std::size_t(mesh_[1]) * mesh_[2], std::size_t(mesh_[2]), 1};
    for (int d = 0; d < 3; ++d) {
      std::vector<C> wave;
      for (int j = 0; j < mesh_[d]; ++j) wave.push_back(std::polar(1.0, sign * 2 * M_PI * j / mesh_[d]));
      for (std::size_t first = 0; first < whole.size(); ++first)
        if (first / stride[d] % mesh_[d] == 0) transform_line(whole.data() + first, stride[d], wave);
    }
    for_points(false, [&](std::size_t at, std::size_t point, bool) { brick[at] = whole[point]; });
  }

  static void transform_line(C* line, std::size_t stride, const std::vector<C>& wave) {
    const int n = int(wave.size());
    std::vector<C> out(n);
    for (int k = 0; k < n; ++k)
      for (int j = 0; j < n; ++j) out[k] += line[j * stride] * wave[j * k % n];
    for (int k = 0; k < n; ++k) line[k * stride] = out[k];
  }

  Transport& transport_;
  std::array<int, 3> mesh_;
  MeshBrick brick_;
  std::array<int, 3> margin_;
};

}  // namespace nanoday::reference
