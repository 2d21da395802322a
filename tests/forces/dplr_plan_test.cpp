// The long-range part's plan: constants, mesh, threads, and what is refused with which words.
// SPDX-License-Identifier: Apache-2.0
#include "forces/dplr_plan.hpp"

#include "core/error.hpp"
#include "forces/mesh_choice.hpp"
#include "forces/plan_search.hpp"
#include "machines.hpp"
#include "reference/compare.hpp"
#include "reference/dplr.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace reference;

struct DplrPlanTest : testing::Test {
  std::unique_ptr<Backend> backend = make_backend({.device = "cpu", .threads = 2});
  std::shared_ptr<const Model> model = model_named("water_dplr.pb");
  System system = small_water();
  LongRangeOptions options;

  ChosenDplr choose() {
    return choose_dplr(*backend, exact_plan(model), exact_plan(model->dipole_charge->wannier), system.box,
                       atoms_of(system), options);
  }
  LongRangePlan chosen() { return choose().plan->solver; }
  void expect_refused(const std::vector<std::string>& parts) {
    try {
      choose();
      FAIL() << "nothing was thrown";
    } catch (const InputError& error) {
      const std::string text = error.what();
      for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string::npos) << text;
    }
  }
  void keep(const std::vector<std::size_t>& atoms) {
    System part{system.box, {}, {}};
    for (const std::size_t i : atoms) {
      part.type.push_back(system.type[i]);
      part.position.push_back(system.position[i]);
    }
    system = part;
  }
};

TEST_F(DplrPlanTest, takes_the_constants_of_the_training_or_of_lammps) {
  const double beta = model->dipole_charge->beta;
  const LongRangePlan trained = chosen();
  EXPECT_EQ(trained.coulomb, 14.39964535475696995);
  EXPECT_EQ(trained.beta, double(float(beta)));
  EXPECT_EQ(trained.influence_4pi, 4 * std::numbers::pi);
  options.lammps_constants = true;
  const LongRangePlan lammps = chosen();
  EXPECT_EQ(lammps.coulomb, 14.399645);
  EXPECT_EQ(lammps.beta, beta);
  EXPECT_EQ(lammps.influence_4pi, 12.5663706);
}

TEST_F(DplrPlanTest, the_mesh_keeps_the_error_it_was_asked_for) {
  options.method = LongRangeMethod::pppm;
  for (const double error : {1e-3, 1e-5, 1e-7}) {
    options.mesh_error = error;
    const MeshReport mesh = choose().mesh;
    EXPECT_LE(mesh.estimate, error * k_coulomb);
    EXPECT_LE(mesh.rms, error * k_coulomb);
    EXPECT_GT(mesh.rms, 0);
  }
}

TEST_F(DplrPlanTest, a_mesh_that_is_given_is_taken) {
  options.mesh = {12, 15, 20};
  options.order = 4;
  options.differentiation = Differentiation::ad;
  const LongRangePlan plan = chosen();
  EXPECT_EQ(plan.mesh, options.mesh);
  EXPECT_EQ(plan.order, 4);
  EXPECT_EQ(plan.differentiation, Differentiation::ad);
}

TEST_F(DplrPlanTest, what_is_left_open_is_the_faster_solver) {
  EXPECT_EQ(chosen().method, LongRangeMethod::direct);
  system = water_box(Box::orthorhombic(25, 25, 25), 8, 5);
  EXPECT_EQ(chosen().method, LongRangeMethod::pppm);
}

TEST_F(DplrPlanTest, whoever_gives_a_mesh_or_its_error_gets_one) {
  options.mesh = {12, 12, 12};
  EXPECT_EQ(chosen().method, LongRangeMethod::pppm);
  options.mesh = {0, 0, 0};
  options.mesh_error_given = true;
  EXPECT_EQ(chosen().method, LongRangeMethod::pppm);
  options.mesh_error_given = false;
  options.differentiation = Differentiation::ik;
  EXPECT_EQ(chosen().method, LongRangeMethod::pppm);
  options.method = LongRangeMethod::direct;
  EXPECT_EQ(chosen().method, LongRangeMethod::direct);
}

TEST_F(DplrPlanTest, threads_are_divided_as_told) {
  options.threads = 0;
  EXPECT_EQ(chosen().threads, 0);
  options.threads.reset();
  EXPECT_EQ(chosen().threads, 1);
  options.threads = 1;
  const LongRangePlan plan = chosen();
  EXPECT_EQ(plan.threads, 1);
  EXPECT_GT(plan.relative_cost, 0);
  options.threads = 2;
  expect_refused({"--pppm-threads 2", "(there are 2)"});
}

TEST_F(DplrPlanTest, cores_of_a_node_are_dealt_to_its_ranks) {
  backend = make_backend({.device = "cpu", .threads = 4});
  for (const auto& [cores, node_ranks, threads] :
       {std::array{1, 1, 1}, {3, 1, 3}, {1, 4, 1}, {4, 4, 1}, {5, 4, 2}, {8, 4, 2}}) {
    options.cores = cores;
    options.node_ranks = node_ranks;
    EXPECT_EQ(chosen().threads, threads) << cores << " cores, " << node_ranks << " ranks";
  }
  options.cores = 13;
  expect_refused({"--pppm-cores 13", "(there are 4)"});
}

TEST_F(DplrPlanTest, a_way_to_share_a_mesh_asks_for_a_mesh) {
  options.fft = FftMethod::pencil;
  EXPECT_EQ(chosen().method, LongRangeMethod::pppm);
}

TEST_F(DplrPlanTest, no_threads_are_divided_on_a_machine_with_one) {
  backend = make_backend({.device = "cpu", .threads = 1});
  EXPECT_EQ(chosen().threads, 0);
  EXPECT_EQ(chosen().relative_cost, 0);
}

TEST_F(DplrPlanTest, ranks_of_one_thread_on_a_node_know_what_the_solver_costs) {
  backend = make_backend({.device = "cpu", .threads = 1});
  options.node_ranks = 4;
  options.ranks = 8;
  const LongRangePlan plan = chosen();
  EXPECT_EQ(plan.threads, 0);
  EXPECT_GT(plan.relative_cost, 0);
  EXPECT_EQ(plan.relative_cost * 16 * 8, std::round(plan.relative_cost * 16 * 8))
      << "sixteenths of a rank's work";
}

TEST_F(DplrPlanTest, the_direct_sum_needs_no_mesh) {
  options.method = LongRangeMethod::direct;
  const ChosenDplr direct = choose();
  EXPECT_EQ(direct.plan->solver.method, LongRangeMethod::direct);
  EXPECT_EQ(direct.mesh.rms, 0);
  EXPECT_EQ(direct.plan->solver.spacing, double(float(model->dipole_charge->spacing)));
}

TEST_F(DplrPlanTest, without_mesh_is_the_converged_sum) {
  options.mesh = {8, 8, 8};
  const Plan coarse = with_dplr(*exact_plan(model), choose().plan);
  const Plan exact = dplr_plan(model, fine_direct(*model));
  const Plan same = without_mesh(coarse, system.box);
  const Numbers expected = flat(evaluate(*backend, exact, system).force);
  // β is rounded to float in the plan and not in the reference: an effect of 1e-8.
  EXPECT_LT(relative_error(flat(evaluate(*backend, same, system).force), expected), 1e-7);
  EXPECT_GT(relative_error(flat(evaluate(*backend, coarse, system).force), expected), 1e-4);
}

TEST_F(DplrPlanTest, the_whole_search_keeps_its_bound_with_the_long_range_part) {
  PlanOptions plan_options;
  plan_options.force_error = 1e-6;
  plan_options.long_range.method = LongRangeMethod::pppm;
  system = water_box(Box::orthorhombic(12.4, 12.4, 12.4), 4, 3);
  const ChosenPlan plan = choose_plan(*backend, model, system.box, atoms_of(system), plan_options);
  ASSERT_TRUE(plan.plan->dplr);
  EXPECT_EQ(plan.plan->dplr->wannier->table, TableKind::lowrank);
  EXPECT_LE(plan.error.force_rms, 2e-6);
  EXPECT_GT(plan.error.force_rms, 0);
  EXPECT_EQ(plan.error.atoms, 192);
  EXPECT_GT(plan.mesh.rms, 0);
}

TEST_F(DplrPlanTest, refuses_charges_that_do_not_cancel) {
  keep({0, 1, 2, 3, 4});
  expect_refused({"the charges sum to -1 e", "neutral"});
}

TEST_F(DplrPlanTest, refuses_a_structure_without_centroids) {
  keep({1, 2});
  expect_refused({"no atom carries a Wannier centroid", "O"});
}

TEST_F(DplrPlanTest, refuses_a_box_that_does_not_repeat) {
  system.box = Box::open();
  expect_refused({"does not repeat in all directions", "periodic box"});
  system.box = Box::orthorhombic(20, 20, 20);
  system.box.periodic[1] = false;
  expect_refused({"does not repeat in all directions"});
}

TEST_F(DplrPlanTest, refuses_ad_in_a_skewed_box) {
  system = small_triclinic_water();
  options.differentiation = Differentiation::ad;
  expect_refused({"\"ad\" needs an orthorhombic box"});
}

TEST_F(DplrPlanTest, refuses_a_mesh_smaller_than_the_stencil) {
  options.mesh = {4, 20, 20};
  expect_refused({"4 × 20 × 20", "order 5"});
}

TEST_F(DplrPlanTest, refuses_an_error_that_is_not_positive) {
  options.mesh_error = 0;
  options.method = LongRangeMethod::pppm;
  expect_refused({"mesh error"});
}

}  // namespace
}  // namespace nanoday
