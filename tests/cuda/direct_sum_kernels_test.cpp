// The device's direct sum against the CPU's and against itself.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "long_range_support.hpp"
#include "reference/long_range_cases.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace nanoday {
namespace {

using namespace reference;

std::vector<SumCase> cases() {
  std::vector<SumCase> all = direct_sums();
  all.push_back({"more_charges_than_threads", Box::orthorhombic(9, 8, 7), 0.4, 1.5, 261});
  return all;
}

class DirectSumKernels : public testing::TestWithParam<SumCase> {
 protected:
  LongRangePlan plan = direct_plan(GetParam().box, GetParam().beta, GetParam().spacing);
  Array<Vec4> charge = random_charges(GetParam().box, GetParam().n_charges, 17);
};
INSTANTIATE_TEST_SUITE_P(shapes, DirectSumKernels, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(DirectSumKernels, agree_with_cpu_and_oracle_in_every_quantity) {
  const LongRangeResult result = device_on(plan, charge);
  const LongRangeResult cpu = direct_on(plan, charge, 1), oracle = oracle_on(plan, charge);
  expect_equal(result, cpu, tolerance::k_direct_sum);
  expect_equal(result, oracle, tolerance::k_direct_sum);
  RecordProperty("worst",
                 fmt::format("{:.1e} {:.1e}", worst_error(result, cpu), worst_error(result, oracle)));
}

TEST_P(DirectSumKernels, the_order_of_the_charges_and_of_the_threads_changes_no_bit) {
  const auto order = random_order(charge.size(), 3);
  const LongRangeResult straight = device_on(plan, charge);
  in_both_orders([&] { expect_same_bits(device_on(plan, taken(charge, order)), taken(straight, order)); });
}

TEST_P(DirectSumKernels, several_systems_at_once_have_the_bits_each_has_alone) {
  expect_systems_as_alone(plan, 25);
}

TEST_P(DirectSumKernels, a_recorded_solve_follows_its_charges_and_gives_the_same_bits) {
  const auto moved = random_charges(GetParam().box, GetParam().n_charges, 18);
  expect_recording_follows(plan, charge, moved);
}

TEST(DirectSumKernelsSteps, an_ordinary_step_is_two_kernels_and_forces_do_not_depend_on_needs) {
  const LongRangePlan plan = direct_plan(Box::orthorhombic(8, 9, 10), 0.4, 1);
  const auto charge = random_charges(plan.box, 20, 9);
  const LongRangeResult all = device_on(plan, charge);
  DeviceRun run(plan);
  run.load(charge, Needs{});
  const auto before = gpu::device_counts();
  run.solve();
  EXPECT_EQ(gpu::device_counts().kernels - before.kernels, 2);
  EXPECT_EQ(gpu::device_counts().allocations, before.allocations);
  EXPECT_EQ(flat_forces(run.fetch()), flat_forces(all));
  const LongRangeResult some = run(charge, {.energy = true, .atom_energy = true});
  EXPECT_EQ(some.energy, all.energy);
  EXPECT_EQ(some.atom_energy, all.atom_energy);
  EXPECT_EQ(some.virial, (std::array<double, 9>{}));
}

TEST(DirectSumKernelsSteps, one_solver_serves_changing_numbers_of_charges) {
  const LongRangePlan plan = direct_plan(Box::orthorhombic(8, 9, 10), 0.4, 1);
  DeviceRun run(plan);
  for (const int n : {40, 150, 15, 0, 40}) {
    SCOPED_TRACE(n);
    const auto charge = random_charges(plan.box, n, 9);
    const LongRangeResult result = run(charge);
    EXPECT_EQ(result.force.size(), charge.size());
    expect_same_bits(result, device_on(plan, charge));
  }
}

TEST(DirectSumKernelsErrors, plans_without_a_sum_are_refused) {
  const auto refused = [](const LongRangePlan& plan) { EXPECT_THROW(gpu::make_solver(plan), InputError); };
  const Box box = Box::orthorhombic(8, 9, 10);
  refused(direct_plan(box, 0, 1));
  refused(direct_plan(box, 0.4, 0));
  refused(direct_plan(Box::open(), 0.4, 1));
  refused(direct_plan(Box::triclinic({Vec3{8, 0, 0}, Vec3{0, 9, 0}, Vec3{8, 9, 0}}), 0.4, 1));
  refused(direct_plan(Box::orthorhombic(800, 900, 1000), 5, 0.1));
}

TEST(DirectSumKernelsErrors, lost_and_huge_charges_are_reported_once) {
  const LongRangePlan plan = direct_plan(Box::orthorhombic(8, 9, 10), 0.4, 1);
  const auto good = random_charges(plan.box, 20, 9);
  const LongRangeResult expected = device_on(plan, good);
  DeviceRun run(plan);
  for (const Vec4 bad : {Vec4{0, std::numeric_limits<double>::quiet_NaN(), 0, 1}, Vec4{0, 0, 1e300, 1},
                         Vec4{0, 0, 0, std::numeric_limits<double>::infinity()}, Vec4{1, 1, 1, 1e12}}) {
    auto charge = good;
    charge[3] = bad;
    EXPECT_THROW(run(charge), RunError);
    expect_same_bits(run(good), expected);
  }
}

TEST(DirectSumKernelsErrors, too_much_charge_is_reported) {
  DeviceRun run(direct_plan(Box::orthorhombic(8, 9, 10), 0.4, 5));
  const Array<Vec4> heap(4200, Vec4{1, 2, 3, 63});  // 264600 e > 2^18 e
  run.load(heap, Needs{});
  run.solve();
  EXPECT_THROW(run.fetch(), RunError);
}

}  // namespace
}  // namespace nanoday
