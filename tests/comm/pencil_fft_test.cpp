// Tests of the pencil FFT: against the definition, and the same bits on any number of ranks.
// SPDX-License-Identifier: Apache-2.0
#include "pencil_fft.hpp"

#include "even_bricks.hpp"
#include "in_process.hpp"

#include <gtest/gtest.h>

#include <random>

namespace nanoday {
namespace {

using namespace testing;
using Shape = std::array<int, 3>;

Mesh random_mesh(Shape n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Mesh mesh(static_cast<std::size_t>(n[0]) * n[1] * n[2]);
  for (Complex& value : mesh) value = {normal(random), normal(random)};
  return mesh;
}

/// Forward, and backward of the same values; twice each, as plans are used again.
std::array<Mesh, 2> transforms(const Mesh& whole, Shape shape, Shape mesh) {
  const BrickGrid grid = even_bricks(shape, mesh);
  std::array<Mesh, 2> result{Mesh(whole.size()), Mesh(whole.size())};
  run_ranks(static_cast<int>(grid.rank.size()), [&](Transport& t) {
    const MeshBrick brick = grid.brick(t.rank());
    PencilFft fft(grid, t.split(0));
    for (int round = 0; round < 2; ++round) {
      Mesh forward = take_brick(whole, brick, mesh), backward = forward;
      fft.forward(View<Complex>(forward));
      fft.backward(View<Complex>(backward));
      put_brick(forward, brick, mesh, result[0]);
      put_brick(backward, brick, mesh, result[1]);
    }
  });
  return result;
}

const std::vector<Shape> k_shapes{{1, 1, 1}, {2, 1, 1}, {1, 3, 1}, {2, 1, 2}, {5, 1, 1},
                                  {1, 7, 1}, {2, 2, 2}, {1, 2, 4}, {3, 2, 2}};

TEST(PencilFft, agrees_with_the_definition) {
  // Rounding of double precision: 1.5e-15 of √(N³) measured, most of it the definition's.
  for (const Shape& mesh : {Shape{6, 5, 7}, Shape{8, 9, 4}, Shape{1, 2, 30}})
    for (const Shape& shape : k_shapes) {
      const Mesh x = random_mesh(mesh, 31);
      const auto [forward, backward] = transforms(x, shape, mesh);
      EXPECT_LT(largest_difference(forward, definition(x, mesh, -1)), 2e-14 * std::sqrt(x.size()));
      EXPECT_LT(largest_difference(backward, definition(x, mesh, 1)), 2e-14 * std::sqrt(x.size()));
    }
}

TEST(PencilFft, gives_the_same_bits_on_any_number_of_ranks) {
  for (const Shape& mesh : {Shape{16, 12, 10}, Shape{9, 7, 15}, Shape{2, 3, 2}}) {
    const Mesh x = random_mesh(mesh, 32);
    const auto one = transforms(x, {1, 1, 1}, mesh);
    for (const Shape& shape : k_shapes) EXPECT_EQ(transforms(x, shape, mesh), one);
  }
}

TEST(PencilDistribution, gives_every_point_to_one_rank_and_place) {
  const Shape mesh{5, 6, 7};
  for (const int n_ranks : {1, 2, 3, 7, 40})
    for (std::size_t along = 0; along < 3; ++along) {
      const PencilDistribution pencils(mesh, along, n_ranks);
      std::size_t points = 0;
      for (int r = 0; r < n_ranks; ++r) {
        std::vector<int> taken(pencils.size(r));
        pencils.for_points(r, [&](MeshPoint p) {
          EXPECT_EQ(pencils.owner(p), r);
          EXPECT_EQ(++taken.at(pencils.index(r, p)), 1);
          ++points;
        });
      }
      EXPECT_EQ(points, 5u * 6u * 7u);
    }
}

}  // namespace
}  // namespace nanoday
