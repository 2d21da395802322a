// Which way ranks share a mesh, from plain numbers.
// SPDX-License-Identifier: Apache-2.0
#include "forces/fft_choice.hpp"

#include "core/error.hpp"
#include "in_process.hpp"
#include "machines.hpp"
#include "reference/long_range_cases.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace nanoday {
namespace {

using enum FftMethod;

/// 12 ns per point and 32³ points; 2 GFMA/s; all-reduces that take 10 µs and 1 GB/s, messages of 3 µs.
FftProblem usual(std::array<int, 3> ranks) {
  return {{32, 32, 32}, ranks, Differentiation::ik, false, true, 12e-9 * 32768, 2e-9, 10e-6, 3e-6, 1e-9};
}

FftMethod chosen(const FftProblem& problem) { return choose_fft(problem, std::nullopt).method; }

TEST(FftChoice, one_rank_transforms_by_itself) {
  EXPECT_EQ(chosen(usual({1, 1, 1})), local);
  FftProblem reproducible = usual({1, 1, 1});
  reproducible.reproducible = true;
  EXPECT_EQ(chosen(reproducible), local);
}

TEST(FftChoice, slow_messages_are_few_messages) {
  // An all-reduce of 1 ms: one of them beats dozens of messages whatever is transformed.
  FftProblem problem = usual({2, 2, 2});
  problem.latency = 1e-3;
  problem.message = 3e-4;
  EXPECT_EQ(chosen(problem), replicated);
}

TEST(FftChoice, a_large_mesh_on_many_ranks_is_cut) {
  FftProblem problem = usual({4, 4, 4});
  problem.mesh = {256, 256, 256};
  problem.solve_seconds *= 512;
  EXPECT_EQ(chosen(problem), pencil);
}

TEST(FftChoice, a_network_that_adds_up_fast_is_used_for_it) {
  // Few points per rank and messages as slow as a sixth of an all-reduce, as on the torus the reduction was
  // made for.
  FftProblem problem = usual({8, 8, 8});
  problem.latency = 6e-6;
  problem.message = 1e-6;
  problem.byte_seconds = 5e-10;
  problem.product_seconds = 1e-10;
  EXPECT_EQ(chosen(problem), reduction);
}

TEST(FftChoice, reproducible_runs_replicate_unless_the_mesh_is_too_large_for_that) {
  FftProblem problem = usual({4, 4, 4});
  problem.reproducible = true;
  for (const double latency : {1e-7, 1e-3}) {
    problem.latency = latency;
    EXPECT_EQ(chosen(problem), replicated);
  }
  problem.mesh = {1024, 1024, 1024};
  EXPECT_EQ(chosen(problem), pencil);
  EXPECT_TRUE(std::isinf(fft_seconds(problem)[static_cast<int>(replicated)]));
}

TEST(FftChoice, a_machine_that_needs_whole_meshes_replicates_them) {
  FftProblem problem = usual({8, 8, 8});
  problem.bricks = false;
  for (const int points : {32, 1024})
    for (const bool reproducible : {false, true}) {
      problem.mesh = {points, points, points};
      problem.reproducible = reproducible;
      EXPECT_EQ(chosen(problem), replicated);
    }
}

TEST(FftChoice, costs_grow_with_what_they_consist_of) {
  const auto before = fft_seconds(usual({2, 2, 2}));
  const auto with = [&](auto change) {
    FftProblem problem = usual({2, 2, 2});
    change(problem);
    return fft_seconds(problem);
  };
  const auto latency = with([](auto& p) { p.latency *= 2; });
  const auto bytes = with([](auto& p) { p.byte_seconds *= 2; });
  const auto products = with([](auto& p) { p.product_seconds *= 2; });
  const auto messages = with([](auto& p) { p.message *= 2; });
  for (const int m : {1, 2, 3}) {
    EXPECT_EQ(latency[m] > before[m], m != static_cast<int>(pencil));
    EXPECT_EQ(messages[m] > before[m], m != static_cast<int>(replicated));
    EXPECT_GT(bytes[m], before[m]);
    EXPECT_EQ(products[m] > before[m], m == static_cast<int>(reduction));
  }
  // Replicated: the whole solve, one all-reduce of all points.
  EXPECT_DOUBLE_EQ(before[1], 12e-9 * 32768 + 10e-6 + 8 * 32768e-9);
}

TEST(FftChoice, what_is_asked_for_is_taken_but_local_needs_one_rank) {
  for (const FftMethod method : {replicated, reduction, pencil}) {
    const FftChoice choice = choose_fft(usual({1, 2, 2}), method);
    EXPECT_EQ(choice.method, method);
    EXPECT_NE(fft_text(choice).find(std::string(fft_name(method)) + ", as asked ("), std::string::npos);
  }
  EXPECT_EQ(choose_fft(usual({1, 1, 1}), local).method, local);
  EXPECT_THROW(choose_fft(usual({1, 1, 2}), local), InputError);
}

TEST(FftChoice, ranks_measure_the_same_numbers_and_choose_alike) {
  const LongRangePlan plan = reference::mesh_plan(reference::shifted_box(), 0.4, {12, 10, 60}, 5);
  std::vector<FftProblem> of_rank(3);
  run_ranks(3, [&](Transport& transport) {
    const auto backend = make_backend({.device = "cpu", .threads = 1});
    of_rank[transport.rank()] = measure_fft(*backend, transport, plan, {1, 1, 3});
  });
  for (const FftProblem& problem : of_rank) {
    EXPECT_EQ(fft_seconds(problem), fft_seconds(of_rank[0]));
    EXPECT_GT(problem.solve_seconds, 0);
    EXPECT_GT(problem.product_seconds, 0);
    EXPECT_GT(problem.latency, 0);
    EXPECT_GT(problem.message, 0);
    EXPECT_EQ(chosen(problem), chosen(of_rank[0]));
  }
}

}  // namespace
}  // namespace nanoday
