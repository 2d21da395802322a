// The CUDA machine against the oracle and the CPU: every table, precision and shape of model.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/machine.hpp"
#include "core/error.hpp"
#include "machines.hpp"
#include "reference/compare.hpp"
#include "reference/dplr.hpp"
#include "reference/models.hpp"
#include "reference/plans.hpp"
#include "reference/shapes.hpp"
#include "reference/systems.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace reference;

class CudaMachine : public testing::Test {
 protected:
  void SetUp() override {
    NANODAY_NEEDS_DEVICE();
    device = device_machine();
  }
  std::unique_ptr<Backend> device;
  std::unique_ptr<Backend> oracle = make_backend({.device = "oracle"});
  std::unique_ptr<Backend> cpu = make_backend({.device = "cpu", .threads = 2});
  System system = random_system(small_triclinic(), 12, 1.1, 12);

  static std::shared_ptr<const Model> shared(Model model) {
    return std::make_shared<const Model>(std::move(model));
  }

  /// Relative to the largest value, beside what fixed-point sums of some hundred pairs round: 2^-45 each.
  static void expect_near(const Numbers& found, const Numbers& reference, double limit, const char* what) {
    EXPECT_LT(max_error(found, reference), limit * largest(reference) + k_rounding) << what;
  }

  void expect_equal(const Result& result, const Result& reference, double limit) {
    expect_near({result.energy}, {reference.energy}, limit, "energy");
    expect_near(flat(result.force), flat(reference.force), limit, "force");
    expect_near(flat(result.virial), flat(reference.virial), limit, "virial");
    expect_near(result.atom_energy, reference.atom_energy, limit, "energy of atoms");
    expect_near(flat(result.atom_virial), flat(reference.atom_virial), limit, "virial of atoms");
    EXPECT_EQ(result.counts.outside_table, reference.counts.outside_table);
    EXPECT_EQ(result.counts.sel_overflow, reference.counts.sel_overflow);
  }

  static constexpr double k_double = 1e-12;    // other order of sums only
  static constexpr double k_rounding = 5e-12;  // [eV/Å] 1e-12 seen
};

TEST_F(CudaMachine, the_net_equals_the_oracle_for_every_shape) {
  for (const auto& [name, options] : shapes()) {
    SCOPED_TRACE(name);
    const Plan plan = exact_plan(shared(toy_model(options)));
    expect_equal(evaluate(*device, plan, system), evaluate(*oracle, plan, system), k_double);
  }
}

TEST_F(CudaMachine, dipoles_and_their_forces_equal_the_oracle_for_every_shape) {
  for (auto [name, options] : shapes()) {
    SCOPED_TRACE(name);
    options.kind = ModelKind::dipole;
    const Plan plan = exact_plan(shared(toy_model(options)));
    std::vector<Vec3> c;
    for (int i = 0; i < 12; ++i) c.push_back({0.1 * i, 1 - 0.2 * i, 0.5});
    const Result result = evaluate_dipole_forces(*device, plan, system, c);
    const Result reference = evaluate_dipole_forces(*oracle, plan, system, c);
    expect_near(flat(result.dipole), flat(reference.dipole), k_double, "dipole");
    expect_near(flat(result.force), flat(reference.force), k_double, "force");
    expect_near(flat(result.virial), flat(reference.virial), k_double, "virial");
  }
}

TEST_F(CudaMachine, every_table_of_every_file_equals_the_cpu) {
  for (const char* name : {"water_sea.pb", "water_sea_two.pb", "water_sea_dt.pb", "water_sea_compressed.pb"})
    for (const TableKind table : {TableKind::net, TableKind::quintic, TableKind::lowrank}) {
      SCOPED_TRACE(std::string(name) + " " + table_name(table));
      const auto model = model_named(name);
      const System water = small_water();
      const Plan plan = plan_of(model, table);
      expect_equal(evaluate(*device, plan, water), evaluate(*cpu, plan, water), k_double);
    }
}

TEST_F(CudaMachine, single_precision_products_stay_near_double_ones) {
  const auto model = model_named("water_sea.pb");
  const System water = small_water();
  const Result reference = evaluate(*cpu, plan_of(model, TableKind::lowrank), water);
  const Result mixed = evaluate(*device, plan_of(model, TableKind::lowrank, Precision::mixed), water);
  const Result fast = evaluate(*device, plan_of(model, TableKind::lowrank, Precision::fast), water);
  EXPECT_LT(relative_error(flat(mixed.force), flat(reference.force)), 1e-5);
  EXPECT_LT(relative_error(flat(fast.force), flat(reference.force)), 2e-2);
  EXPECT_GT(max_error(flat(fast.force), flat(mixed.force)), 0) << "fast is not mixed";
}

TEST_F(CudaMachine, atoms_outside_the_table_are_evaluated_by_the_net) {
  const auto model = model_named("water_sea.pb");
  System water = small_water();
  const Vec3 oxygen = water.position[0];
  water.position[1] = oxygen + 0.55 * (1 / norm(water.position[1] - oxygen)) * (water.position[1] - oxygen);
  const Plan plan = plan_of(model, TableKind::lowrank);
  const Result result = evaluate(*device, plan, water), reference = evaluate(*cpu, plan, water);
  EXPECT_GT(reference.counts.outside_table, 0) << "the test must reach the net";
  expect_equal(result, reference, k_double);
  EXPECT_NEAR(result.counts.smallest_distance, reference.counts.smallest_distance, 1e-12);
}

TEST_F(CudaMachine, more_atoms_outside_than_there_was_room_for_are_no_loss) {
  const auto model = model_named("water_sea.pb");
  System water = water_box(Box::orthorhombic(16, 16, 16), 5, 3);  // 250 hydrogens, room for 64 at first
  for (std::size_t i = 0; i < water.position.size(); i += 3)
    for (std::size_t h = i + 1; h < i + 3; ++h)
      water.position[h] = water.position[i] + 0.6 * (water.position[h] - water.position[i]);
  const Plan plan = plan_of(model, TableKind::lowrank);
  const Result result = evaluate(*device, plan, water), reference = evaluate(*cpu, plan, water);
  EXPECT_GT(reference.counts.outside_table, 200);
  expect_equal(result, reference, k_double);
}

TEST_F(CudaMachine, long_range_energies_equal_the_cpu) {
  const auto model = model_named("water_dplr.pb");
  const System water = small_water();
  for (const LongRangePlan& solver : {fine_direct(*model), pppm_plan(*model, 18)}) {
    const Plan plan = dplr_plan(model, solver, {{0, 0.02, 0.05}, 0});
    const DplrResult result = evaluate_dplr(*device, plan, water),
                     reference = evaluate_dplr(*cpu, plan, water);
    expect_equal(result, reference, k_double);
    EXPECT_NEAR(result.energy_long, reference.energy_long, 1e-10);
  }
}

TEST_F(CudaMachine, two_evaluations_give_the_same_bits) {
  const Plan plan = plan_of(model_named("water_sea.pb"), TableKind::lowrank, Precision::mixed);
  const System water = small_water();
  const Result a = evaluate(*device, plan, water), b = evaluate(*device, plan, water);
  EXPECT_EQ(flat(a.force), flat(b.force));
  EXPECT_EQ(a.virial, b.virial);
  EXPECT_EQ(a.energy, b.energy);
}

TEST_F(CudaMachine, atoms_at_the_same_place_are_named_and_do_not_hang) {
  System water = small_water();
  water.position[4] = water.position[2];
  EXPECT_THROW(evaluate(*device, plan_of(model_named("water_sea.pb"), TableKind::lowrank), water),
               InputError);
}

}  // namespace
}  // namespace nanoday
