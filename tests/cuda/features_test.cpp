// Products of columns and their gradients, row by row, against plain loops.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/features.hpp"

#include "fitting_support.hpp"

#include <gtest/gtest.h>

#include <cstring>

using namespace nanoday;
using namespace nanoday::reference;

namespace {

using Plan = std::shared_ptr<const InferencePlan>;

/// Features there and back with ∂E/∂S = random numbers, compared with loops over the plan.
template <class Real>
struct FeaturesRun {
  explicit FeaturesRun(const Plan& plan, RowDeal deal = {}) : pass(plan, deal) {
    const gpu::PassBuffers<Real> b = pass.buffers();
    features_forward(pass.stream, pass.model, pass.view(), b, true);
    s = pass.fetched_features();
    std::mt19937_64 random(9);
    ds.resize(s.size());
    for (Real& x : ds) x = static_cast<Real>(random_numbers(1, random)[0]);
    pass.set_features(ds);
    features_backward(pass.stream, pass.model, pass.view(), pass.buffers(), nullptr);
    da = pass.fetched_a();
  }

  /// The plan's order of features is not that of the kernels: both are compared as p, q, value.
  double forward_error() {
    Numbers got, expected;
    pass.for_each_row([&](const gpu::Tile& tile, int r, int) {
      const auto& g = pass.model.groups()[tile.group];
      const CentrePlan& centre = pass.plan_of(tile).centres[pass.type_of(tile)];
      const Numbers reference = features_of(centre, pass.a_of(tile, r));
      for (std::size_t f = 0; f < reference.size(); ++f) {
        int k = 0;
        while (g.pair_p[k] != centre.pair_p[f] || g.pair_q[k] != centre.pair_q[f]) ++k;
        got.push_back(s[tile.features + std::int64_t{r} * g.n_features + k]);
        expected.push_back(reference[f]);
      }
    });
    return relative_error(got, expected);
  }

  double backward_error() {
    Numbers got, expected;
    pass.for_each_row([&](const gpu::Tile& tile, int r, int) {
      const auto& g = pass.model.groups()[tile.group];
      const CentrePlan& centre = pass.plan_of(tile).centres[pass.type_of(tile)];
      CentrePlan sorted = centre;  // the same pairs in the order of ds
      const std::size_t n = centre.pair_p.size();
      sorted.pair_p.assign(g.pair_p, g.pair_p + n);
      sorted.pair_q.assign(g.pair_q, g.pair_q + n);
      const auto from = tile.features + std::int64_t{r} * g.n_features;
      const Numbers ds_row(ds.begin() + from, ds.begin() + from + static_cast<std::int64_t>(n));
      const Numbers reference = features_gradient(sorted, pass.a_of(tile, r), ds_row);
      const Numbers row = pass.part(da, tile.a, r, tile);
      got.insert(got.end(), row.begin(), row.end());
      expected.insert(expected.end(), reference.begin(), reference.end());
    });
    return relative_error(got, expected);
  }

  NetPass<Real> pass;
  std::vector<Real> s, ds, da;
};

Plan wide_plan(TableKind table, int m1, int m2) {
  return plan_of(shared(toy_model({.embedding = {4, m1}, .fitting = {3}, .m2 = m2})), table);
}

template <class Real>
void expect_errors(const Plan& plan, double tolerance, RowDeal deal = {}) {
  FeaturesRun<Real> run(plan, deal);
  EXPECT_LE(run.forward_error(), tolerance);
  EXPECT_LE(run.backward_error(), tolerance);
}

}  // namespace

// Sums of some hundred products in Real, relative to the largest. Measured: 9e-16 and 3.1e-7.
constexpr double k_double = 1e-13, k_float = 2e-6;

TEST(Features, rotated_columns_and_their_products_agree_with_plain_loops) {
  const Plan plan = lowrank_plan(shared(toy_model({.fitting = {5}})), {.rank = 5, .n_rotated = 9});
  expect_errors<double>(plan, k_double);
  expect_errors<float>(plan, k_float);
}

TEST(Features, columns_may_stay_as_they_are) {
  const Plan plan = lowrank_plan(shared(toy_model({.fitting = {5}})), {.rank = 5, .n_rotated = 0});
  expect_errors<double>(plan, k_double);
  expect_errors<float>(plan, k_float);
}

TEST(Features, chunks_of_products_are_added_up) {
  // As water's: some fifty columns, more products than three chunks hold.
  const auto model = shared(toy_model({.embedding = {13, 26}, .fitting = {5}}));
  const Plan plan = lowrank_plan(model, {.rank = 26, .n_rotated = 50, .n_features = 501});
  expect_errors<double>(plan, k_double, {.rows = {20, 64}, .gap = 5});
  expect_errors<float>(plan, k_float, {.rows = {20, 64}, .gap = 5});
}

TEST(Features, columns_too_many_for_a_blocks_memory_take_fewer_rows_at_a_time) {
  expect_errors<double>(wide_plan(TableKind::net, 300, 2), k_double, {.rows = {9, 0}, .gap = 0});
  expect_errors<float>(wide_plan(TableKind::net, 1000, 1), k_float, {.rows = {9, 0}, .gap = 0});
}

TEST(Features, rows_of_the_exact_plan_are_done_beside_those_of_the_plan) {
  const auto model = shared(toy_model({.embedding = {16, 128}, .fitting = {5}, .m2 = 4}));
  const Plan plan = lowrank_plan(model, {.rank = 5, .n_rotated = 9});
  expect_errors<double>(plan, k_double, {.rows = {70, 3}, .exact = {65, 7}, .taken = 9});
  expect_errors<float>(plan, k_float, {.rows = {70, 3}, .exact = {0, 128}, .taken = 9});
}

TEST(Features, rows_that_give_nothing_become_zero_where_dense_layers_read_them) {
  const Plan plan = lowrank_plan(shared(toy_model({.fitting = {5}})));
  const FeaturesRun<double> run(plan, {.rows = {70, 3}, .exact = {65, 0}, .taken = 9});
  for (std::size_t k = 0; k < run.pass.tiles.size(); ++k) {
    const gpu::Tile& tile = run.pass.tiles[k];
    const int n = run.pass.model.groups()[tile.group].n_features;
    const bool unused = tile.group == 3;  // nobody gave away a row of it
    for (int r = 0; r < gpu::k_tile_rows; ++r) {
      const bool gives = run.pass.atoms[tile.row + r] >= 0 && !run.pass.is_taken(tile, r);
      for (int f = 0; f < n && !gives && !unused; ++f)
        ASSERT_EQ(run.s[tile.features + std::int64_t{r} * n + f], 0.0) << k << " " << r;
    }
  }
}

TEST(Features, threads_in_reverse_order_give_the_same_bits) {
  const auto model = shared(toy_model({.embedding = {13, 26}, .fitting = {5}}));
  const Plan plan = lowrank_plan(model, {.rank = 26, .n_rotated = 50, .n_features = 301});
  const RowDeal deal{.rows = {20, 64}, .exact = {5, 0}, .taken = 9};
  const FeaturesRun<float> forward(plan, deal);
  gpu::set_thread_order(true);
  const FeaturesRun<float> reversed(plan, deal);
  gpu::set_thread_order(false);
  EXPECT_EQ(std::memcmp(forward.s.data(), reversed.s.data(), forward.s.size() * sizeof(float)), 0);
  EXPECT_EQ(std::memcmp(forward.da.data(), reversed.da.data(), forward.da.size() * sizeof(float)), 0);
}
