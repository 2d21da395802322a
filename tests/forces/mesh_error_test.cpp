// The measured mesh error on charges whose exact forces are known.
// SPDX-License-Identifier: Apache-2.0
#include "forces/mesh_error.hpp"

#include "core/error.hpp"
#include "forces/mesh_choice.hpp"
#include "machines.hpp"
#include "reference/charges.hpp"
#include "reference/systems.hpp"

#include <gtest/gtest.h>

namespace nanoday {
namespace {

using namespace reference;

LongRangePlan mesh_plan(const Box& box, int points, int order, Differentiation differentiation) {
  LongRangePlan plan = direct_plan(box, 0.5, 0);
  plan.method = LongRangeMethod::pppm;
  plan.influence_4pi = 12.566370614359172;
  plan.mesh = {points, points, points};
  plan.order = order;
  plan.differentiation = differentiation;
  return plan;
}

const Box k_cube = Box::orthorhombic(9.0, 9.0, 9.0);

TEST(MeasureMeshError, is_zero_on_a_machine_without_meshes) {
  const auto oracle = make_backend({.device = "oracle"});
  const Array<Vec4> charge = random_charges(k_cube, 40, 2);
  const MeshError error = measure_mesh_error(*oracle, mesh_plan(k_cube, 12, 5, Differentiation::ik), charge);
  EXPECT_EQ(error.reference, LongRangeMethod::direct);
  // The oracle sums every plan exactly: what is left is where the two sums stop, at 1e-16 and 1e-18.
  EXPECT_LT(error.relative, 1e-12);
  EXPECT_GT(error.rms_force, 0);
}

TEST(MeasureMeshError, follows_the_estimate_for_uncorrelated_charges) {
  const auto backend = make_backend({.device = "cpu", .threads = 2});
  const Array<Vec4> charge = random_charges(k_cube, 200, 2);
  double sum_q2 = 0;
  for (const Vec4& c : charge) sum_q2 += c.w * c.w;
  for (const auto differentiation : {Differentiation::ik, Differentiation::ad})
    for (const int order : {3, 5, 7})
      for (const int points : {16, 24}) {
        const LongRangePlan plan = mesh_plan(k_cube, points, order, differentiation);
        const MeshError error = measure_mesh_error(*backend, plan, charge);
        const double estimate = estimate_mesh_error(
            {k_cube, plan.beta, plan.coulomb, sum_q2, 200, order, differentiation}, plan.mesh);
        SCOPED_TRACE(fmt::format("order {}, {} points, estimate {}", order, points, estimate));
        EXPECT_LT(error.rms, 2 * estimate);
        EXPECT_GT(error.rms, estimate / 4);
        EXPECT_GE(error.max, error.rms);
        EXPECT_NEAR(error.relative, error.rms / error.rms_force, 1e-12);
      }
}

TEST(MeasureMeshError, a_finer_mesh_as_reference_gives_nearly_the_same_as_the_direct_sum) {
  const auto backend = make_backend({.device = "cpu", .threads = 2});
  const Array<Vec4> charge = random_charges(k_cube, 200, 2);
  const LongRangePlan plan = mesh_plan(k_cube, 20, 5, Differentiation::ik);
  const MeshError error = measure_mesh_error(*backend, plan, charge);
  const LongRangePlan finer = reference_plan(plan, 100000000);
  ASSERT_EQ(finer.method, LongRangeMethod::pppm);
  EXPECT_EQ(finer.order, 7);
  EXPECT_EQ(finer.mesh, (std::array{30, 30, 30}));
  EXPECT_LT(measure_mesh_error(*backend, finer, charge).rms, 0.06 * error.rms);
}

TEST(ReferencePlan, of_the_direct_sum_reaches_far_enough_in_a_skewed_box) {
  const Box box = small_triclinic();
  const LongRangePlan plan = reference_plan(mesh_plan(box, 16, 5, Differentiation::ik), 100);
  ASSERT_EQ(plan.method, LongRangeMethod::direct);
  const Array<Vec4> charge = random_charges(box, 30, 2);
  LongRangePlan further = plan;
  further.spacing /= 1.5;
  EXPECT_LT(
      relative_error(flat_forces(direct_on(plan, charge, 1)), flat_forces(direct_on(further, charge, 1))),
      1e-13);
}

TEST(MeasureMeshError, refuses_to_measure_nothing) {
  const auto backend = make_backend({.device = "cpu", .threads = 1});
  const LongRangePlan plan = mesh_plan(k_cube, 16, 5, Differentiation::ik);
  EXPECT_THROW(measure_mesh_error(*backend, plan, View<const Vec4>{}), InputError);
  const Array<Vec4> charge = random_charges(k_cube, 10, 2);
  EXPECT_THROW(measure_mesh_error(*backend, direct_plan(k_cube, 0.4, 1), charge), InputError);
}

}  // namespace
}  // namespace nanoday
