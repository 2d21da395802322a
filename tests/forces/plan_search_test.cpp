// Plans chosen by measured error: the bound holds, also elsewhere, and the choice does not depend on threads.
// SPDX-License-Identifier: Apache-2.0
#include "forces/plan_search.hpp"

#include "core/error.hpp"
#include "forces/sample_system.hpp"
#include "forces/system_setup.hpp"
#include "io/structure_file.hpp"
#include "machines.hpp"
#include "reference/models.hpp"
#include "reference/plans.hpp"
#include "reference/toy_model.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

struct Case {
  std::shared_ptr<const Model> model;
  Box box;
  Atoms atoms;
};

Case water(const std::string& model_path) {
  Case c;
  c.model = std::make_shared<const Model>(read_model(model_path));
  const Structure s =
      read_structures(std::string(NANODAY_SOURCE_DIR) + "/examples/structures/water192.data")[0];
  c.box = s.box;
  c.atoms = make_atoms(s, bind_types(s, c.model->type_map));
  return c;
}

std::string shipped(const std::string& name) {
  return std::string(NANODAY_SOURCE_DIR) + "/examples/models/" + name;
}

std::unique_ptr<Backend> cpu(int threads = 2) { return make_backend({"cpu", threads, false, "auto"}); }

ChosenPlan choose(Backend& backend, const Case& c, double bound, TableKind table = TableKind::lowrank,
                  Precision precision = Precision::fp64) {
  PlanOptions options;
  options.force_error = bound;
  options.table = table;
  options.precision = precision;
  return choose_plan(backend, c.model, c.box, c.atoms, options);
}

/// Rms force difference of a plan and the net on copy number `copy` of the sample.
double error_on_copy(Backend& backend, const Case& c, const std::shared_ptr<const InferencePlan>& plan,
                     int copy) {
  const SampleSystem sample = make_sample(backend, *c.model, c.box, c.atoms, copy);
  const auto exact = backend.prepare(reference::exact_plan(c.model));
  const auto chosen = backend.prepare(plan);
  const SampleResult a = evaluate_sample(backend, *exact, *c.model, sample);
  const SampleResult b = evaluate_sample(backend, *chosen, *c.model, sample);
  double sum = 0;
  for (std::size_t i = 0; i < a.force.size(); ++i)
    sum += (a.force[i] - b.force[i]) * (a.force[i] - b.force[i]);
  return std::sqrt(sum / static_cast<double>(a.force.size()));
}

TEST(PlanSearch, keeps_the_bound_it_was_given) {
  const Case c = water(reference::data_path("water_sea.pb"));
  const auto backend = cpu();
  for (const double bound : {1e-4, 1e-6, 1e-8}) {
    const ChosenPlan chosen = choose(*backend, c, bound);
    EXPECT_LE(chosen.error.force_rms, bound);
    EXPECT_GT(chosen.error.force_rms, 0.0);
  }
}

TEST(PlanSearch, bound_holds_on_a_copy_the_search_never_saw) {
  const Case c = water(shipped("water.pb"));
  const auto backend = cpu();
  const ChosenPlan chosen = choose(*backend, c, 1e-6);
  EXPECT_LE(chosen.error.force_rms, 1e-6);
  // Displaced anew; twice the bound leaves room for a rarer contact than any in the sample.
  EXPECT_LE(error_on_copy(*backend, c, chosen.plan, 11), 2e-6);
}

TEST(PlanSearch, a_tighter_bound_keeps_more_products) {
  const Case c = water(shipped("water.pb"));
  const auto backend = cpu();
  const std::size_t loose = choose(*backend, c, 1e-4).plan->centres[1].pair_p.size();
  const std::size_t tight = choose(*backend, c, 1e-6).plan->centres[1].pair_p.size();
  EXPECT_GT(tight, loose);
  EXPECT_LT(tight, 800u);  // of 2048 numbers the descriptor has
}

TEST(PlanSearch, choice_does_not_depend_on_threads) {
  const Case c = water(shipped("water.pb"));
  const auto one = cpu(1), three = cpu(3);
  const LowRankChoice a = choose(*one, c, 1e-6).plan->choice, b = choose(*three, c, 1e-6).plan->choice;
  ASSERT_EQ(a.centres.size(), b.centres.size());
  for (std::size_t t = 0; t < a.centres.size(); ++t) {
    EXPECT_EQ(a.centres[t].pair_p, b.centres[t].pair_p);
    EXPECT_EQ(a.centres[t].rotation, b.centres[t].rotation);
    EXPECT_EQ(a.centres[t].bias_shift, b.centres[t].bias_shift);
    EXPECT_EQ(a.centres[t].typical_z, b.centres[t].typical_z);
  }
  EXPECT_EQ(a.basis[0].project, b.basis[0].project);
}

TEST(PlanSearch, single_precision_behind_the_first_layer_is_taken_only_where_forces_hardly_change) {
  const Case c = water(shipped("water.pb"));
  const auto backend = cpu();
  const auto plan = choose(*backend, c, 1e-6).plan;
  ASSERT_FALSE(plan->choice.centres[0].typical_z.empty());
  LowRankChoice exact = plan->choice;
  for (auto& centre : exact.centres) centre.typical_z.clear();
  const auto single = backend->prepare(plan), whole = backend->prepare(make_lowrank_plan(c.model, {}, exact));
  const SampleSystem sample = make_sample(*backend, *c.model, c.box, c.atoms, 11);
  const SampleResult a = evaluate_sample(*backend, *single, *c.model, sample);
  const SampleResult b = evaluate_sample(*backend, *whole, *c.model, sample);
  double sum = 0;
  for (std::size_t i = 0; i < a.force.size(); ++i)
    sum += (a.force[i] - b.force[i]) * (a.force[i] - b.force[i]);
  EXPECT_LE(std::sqrt(sum / static_cast<double>(a.force.size())), 1e-7);  // measured: 2.5e-8
  EXPECT_NEAR(a.energy, b.energy, 1e-9);                                  // energies are those of double
  EXPECT_TRUE(choose(*backend, c, 1e-8).plan->choice.centres[0].typical_z.empty());
}

TEST(PlanSearch, quintic_tables_agree_with_the_net) {
  const Case c = water(shipped("water.pb"));
  const auto backend = cpu();
  EXPECT_LE(choose(*backend, c, 1e-6, TableKind::quintic).error.force_max, 1e-8);
}

TEST(PlanSearch, mixed_precision_stays_within_its_error) {
  const Case c = water(shipped("water.pb"));
  const auto backend = cpu();
  const ChosenPlan chosen = choose(*backend, c, 1e-6, TableKind::lowrank, Precision::mixed);
  EXPECT_LE(chosen.error.force_rms, 3e-6);
  EXPECT_LE(chosen.error.force_max, 3e-5);
  for (const CentrePlan& centre :
       chosen.plan->centres) {  // some are multiplied in bfloat16, where there is any
    EXPECT_LT(centre.n_single, static_cast<int>(centre.pair_p.size()));
    EXPECT_GT(centre.n_single, centre.n_precise);
  }
}

TEST(PlanSearch, compressed_models_get_a_low_rank_form_of_their_own_table) {
  const Case c = water(reference::data_path("water_sea_compressed.pb"));
  const auto backend = cpu();
  const ChosenPlan chosen = choose(*backend, c, 1e-6);
  EXPECT_EQ(chosen.plan->table, TableKind::lowrank);
  EXPECT_LE(chosen.error.force_rms, 1e-6);
}

TEST(PlanSearch, the_net_of_a_compressed_model_is_its_own_table_and_says_so) {
  const Case c = water(reference::data_path("water_sea_compressed.pb"));
  const auto backend = cpu();
  const ChosenPlan chosen = choose(*backend, c, 1e-6, TableKind::net);
  EXPECT_EQ(chosen.plan->table, TableKind::quintic);
  EXPECT_EQ(chosen.error.force_max, 0.0);
}

TEST(PlanSearch, dipole_models_get_one_too) {
  const Case c = water(shipped("water-dw.pb"));
  const auto backend = cpu();
  EXPECT_LE(choose(*backend, c, 1e-6).error.force_rms, 1e-6);
}

TEST(PlanSearch, refuses_a_bound_that_is_not_positive) {
  const Case c = water(reference::data_path("water_sea.pb"));
  const auto backend = cpu();
  EXPECT_THROW(choose(*backend, c, 0.0), InputError);
}

/// Eight atoms of a toy model, `apart` Å from each other.
Case lattice(Model model, double apart) {
  Case c;
  c.model = std::make_shared<const Model>(std::move(model));
  c.box = Box::orthorhombic(2 * apart, 2 * apart, 2 * apart);
  for (int i = 0; i < 8; ++i) {
    c.atoms.position.push_back({apart * (i % 2), apart * (i / 2 % 2), apart * (i / 4), 0});
    c.atoms.type.push_back(i % 2);
    c.atoms.id.push_back(i);
  }
  c.atoms.nlocal = 8;
  return c;
}

TEST(PlanSearch, knows_atoms_without_neighbors_of_a_model_without_means) {
  reference::ToyOptions options;
  options.shift = 0;  // then even the padding says nothing
  const Case c = lattice(reference::toy_model(options), 9);
  const auto backend = cpu();
  const ChosenPlan chosen = choose(*backend, c, 1e-6);
  EXPECT_EQ(chosen.error.force_rms, 0);
  EXPECT_LE(chosen.error.energy_per_atom, 1e-12);
}

TEST(PlanSearch, knows_nets_that_feel_nothing) {
  Model deaf = reference::toy_model();
  for (FittingNet& net : deaf.fitting)
    for (double& weight : net.output.weight) weight = 0;
  const auto backend = cpu();
  EXPECT_EQ(choose(*backend, lattice(std::move(deaf), 2.5), 1e-6).error.force_rms, 0);
}

TEST(PlanSearch, leaves_out_a_neighbor_type_that_nobody_sees) {
  reference::ToyOptions options;
  options.activation = Activation::softplus;  // does not saturate
  Model model = reference::toy_model(options);
  model.excluded[1] = model.excluded[3] = 1;  // both centres, neighbors of type 1
  const auto backend = cpu();
  const ChosenPlan chosen = choose(*backend, lattice(std::move(model), 2.5), 1e-6);
  EXPECT_LE(chosen.error.force_rms, 1e-6);
}

TEST(PlanSearch, says_which_type_sees_nobody) {
  Model model = reference::toy_model();
  model.excluded[0] = model.excluded[1] = 1;
  const auto backend = cpu();
  try {
    choose(*backend, lattice(std::move(model), 2.5), 1e-6);
    FAIL() << "chose a form of nothing";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("type O is excluded from all pairs"), std::string::npos)
        << error.what();
  }
}

TEST(LowRankPlan, refuses_a_choice_of_another_model) {
  const auto model = reference::model_named("toy");
  const auto refused = [&](auto change) {
    LowRankChoice choice = reference::full_rank(*model);
    change(choice);
    EXPECT_THROW(make_lowrank_plan(model, {}, choice), InputError);
  };
  refused([](LowRankChoice& c) { c.basis.pop_back(); });
  refused([](LowRankChoice& c) { c.centres.pop_back(); });
  refused([](LowRankChoice& c) { c.basis[0].rank = 0; });
  refused([](LowRankChoice& c) { c.basis[0].project.pop_back(); });
  refused([](LowRankChoice& c) { c.centres[0].n_precise = 0; });
  refused([](LowRankChoice& c) { c.centres[0].n_rotated = 3; });
  refused([](LowRankChoice& c) { c.centres[0].pair_p[0] = -1; });
  refused([](LowRankChoice& c) { c.centres[0].pair_q[0] = 1 << 20; });
  refused([](LowRankChoice& c) { c.centres[0].bias_shift.resize(1); });
  refused([](LowRankChoice& c) { c.centres[0].typical_z.resize(1); });
  refused([](LowRankChoice& c) { c.centres[0].n_single = c.centres[0].n_precise - 1; });
  refused([](LowRankChoice& c) { c.centres[0].n_single = 1 << 20; });
}

}  // namespace
}  // namespace nanoday
