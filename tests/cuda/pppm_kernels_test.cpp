// The device's mesh solver against the CPU's and against itself.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "long_range_support.hpp"
#include "reference/long_range_cases.hpp"
#include "reference/mesh_sum.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace nanoday {
namespace {

using namespace reference;

LongRangeResult cpu_on(const LongRangePlan& plan, View<const Vec4> charge) {
  LongRangeResult result;
  solve_on(*cpu::make_pppm(plan, 1, true), {charge, k_all_long_range}, 1, result);
  return result;
}

/// Coarse meshes, where every rule at the edge of the spectrum shows, and finer ones.
std::vector<MeshCase> cases() {
  using enum Differentiation;
  std::vector<MeshCase> all = coarse_meshes();
  all.push_back({"fine_ik", shifted_box(), 0.4, {24, 22, 19}, ik});
  all.push_back({"fine_ad", shifted_box(), 0.4, {24, 22, 19}, ad});
  all.push_back({"fine_skewed", skewed_box(), 0.4, {24, 22, 20}, ik});
  return all;
}

class PppmKernels : public testing::TestWithParam<MeshCase> {
 protected:
  LongRangePlan plan(int order) const {
    const MeshCase& c = GetParam();
    return mesh_plan(c.box, c.beta, c.mesh, order, c.differentiation);
  }
  Array<Vec4> charge = random_charges(GetParam().box, 75, 11);
};
INSTANTIATE_TEST_SUITE_P(boxes, PppmKernels, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(PppmKernels, agree_with_the_cpu_in_every_quantity_and_order_of_assignment) {
  double worst = 0;
  for (int order = 2; order <= 7; ++order) {
    SCOPED_TRACE(order);
    const LongRangeResult expected = cpu_on(plan(order), charge);
    in_both_orders([&] {
      const LongRangeResult result = device_on(plan(order), charge);
      expect_equal(result, expected, tolerance::k_device_mesh);
      worst = std::max(worst, worst_error(result, expected));
    });
  }
  RecordProperty("worst", fmt::format("{:.1e}", worst));
}

TEST_P(PppmKernels, agree_with_the_approximation_summed_without_a_mesh) {
  const auto few = random_charges(GetParam().box, 9, 11);
  for (const int order : {3, 6}) {
    SCOPED_TRACE(order);
    const auto expected = MeshSum(plan(order)).evaluate({few.begin(), few.end()});
    expect_equal(device_on(plan(order), few), expected, tolerance::k_mesh_sum_fixed);
  }
}

TEST_P(PppmKernels, the_order_of_the_charges_and_of_the_threads_changes_no_bit) {
  const auto order = random_order(charge.size(), 3);
  const LongRangeResult straight = device_on(plan(5), charge);
  in_both_orders([&] { expect_same_bits(device_on(plan(5), taken(charge, order)), taken(straight, order)); });
}

TEST_P(PppmKernels, several_systems_at_once_have_the_bits_each_has_alone) {
  expect_systems_as_alone(plan(4), 25);
}

TEST_P(PppmKernels, a_recorded_solve_follows_its_charges_and_gives_the_same_bits) {
  const auto moved = random_charges(GetParam().box, 75, 12);
  expect_recording_follows(plan(5), charge, moved);
}

TEST(PppmKernelsSteps, an_ordinary_step_is_four_kernels) {
  for (const auto differentiation : {Differentiation::ik, Differentiation::ad}) {
    DeviceRun run(mesh_plan(shifted_box(), 0.4, {10, 9, 8}, 5, differentiation));
    run.load(random_charges(shifted_box(), 20, 7), Needs{});
    const auto before = gpu::device_counts();
    run.solve();
    const auto after = gpu::device_counts();
    EXPECT_EQ(after.kernels - before.kernels, 4);
    EXPECT_EQ(after.allocations, before.allocations);
    EXPECT_EQ(after.bytes_to_host, before.bytes_to_host);
    EXPECT_EQ(after.bytes_to_device, before.bytes_to_device);
  }
}

TEST(PppmKernelsSteps, compute_only_what_is_needed_and_forces_do_not_depend_on_it) {
  using enum Differentiation;
  for (const auto& plan : {mesh_plan(skewed_box(), 0.4, {12, 12, 12}, 5, ik),
                           mesh_plan(shifted_box(), 0.4, {12, 12, 12}, 5, ad)}) {
    const auto charge = random_charges(plan.box, 20, 7);
    const auto all = device_on(plan, charge);
    DeviceRun run(plan);
    EXPECT_EQ(flat_forces(run(charge, {})), flat_forces(all));
    const auto energy = run(charge, {.energy = true});
    EXPECT_EQ(energy.energy, all.energy);
    EXPECT_EQ(energy.virial, (std::array<double, 9>{}));
    const auto virial = run(charge, {.virial = true});
    EXPECT_EQ(virial.energy, 0);
    EXPECT_EQ(virial.virial, all.virial);
    const auto per_atom = run(charge, {.atom_energy = true});
    EXPECT_EQ(per_atom.atom_energy, all.atom_energy);
    EXPECT_EQ(flat_forces(per_atom), flat_forces(all));
    expect_same_bits(run(charge), all);
  }
}

TEST(PppmKernelsSteps, one_solver_serves_growing_and_shrinking_numbers_of_charges) {
  const auto plan = mesh_plan(shifted_box(), 0.4, {9, 9, 9}, 4);
  DeviceRun run(plan);
  for (const int n : {5, 200, 0, 40}) {
    SCOPED_TRACE(n);
    const auto charge = random_charges(plan.box, n, 9);
    const LongRangeResult result = run(charge);
    EXPECT_EQ(result.force.size(), charge.size());
    expect_same_bits(result, device_on(plan, charge));
    EXPECT_EQ(result.energy > 0, n > 0);
  }
}

TEST(PppmKernelsErrors, plans_that_no_mesh_can_serve_are_refused) {
  const auto good = mesh_plan(shifted_box(), 0.4, {9, 9, 9}, 5);
  const auto refused = [&](auto change) {
    LongRangePlan plan = good;
    change(plan);
    EXPECT_THROW(gpu::make_solver(plan), InputError);
  };
  refused([](auto& p) { p.beta = 0; });
  refused([](auto& p) { p.order = 1; });
  refused([](auto& p) { p.order = 8; });
  refused([](auto& p) { p.mesh = {9, 4, 9}; });
  refused([](auto& p) { p.mesh = {9, -9, 9}; });
  refused([](auto& p) { p.mesh = {20000, 20000, 20000}; });
  refused([](auto& p) { p.mesh = {2147483647, 2147483647, 2147483647}; });
  refused([](auto& p) { p.box.periodic[1] = false; });
  refused([](auto& p) { p.box = Box::open(); });
  refused([](auto& p) { p.box = skewed_box(), p.differentiation = Differentiation::ad; });
}

TEST(PppmKernelsErrors, lost_and_huge_charges_are_reported_once_and_leave_nothing_behind) {
  const auto plan = mesh_plan(shifted_box(), 0.4, {9, 9, 9}, 5);
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const auto good = random_charges(plan.box, 20, 1);
  const LongRangeResult expected = device_on(plan, good);
  DeviceRun run(plan);
  for (const Vec4 bad : {Vec4{nan, 0, 0, 1}, Vec4{0, inf, 0, 1}, Vec4{0, 0, 1e300, 1}, Vec4{0, 0, 0, nan},
                         Vec4{0, 0, 0, inf}, Vec4{1, 1, 1, 64}, Vec4{1, 1, 1, -1000}}) {
    auto charge = good;
    charge[7] = bad;
    EXPECT_THROW(run(charge), RunError);
    expect_same_bits(run(good), expected);
  }
}

TEST(PppmKernelsErrors, too_much_charge_on_one_point_is_reported) {
  const auto plan = mesh_plan(shifted_box(), 0.4, {9, 9, 9}, 5);
  // Points of the mesh: weight (115/192)³ in the middle, 0.215 · 20000 · 63 e > 2^18 e.
  const Array<Vec4> heap(20000, Vec4{1, -2, 40.5, 63});
  DeviceRun run(plan);
  run.load(heap, Needs{});
  run.solve();
  EXPECT_THROW(run.fetch(), RunError);
}

}  // namespace
}  // namespace nanoday
