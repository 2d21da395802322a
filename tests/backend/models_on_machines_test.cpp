// Kernels of the processor and of ARM against the oracle: every table kind and precision, models of many
// shapes. SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "reference/compare.hpp"
#include "reference/evaluate.hpp"
#include "reference/instruction_sets.hpp"
#include "reference/shapes.hpp"
#include "reference/subjects.hpp"
#include "reference/systems.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace reference;

class ModelsOnMachines : public testing::TestWithParam<cpu::InstructionSet> {
 protected:
  std::unique_ptr<Backend> oracle = make_backend({.device = "oracle"});
  std::unique_ptr<Backend> machine = machine_with(GetParam(), 2);
  System system = random_system(small_triclinic(), 12, 1.1, 12);

  static std::shared_ptr<const Model> shared(Model model) {
    return std::make_shared<const Model>(std::move(model));
  }

  void expect_equal(const Result& result, const Result& reference, double limit) {
    EXPECT_LT(relative_error({result.energy}, {reference.energy}), limit);
    EXPECT_LT(relative_error(flat(result.force), flat(reference.force)), limit);
    EXPECT_LT(relative_error(flat(result.virial), flat(reference.virial)), limit);
    EXPECT_LT(relative_error(result.atom_energy, reference.atom_energy), limit);
    EXPECT_LT(relative_error(flat(result.atom_virial), flat(reference.atom_virial)), limit);
  }
};

TEST_P(ModelsOnMachines, the_net_equals_the_oracle_for_every_shape) {
  for (const auto& [name, options] : shapes()) {
    SCOPED_TRACE(name);
    const auto model = shared(toy_model(options));
    const Plan plan = exact_plan(model);
    expect_equal(evaluate(*machine, plan, system), evaluate(*oracle, plan, system),
                 tolerance::k_same_formula);
  }
}

TEST_P(ModelsOnMachines, dipoles_and_their_forces_equal_the_oracle_for_every_shape) {
  for (auto [name, options] : shapes()) {
    SCOPED_TRACE(name);
    options.kind = ModelKind::dipole;
    const Plan plan = exact_plan(shared(toy_model(options)));
    std::vector<Vec3> c;
    for (int i = 0; i < 12; ++i) c.push_back({0.1 * i, 1 - 0.2 * i, 0.5});
    const Result result = evaluate_dipole_forces(*machine, plan, system, c);
    const Result reference = evaluate_dipole_forces(*oracle, plan, system, c);
    EXPECT_LT(relative_error(flat(result.dipole), flat(reference.dipole)), tolerance::k_same_formula);
    EXPECT_LT(relative_error(flat(result.force), flat(reference.force)), tolerance::k_same_formula);
    EXPECT_LT(relative_error(flat(result.virial), flat(reference.virial)), tolerance::k_same_formula);
    EXPECT_LT(relative_error(flat(result.atom_virial), flat(reference.atom_virial)),
              tolerance::k_same_formula);
  }
}

TEST_P(ModelsOnMachines, tables_equal_the_net_within_their_interpolation) {
  for (const std::string name : {"water_sea.pb", "water_sea_two.pb"})
    for (const TableKind table : {TableKind::quintic, TableKind::lowrank}) {
      SCOPED_TRACE(name + " " + table_name(table));
      const auto model = model_named(name);
      const Result result = evaluate(*machine, plan_of(model, table), system);
      const Result reference = evaluate(*oracle, exact_plan(model), system);
      const double limit =
          table == TableKind::quintic ? tolerance::k_quintic_force : tolerance::k_full_rank_force;
      EXPECT_LT(max_error(flat(result.force), flat(reference.force)), limit);
      EXPECT_LT(max_error(result.atom_energy, reference.atom_energy), limit);
    }
}

TEST_P(ModelsOnMachines, tables_of_every_shape_equal_the_oracle) {
  for (auto [name, options] : shapes())
    for (const ModelKind kind : {ModelKind::energy, ModelKind::dipole})
      for (const TableKind table : {TableKind::quintic, TableKind::lowrank}) {
        if (options.idt) continue;  // the widths 2, 4, 4 with time steps are covered by the net
        SCOPED_TRACE(name + " " + table_name(table) + (kind == ModelKind::dipole ? " dipole" : ""));
        options.kind = kind;
        const auto model = shared(toy_model(options));
        const Result result = evaluate(*machine, plan_of(model, table), system);
        const Result reference = evaluate(*oracle, exact_plan(model), system);
        if (kind == ModelKind::energy)
          EXPECT_LT(relative_error(flat(result.force), flat(reference.force)), tolerance::k_toy_table);
        else
          EXPECT_LT(relative_error(flat(result.dipole), flat(reference.dipole)), tolerance::k_toy_table);
      }
}

TEST_P(ModelsOnMachines, mixed_precision_errs_by_single_precision_rounding_only) {
  for (const TableKind table : {TableKind::net, TableKind::quintic, TableKind::lowrank}) {
    SCOPED_TRACE(table_name(table));
    const auto model = model_named("water_sea.pb");
    const Result result = evaluate(*machine, plan_of(model, table, Precision::mixed), system);
    const Result reference = evaluate(*oracle, exact_plan(model), system);
    EXPECT_LT(relative_error(flat(result.force), flat(reference.force)), tolerance::k_mixed_force);
    EXPECT_LT(max_error(result.atom_energy, reference.atom_energy), tolerance::k_mixed_atom_energy);
    EXPECT_GT(max_error(flat(result.force), flat(reference.force)), 0);
  }
}

TEST_P(ModelsOnMachines, too_many_neighbors_leave_the_nearest_and_are_counted) {
  for (const std::vector<int>& sel : {std::vector<int>{40, 5}, {3, 80}, {2, 3}, {1, 1}}) {
    SCOPED_TRACE(testing::PrintToString(sel));
    const auto model = shared(toy_model({.sel = sel}));
    for (const TableKind table : {TableKind::net, TableKind::quintic, TableKind::lowrank}) {
      const Result result = evaluate(*machine, plan_of(model, table), system);
      const Result reference = evaluate(*oracle, exact_plan(model), system);
      EXPECT_EQ(result.counts.sel_overflow, 12);
      EXPECT_EQ(reference.counts.sel_overflow, 12);
      EXPECT_LT(relative_error(flat(result.force), flat(reference.force)), tolerance::k_toy_table);
    }
  }
}

TEST_P(ModelsOnMachines, atoms_without_neighbors_have_an_energy_and_no_force) {
  System lonely{Box::open(), {0, 1}, {Vec3{0, 0, 0}, Vec3{50, 0, 0}}};
  const auto model = shared(toy_model());
  for (const TableKind table : {TableKind::net, TableKind::quintic, TableKind::lowrank}) {
    const Result result = evaluate(*machine, plan_of(model, table), lonely);
    const Result reference = evaluate(*oracle, exact_plan(model), lonely);
    EXPECT_LT(relative_error(result.atom_energy, reference.atom_energy), tolerance::k_toy_table);
    EXPECT_EQ(largest(flat(result.force)), 0);
  }
}

TEST_P(ModelsOnMachines, neighbors_outside_the_table_are_evaluated_by_the_net_and_counted) {
  system.position[4] = system.position[3] + Vec3{0.3, 0.1, -0.2};
  const double contact = norm(Vec3{0.3, 0.1, -0.2});
  const auto model = shared(toy_model());
  const Result reference = evaluate(*oracle, exact_plan(model), system);
  for (const TableKind table : {TableKind::quintic, TableKind::lowrank}) {
    SCOPED_TRACE(table_name(table));
    const Result result = evaluate(*machine, plan_of(model, table), system);
    EXPECT_GE(result.counts.outside_table, 2);
    EXPECT_NEAR(result.counts.smallest_distance, contact, 1e-9);
    EXPECT_GE(result.counts.first_outside_atom, 0);
    EXPECT_LT(relative_error(flat(result.force), flat(reference.force)), tolerance::k_toy_table);
  }
  EXPECT_EQ(evaluate(*machine, exact_plan(model), system).counts.outside_table, 0);
}

INSTANTIATE_TEST_SUITE_P(machines, ModelsOnMachines, testing::ValuesIn(best_instruction_sets()), NameOfSet());

/// The weaker half of the products multiplied in pairs of 16-bit numbers, where the machine does that.
Plan with_faint_products(const std::shared_ptr<const Model>& model) {
  auto plan = std::make_shared<InferencePlan>(*plan_of(model, TableKind::lowrank, Precision::mixed));
  for (CentrePlan& centre : plan->centres) centre.n_single /= 2;
  return plan;
}

class InstructionSets : public testing::TestWithParam<cpu::InstructionSet> {
 protected:
  std::shared_ptr<const Model> model = model_named("water_sea.pb");
  System system = random_system(small_triclinic(), 12, 1.1, 12);
};
INSTANTIATE_TEST_SUITE_P(all, InstructionSets, testing::ValuesIn(every_instruction_set()), NameOfSet());

TEST_P(InstructionSets, and_threads_change_nothing_but_rounding) {
  const Result reference = evaluate(*make_backend({.device = "oracle"}), exact_plan(model), system);
  for (const int threads : {1, 3}) {
    const auto machine = machine_with(GetParam(), threads);
    for (const TableKind table : {TableKind::net, TableKind::quintic, TableKind::lowrank}) {
      const Result result = evaluate(*machine, plan_of(model, table), system);
      EXPECT_LT(max_error(flat(result.force), flat(reference.force)), tolerance::k_full_rank_force);
    }
  }
}

TEST_P(InstructionSets, round_faint_products_as_their_16_bit_numbers_do) {
  const auto machine = machine_with(GetParam());
  const Result reference = evaluate(*make_backend({.device = "oracle"}), exact_plan(model), system);
  const Result result = evaluate(*machine, with_faint_products(model), system);
  const double error = relative_error(flat(result.force), flat(reference.force));
  RecordProperty("error", testing::PrintToString(error));
  const cpu::PairFormat pairs = GetParam().pairs;
  EXPECT_LT(error, pairs == cpu::PairFormat::none   ? tolerance::k_mixed_force
                   : pairs == cpu::PairFormat::half ? tolerance::k_half_force
                                                    : tolerance::k_bfloat16_force);
  if (pairs != cpu::PairFormat::none) {
    EXPECT_GT(error, tolerance::k_mixed_force) << "nothing was rounded";
  }
}

TEST_P(InstructionSets, do_not_pass_what_half_precision_cannot_hold_through_any_activation) {
  const auto machine = machine_with(GetParam());
  for (const Activation kind :
       {Activation::tanh, Activation::relu, Activation::relu6, Activation::softplus}) {
    SCOPED_TRACE(activation_name(kind));
    Model large = toy_model();
    for (auto& scale : large.std) scale = {0.004, 0.003, 0.003, 0.003};  // products are far above 16
    for (FittingNet& net : large.fitting) net.activation = kind;
    const Plan plan = with_faint_products(std::make_shared<const Model>(std::move(large)));
    if (GetParam().pairs == cpu::PairFormat::half)
      EXPECT_THROW(evaluate(*machine, plan, system), RunError);
    else
      EXPECT_NO_THROW(evaluate(*machine, plan, system));
  }
}

}  // namespace
}  // namespace nanoday
