// Replicas in one batch, of one or several models, short- or long-range: each is the run it would be alone.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "cuda/device_counts.hpp"
#include "cuda/machine.hpp"
#include "md/guards.hpp"
#include "reference/model_variants.hpp"
#include "running.hpp"

namespace nanoday {
namespace {

using namespace reference;

/// The order of a list differs in a batch, since cells are laid over all replicas: so does rounding. Steps
/// are few enough that it does not grow; 1.8e-15 Å was measured.
constexpr double k_rounding = 1e-12;  // [Å]
/// Of sums in single precision: 2.7e-10 Å was measured, and 1e-7 eV, which may be ten times the limit.
constexpr double k_single_rounding = 1e-7;

class Replicas : public testing::Test {
 protected:
  void SetUp() override { NANODAY_NEEDS_DEVICE(); }
};

/// Systems of one batch; replica r has the plan number r, in turn.
struct Batch {
  std::unique_ptr<Backend> backend = device_machine();
  std::vector<Running> replicas;
  std::shared_ptr<ResidentSystem> system;

  void start() {
    for (Running& r : replicas) r.simulation->load();
    for (Running& r : replicas) r.simulation->start(k_row);
  }
  void advance(int steps) {
    for (int k = 0; k < steps; ++k)
      for (Running& r : replicas) r.simulation->step(k + 1 == steps ? k_row : Needs{});
    for (Running& r : replicas) r.simulation->show();
  }
};

constexpr int k_steps = 6;
constexpr EvaluatorOptions k_thin_skin{0.1, 0};

Atoms atoms_of_replica(const System& water, int r) {
  Atoms atoms = moving(water);
  draw_velocities(atoms, 250 + 80 * r, static_cast<std::uint64_t>(20 + r));
  return atoms;
}

std::unique_ptr<Thermostat> bath_of_replica(BathKind kind, int r) {
  const ThermostatOptions options{250.0 + 80 * r, 0.02, k_dt,
                                  degrees_of_freedom(24, kind != BathKind::langevin),
                                  static_cast<std::uint64_t>(7 + r)};
  if (kind == BathKind::rescaling) return make_velocity_rescaling(options);
  return kind == BathKind::langevin ? make_langevin(options) : make_nose_hoover(options);
}

Batch batch_of(const std::vector<Plan>& plans, const System& water, BathKind kind, std::vector<Atoms> atoms,
               EvaluatorOptions options = k_thin_skin) {
  Batch batch;
  std::vector<BathSettings> baths;
  std::vector<Plan> of_replica;
  const int n = static_cast<int>(atoms.size());
  for (int r = 0; r < n; ++r) {
    of_replica.push_back(plans[static_cast<std::size_t>(r) % plans.size()]);
    baths.push_back(bath_of_replica(kind, r)->settings());
    Running one;
    one.evaluator = std::make_unique<Evaluator>(*batch.backend, of_replica.back(), water.box,
                                                std::move(atoms[r]), options);
    batch.replicas.push_back(std::move(one));
  }
  const auto shares = resident_shares(*batch.replicas[0].evaluator, k_dt, baths, of_replica);
  batch.system = shares[0].system;
  for (int r = 0; r < n; ++r)
    batch.replicas[r].simulation =
        std::make_unique<Simulation>(*batch.replicas[r].evaluator, bath_of_replica(kind, r), k_dt,
                                     degrees_of_freedom(24, kind != BathKind::langevin), shares[r]);
  return batch;
}

std::vector<Atoms> all_atoms(const System& water, int n) {
  std::vector<Atoms> atoms;
  for (int r = 0; r < n; ++r) atoms.push_back(atoms_of_replica(water, r));
  return atoms;
}

Running alone(const Plan& plan, const System& water, BathKind kind, int r) {
  Running one;
  one.backend = device_machine();
  one.evaluator =
      std::make_unique<Evaluator>(*one.backend, plan, water.box, atoms_of_replica(water, r), k_thin_skin);
  one.simulation = std::make_unique<Simulation>(*one.evaluator, bath_of_replica(kind, r), k_dt,
                                                degrees_of_freedom(24, kind != BathKind::langevin));
  return one;
}

/// Steps n replicas together, in both orders of threads, and each alone.
void expect_runs_as_alone(const std::vector<Plan>& plans, const System& water, BathKind kind, int n,
                          double limit = k_rounding) {
  std::vector<Running> lone;
  for (int r = 0; r < n; ++r) {
    lone.push_back(alone(plans[static_cast<std::size_t>(r) % plans.size()], water, kind, r));
    lone.back().simulation->start(k_row);
    advance(lone.back(), k_steps);
  }
  in_every_order([&] {
    Batch batch = batch_of(plans, water, kind, all_atoms(water, n));
    ASSERT_NE(batch.system, nullptr);
    batch.start();
    batch.advance(k_steps);
    EXPECT_GT(batch.system->rebuilds(), 1) << "lists must be rebuilt on the way";
    for (int r = 0; r < n; ++r) {
      SCOPED_TRACE(r);
      expect_same_trajectory(batch.replicas[r], lone[r], limit);
    }
  });
}

/// Charges that are neutral too, but others.
std::shared_ptr<const Model> with_other_charges(Model model) {
  model.dipole_charge->ion_charge = {5.8, 1.1};
  return std::make_shared<const Model>(std::move(model));
}

Plan long_range_plan(const std::shared_ptr<const Model>& model, const LongRangePlan& solver,
                     TableKind table = TableKind::quintic) {
  return dplr_plan(model, solver, {{0, 0, 0.05}, 0.01}, table);
}

TEST_F(Replicas, of_one_model_are_the_runs_they_would_be_alone) {
  const Plan plan = plan_of(model_named("water_sea.pb"), TableKind::lowrank);
  expect_runs_as_alone({plan}, small_water(), BathKind::rescaling, 3);
}

TEST_F(Replicas, of_a_long_range_model_are_the_runs_they_would_be_alone) {
  const auto model = model_named("water_dplr.pb");
  expect_runs_as_alone({long_range_plan(model, pppm_plan(*model, 15))}, small_triclinic_water(),
                       BathKind::langevin, 3);
}

TEST_F(Replicas, of_a_long_range_model_without_a_mesh_are_the_runs_they_would_be_alone) {
  const auto model = model_named("water_dplr.pb");
  expect_runs_as_alone({long_range_plan(model, fine_direct(*model))}, small_water(), BathKind::nose_hoover,
                       2);
}

TEST_F(Replicas, of_different_models_are_the_runs_they_would_be_alone) {
  const auto model = model_named("water_sea.pb");
  const auto other = with_weights_times(*model, 0.97);
  for (const Precision precision : {Precision::fp64, Precision::mixed}) {
    SCOPED_TRACE(precision_name(precision));
    const std::vector<Plan> plans{plan_of(model, TableKind::quintic, precision),
                                  plan_of(other, TableKind::quintic, precision)};
    const double limit = precision == Precision::mixed ? k_single_rounding : k_rounding;
    expect_runs_as_alone(plans, small_water(), BathKind::nose_hoover, 3, limit);
  }
}

/// Atoms with a neighbor outside the table are handed to the exact plan of their own model.
TEST_F(Replicas, of_models_with_tables_of_different_ranks_are_the_runs_they_would_be_alone) {
  const auto model = model_named("water_sea.pb");
  const auto other = with_weights_times(*model, 0.98);
  const Plan full = plan_of(model, TableKind::lowrank);
  const Plan smaller = make_lowrank_plan(other, {}, first_columns(*other, other->m1 - 2));
  System water = small_water();
  for (std::size_t i = 0; i < water.position.size(); i += 6)  // stretched bonds, so that they swing inwards
    for (std::size_t h = i + 1; h < i + 3; ++h)
      water.position[h] = water.position[i] + 0.72 * (water.position[h] - water.position[i]);
  expect_runs_as_alone({full, smaller}, water, BathKind::nose_hoover, 3);
  Running one = alone(full, water, BathKind::nose_hoover, 0);
  one.simulation->start(k_row);
  EXPECT_GT(one.evaluator->counts().outside_table, 10) << "the test must need the net";
}

TEST_F(Replicas, of_different_long_range_models_are_the_runs_they_would_be_alone) {
  const auto model = model_named("water_dplr.pb");
  const auto other = with_other_charges(*with_weights_times(*model, 1.02));
  const LongRangePlan solver = pppm_plan(*model, 16);
  expect_runs_as_alone({long_range_plan(model, solver), long_range_plan(other, solver)}, small_water(),
                       BathKind::langevin, 3);
}

TEST_F(Replicas, share_every_kernel) {
  const auto model = model_named("water_dplr.pb");
  const auto other = with_weights_times(*model, 1.02);
  const LongRangePlan solver = pppm_plan(*model, 15);
  const auto kernels_of_a_step = [&](int n) {
    Batch batch = batch_of({long_range_plan(model, solver), long_range_plan(other, solver)}, small_water(),
                           BathKind::langevin, all_atoms(small_water(), n), {1, 0});
    batch.start();
    batch.advance(1);
    const DeviceTraffic before = device_traffic();
    batch.replicas[0].simulation->step({});  // of all: no list is built on the way
    EXPECT_EQ(batch.system->rebuilds(), 1);
    return device_traffic().graph_nodes - before.graph_nodes;
  };
  const std::int64_t of_two = kernels_of_a_step(2);
  EXPECT_GT(of_two, 10);
  EXPECT_EQ(kernels_of_a_step(5), of_two);
}

TEST_F(Replicas, of_models_that_no_batch_can_hold_are_refused) {
  const auto model = model_named("water_dplr.pb");
  const auto refused = [&](const std::vector<Plan>& plans) {
    EXPECT_THROW(batch_of(plans, small_water(), BathKind::langevin, all_atoms(small_water(), 2)), InputError);
  };
  const LongRangePlan solver = pppm_plan(*model, 15);
  LongRangePlan wider = solver;
  wider.beta *= 0.9;
  refused({long_range_plan(model, solver), long_range_plan(model, wider)});
  refused({long_range_plan(model, solver), long_range_plan(model, pppm_plan(*model, 16))});
  refused({long_range_plan(model, solver), long_range_plan(model, fine_direct(*model))});
  refused({long_range_plan(model, solver), long_range_plan(model, solver, TableKind::lowrank)});
}

TEST_F(Replicas, one_that_explodes_is_named_and_the_others_are_not) {
  const auto model = model_named("water_dplr.pb");
  std::vector<Atoms> atoms = all_atoms(small_water(), 3);
  atoms[1].velocity[7] = {3000, 0, 0, 0};
  Batch batch = batch_of({long_range_plan(model, pppm_plan(*model, 15))}, small_water(), BathKind::rescaling,
                         std::move(atoms));
  for (Running& r : batch.replicas) r.simulation->load();
  batch.replicas[0].simulation->start(k_row);  // its atoms are fine
  try {
    batch.replicas[1].simulation->start(k_row);
    batch.replicas[0].simulation->step({});
    batch.replicas[1].simulation->step({});
    FAIL() << "the run went on";
  } catch (const AtomError& error) {
    EXPECT_EQ(batch.replicas[1].evaluator->atoms().id[error.atom()], 7);
  }
}

}  // namespace
}  // namespace nanoday
