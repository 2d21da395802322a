// Tests of the reduction FFT: against the definition, and for the bits that must not depend on ranks.
// SPDX-License-Identifier: Apache-2.0
#include "reduction_fft.hpp"

#include "brick_mesh.hpp"
#include "core/error.hpp"
#include "even_bricks.hpp"
#include "in_process.hpp"
#include "packed_pair.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

namespace nanoday {
namespace {

using namespace testing;
using Shape = std::array<int, 3>;

Mesh random_mesh(std::array<int, 3> n, unsigned seed, double size = 1) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, size);
  Mesh mesh(static_cast<std::size_t>(n[0]) * n[1] * n[2]);
  for (Complex& value : mesh) value = {normal(random), normal(random)};
  return mesh;
}

/// The transform by shape[0]·shape[1]·shape[2] ranks.
Mesh transform(const Mesh& whole, Shape shape, Shape mesh, TransformSign sign,
               ReductionOptions options = {}) {
  const BrickGrid grid = even_bricks(shape, mesh);
  Mesh result(whole.size());
  run_ranks(static_cast<int>(grid.rank.size()), [&](Transport& t) {
    const MeshBrick brick = grid.brick(t.rank());
    Mesh own = take_brick(whole, brick, mesh);
    ReductionFft fft(grid, t.rank(), make_rings(t, grid), options);
    sign == TransformSign::forward ? fft.forward(View<Complex>(own)) : fft.backward(View<Complex>(own));
    put_brick(own, brick, mesh, result);
  });
  return result;
}

const std::vector<Shape> k_shapes{{1, 1, 1}, {2, 1, 1}, {1, 3, 1}, {1, 1, 5},
                                  {2, 2, 2}, {4, 1, 2}, {3, 2, 1}, {1, 5, 2}};
const std::vector<Shape> k_meshes{{6, 5, 7}, {8, 9, 4}, {3, 10, 5}};

TEST(PackedPair, keeps_all_signs_and_extremes) {
  constexpr std::int64_t low = std::numeric_limits<std::int32_t>::min(), high = -(low + 1);
  for (const std::int64_t a :
       {low, low + 1, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, high - 1, high})
    for (const std::int64_t b :
         {low, low + 1, std::int64_t{-1}, std::int64_t{0}, std::int64_t{1}, high - 1, high}) {
      const IntegerPair pair = unpack_pair(pack_pair({a, b}));
      EXPECT_EQ(pair.high, a);
      EXPECT_EQ(pair.low, b);
    }
}

TEST(PackedPair, sums_are_exact_when_parts_overflow_but_totals_do_not) {
  // Running totals of both halves leave 32 bits, and so do the parts; words wrap around modulo 2^64.
  const std::vector<IntegerPair> parts{
      {2000000000, -2000000000},
      {2000000000, -2000000000},
      {-(std::int64_t{1} << 40), std::int64_t{1} << 40},
      {(std::int64_t{1} << 40) - 4000000007, 4000000003 - (std::int64_t{1} << 40)}};
  std::uint64_t word = 0;
  for (const IntegerPair& part : parts) word += pack_pair(part);
  EXPECT_EQ(unpack_pair(word).high, -7);
  EXPECT_EQ(unpack_pair(word).low, 3);
}

TEST(PackedPair, random_sums_match_64_bit_sums) {
  std::mt19937_64 random(3);
  std::uniform_int_distribution<std::int64_t> part(-(1 << 28), 1 << 28);
  for (int round = 0; round < 1000; ++round) {
    std::uint64_t word = 0;
    std::int64_t high = 0, low = 0;
    for (int k = 0; k < 7; ++k) {
      const IntegerPair pair{part(random), part(random)};
      word += pack_pair(pair);
      high += pair.high;
      low += pair.low;
    }
    ASSERT_EQ(unpack_pair(word).high, high);
    ASSERT_EQ(unpack_pair(word).low, low);
  }
}

TEST(ReductionFft, agrees_with_the_definition_for_any_mesh_and_ranks) {
  for (const Shape& mesh : k_meshes)
    for (const Shape& shape : k_shapes) {
      const Mesh x = random_mesh(mesh, 11);
      // Rounding to 1/S in P shares of a line, amplified by √N in each later stage: below
      // 3·√(N³)·√P/S; a tenth of that was measured (forward, 288 points: 1.3e-6).
      const double tolerance = 3 * std::sqrt(x.size() * 5.0) / 1e7;
      EXPECT_LT(
          largest_difference(transform(x, shape, mesh, TransformSign::forward), definition(x, mesh, -1)),
          tolerance);
      EXPECT_LT(
          largest_difference(transform(x, shape, mesh, TransformSign::backward), definition(x, mesh, 1)),
          tolerance);
    }
}

TEST(ReductionFft, takes_as_many_gate_operations_as_the_design_counts) {
  // 4³ points on each of 8 ranks in a ring: 2b³P/12 = 85.3 operations, 1.8 P = 14.2 rounds; and 3 operations,
  // one round, for the bounds of 16 lines.
  const Shape mesh{32, 4, 4}, shape{8, 1, 1};
  const BrickGrid grid = even_bricks(shape, mesh);
  const Mesh x = random_mesh(mesh, 22), expected = transform(x, shape, mesh, TransformSign::forward);
  run_ranks(8, [&](Transport& t) {
    auto gates = std::make_unique<GateRingSum>(make_software_gates(t.split(0)));
    const GateCount& count = gates->count();
    ReductionFft fft(
        grid, t.rank(),
        {std::move(gates), make_ring_sum(make_self_transport()), make_ring_sum(make_self_transport())}, {});
    Mesh own = take_brick(x, grid.brick(t.rank()), mesh);
    fft.forward(View<Complex>(own));
    EXPECT_EQ(own, take_brick(expected, grid.brick(t.rank()), mesh));
    EXPECT_EQ(count.operations, 86 + 3);
    EXPECT_EQ(count.rounds, 15 + 1);
  });
}

TEST(ReductionFft, error_falls_with_the_scale) {
  const Shape mesh{8, 6, 5};
  const Mesh x = random_mesh(mesh, 12), exact = definition(x, mesh, -1);
  std::vector<double> error;
  for (const double scale : {1e3, 1e4, 1e5})
    error.push_back(
        largest_difference(transform(x, {2, 2, 1}, mesh, TransformSign::forward, {scale, 0}), exact));
  EXPECT_GT(error[0], 4 * error[1]);  // ten times, but for chance
  EXPECT_GT(error[1], 4 * error[2]);
}

TEST(ReductionFft, gives_the_same_bits_on_any_number_of_ranks_when_every_point_is_rounded) {
  for (const Shape& mesh : k_meshes) {
    const Mesh x = random_mesh(mesh, 13);
    for (const TransformSign sign : {TransformSign::forward, TransformSign::backward}) {
      const Mesh one = transform(x, {1, 1, 1}, mesh, sign, {1e7, 1});
      for (const Shape& shape : k_shapes) EXPECT_EQ(transform(x, shape, mesh, sign, {1e7, 1}), one);
    }
  }
}

TEST(ReductionFft, gives_the_same_bits_with_larger_blocks_where_they_fit_the_bricks) {
  const Shape mesh{12, 8, 6};
  const Mesh x = random_mesh(mesh, 14);
  const Mesh one = transform(x, {1, 1, 1}, mesh, TransformSign::forward, {1e7, 2});
  for (const Shape& shape : {Shape{2, 2, 3}, Shape{3, 4, 1}, Shape{6, 1, 1}})
    EXPECT_EQ(transform(x, shape, mesh, TransformSign::forward, {1e7, 2}), one);
}

TEST(ReductionFft, on_one_rank_with_blocks_does_the_arithmetic_of_as_many_ranks) {
  const Shape mesh{8, 8, 8};
  const Mesh x = random_mesh(mesh, 15);
  EXPECT_EQ(transform(x, {1, 1, 1}, mesh, TransformSign::forward, {1e7, 4}),
            transform(x, {2, 2, 2}, mesh, TransformSign::forward, {1e7, 0}));
}

TEST(ReductionFft, leaves_bits_to_the_ranks_when_each_rounds_once) {
  const Shape mesh{8, 8, 8};
  const Mesh x = random_mesh(mesh, 15);
  EXPECT_NE(transform(x, {1, 1, 1}, mesh, TransformSign::forward),
            transform(x, {2, 1, 1}, mesh, TransformSign::forward));
}

TEST(ReductionFft, works_with_more_ranks_than_points) {
  const Shape mesh{3, 2, 4};
  const Mesh x = random_mesh(mesh, 16);
  EXPECT_EQ(transform(x, {5, 3, 1}, mesh, TransformSign::forward, {1e7, 1}),
            transform(x, {1, 1, 1}, mesh, TransformSign::forward, {1e7, 1}));
}

TEST(ReductionFft, lowers_the_scale_of_lines_that_would_overflow) {
  // |X| reaches 2^31/S = 215 at a thousandth of these values.
  const Shape mesh{6, 8, 5};
  const Mesh x = random_mesh(mesh, 17, 1e5), exact = definition(x, mesh, -1);
  double norm = 0;
  for (const Complex& value : exact) norm = std::max(norm, std::abs(value));
  EXPECT_GT(norm, 1e6);
  const Mesh result = transform(x, {2, 2, 1}, mesh, TransformSign::forward);
  EXPECT_LT(largest_difference(result, exact), 1e-7 * norm);
  EXPECT_EQ(transform(x, {3, 1, 2}, mesh, TransformSign::forward, {1e7, 1}),
            transform(x, {1, 1, 1}, mesh, TransformSign::forward, {1e7, 1}));
}

TEST(ReductionFft, never_overflows_where_all_values_add_up) {
  // A constant mesh: the bound is attained, at frequency zero, with the largest number 32 bits allow.
  const Shape mesh{4, 4, 4};
  for (const double value : {1.0, -1.0, 3.3, 53.0, 1e3}) {
    const Mesh x(64, {value, -value});
    EXPECT_LT(
        largest_difference(transform(x, {2, 1, 2}, mesh, TransformSign::forward), definition(x, mesh, -1)),
        1e-6 * 64 * std::fabs(value));
  }
}

TEST(ReductionFft, backward_is_accurate_at_any_magnitude) {
  const Shape mesh{6, 7, 8};
  for (const double size : {1e-8, 1e-3, 1.0, 1e4}) {
    const Mesh x = random_mesh(mesh, 18, size);
    const Mesh result = transform(x, {2, 1, 2}, mesh, TransformSign::backward);
    EXPECT_LT(largest_difference(result, definition(x, mesh, 1)), 1e-5 * size);
  }
}

TEST(ReductionFft, backward_undoes_forward) {
  const Shape mesh{9, 4, 6};
  const Mesh x = random_mesh(mesh, 19);
  Mesh back = transform(transform(x, {3, 1, 2}, mesh, TransformSign::forward), {3, 1, 2}, mesh,
                        TransformSign::backward);
  for (Complex& value : back) value /= static_cast<double>(x.size());
  EXPECT_LT(largest_difference(back, x), 1e-6);
}

TEST(ReductionFft, transforms_zeros_to_zeros) {
  const Mesh zeros(60);
  EXPECT_EQ(transform(zeros, {2, 1, 1}, {3, 4, 5}, TransformSign::forward), zeros);
  EXPECT_EQ(transform(zeros, {2, 1, 1}, {3, 4, 5}, TransformSign::backward), zeros);
}

TEST(ReductionFft, refuses_values_that_no_scale_serves) {
  const Shape mesh{4, 4, 4};
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(), 1e12, 1e200}) {
    Mesh x = random_mesh(mesh, 20);
    x[37] = bad;
    EXPECT_THROW(transform(x, {2, 2, 1}, mesh, TransformSign::forward), RunError);
    EXPECT_THROW(transform(x, {1, 1, 1}, mesh, TransformSign::backward), RunError);
  }
}

TEST(ReductionFft, refuses_blocks_that_bricks_would_cut_and_scales_that_are_none) {
  const Mesh x = random_mesh({6, 6, 6}, 21);
  EXPECT_THROW(transform(x, {1, 1, 2}, {6, 6, 6}, TransformSign::forward, {1e7, 2}), InputError);
  EXPECT_THROW(transform(x, {1, 1, 1}, {6, 6, 6}, TransformSign::forward, {0, 1}), InputError);
}

}  // namespace
}  // namespace nanoday
