// The oracle's long-range sum against stored numbers, itself and its own derivatives.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "oracle/direct_sum.hpp"
#include "reference/charges.hpp"
#include "reference/paths.hpp"
#include "reference/systems.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

#include <filesystem>

namespace nanoday {
namespace {

using namespace reference;

class OracleDirectSum : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(vectors, OracleDirectSum,
                         testing::Values("dplr_direct_water", "dplr_direct_lrmodel"),
                         [](const auto& info) { return info.param; });

TEST_P(OracleDirectSum, reproduces_the_stored_sums) {
  const std::string path = spec_path("vectors/" + GetParam() + ".json");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference numbers at " << path;
  int with_forces = 0;
  for (const ChargeCase& c : read_charge_cases(path)) {
    SCOPED_TRACE(c.name);
    const LongRangeResult result = oracle_on(c.plan, c.charge);
    EXPECT_NEAR(result.energy / c.energy, 1, tolerance::k_direct_sum);
    if (c.forces.empty()) continue;
    ++with_forces;
    EXPECT_LT(relative_error(flat_forces(result), c.forces), tolerance::k_direct_sum);
  }
  EXPECT_EQ(with_forces, 2);
}

TEST(OracleSum, two_far_gaussians_in_a_large_box_interact_as_erf_over_r) {
  // E = self + −C erf(βr)/r − (2π/3V) C r²: the last is the conducting surroundings' answer to the dipole.
  const double pi = 3.14159265358979323846, beta = 0.8, length = 30, volume = length * length * length;
  const LongRangePlan plan = direct_plan(Box::orthorhombic(length, length, length), beta, 0.4);
  const auto energy = [&](double r) {
    const Array<Vec4> charge{{1, 2, 3, 1}, {1 + r, 2, 3, -1}};
    return oracle_on(plan, charge).energy;
  };
  const auto pair = [&](double r) {
    return -k_training_coulomb * (std::erf(beta * r) / r + 2 * pi / (3 * volume) * r * r);
  };
  EXPECT_NEAR(energy(2.0) - energy(3.0), pair(2.0) - pair(3.0), 1e-3);
}

TEST(OracleSum, a_mesh_plan_is_summed_to_convergence) {
  const Box box = small_triclinic();
  const Array<Vec4> charge = random_charges(box, 15, 3);
  LongRangePlan mesh = direct_plan(box, 0.7, 0);
  mesh.method = LongRangeMethod::pppm;
  const LongRangeResult converged = oracle_on(mesh, charge),
                        fine = oracle_on(direct_plan(box, 0.7, 0.3), charge);
  EXPECT_NEAR(converged.energy / fine.energy, 1, tolerance::k_direct_sum);
  EXPECT_LT(relative_error(flat_forces(converged), flat_forces(fine)), tolerance::k_direct_sum);
}

TEST(OracleSum, forces_and_virial_are_derivatives_of_the_energy_in_a_skewed_box) {
  const Box box = small_triclinic();
  const Array<Vec4> charge = random_charges(box, 12, 4);
  const LongRangePlan plan = direct_plan(box, 0.5, 0.5);
  const LongRangeResult result = oracle_on(plan, charge);
  const double step = 1e-4;
  Numbers slopes;
  for (std::size_t i = 0; i < charge.size(); ++i)
    for (double Vec4::*part : {&Vec4::x, &Vec4::y, &Vec4::z}) {
      Array<Vec4> up = charge, down = charge;
      up[i].*part += step;
      down[i].*part -= step;
      slopes.push_back(-(oracle_on(plan, up).energy - oracle_on(plan, down).energy) / (2 * step));
    }
  EXPECT_LT(relative_error(flat_forces(result), slopes), tolerance::k_finite_difference);
  Numbers virial;
  for (int c = 0; c < 9; ++c) {
    std::array<double, 9> s{};
    const auto energy = [&](double amount) {
      s[c] = amount;
      LongRangePlan moved = plan;
      moved.box = strained(box, s);
      // The same vectors n_d for every strain: the spacing keeps K_d, sides change by 1e-4 only.
      return oracle_on(moved, strained(charge, s)).energy;
    };
    virial.push_back(-(energy(step) - energy(-step)) / (2 * step));
  }
  EXPECT_LT(relative_error(flat(result.virial), virial), tolerance::k_finite_difference);
}

TEST(OracleSum, per_charge_energies_and_virials_add_up) {
  const Box box = small_triclinic();
  const LongRangeResult result = oracle_on(direct_plan(box, 0.5, 0.6), random_charges(box, 20, 5));
  double energy = 0;
  std::array<double, 9> virial{};
  for (std::size_t i = 0; i < result.force.size(); ++i) {
    energy += result.atom_energy[i];
    for (int c = 0; c < 9; ++c) virial[c] += result.atom_virial[i][c];
  }
  EXPECT_NEAR(energy / result.energy, 1, 1e-12);
  EXPECT_LT(relative_error(flat(virial), flat(result.virial)), 1e-12);
}

TEST(OracleSum, refuses_boxes_and_parameters_that_have_no_sum) {
  const Box box = small_triclinic();
  EXPECT_THROW(make_oracle_sum(direct_plan(Box::open(), 0.4, 1)), InputError);
  EXPECT_THROW(make_oracle_sum(direct_plan(box, 0, 1)), InputError);
  EXPECT_THROW(make_oracle_sum(direct_plan(box, 0.4, -1)), InputError);
}

}  // namespace
}  // namespace nanoday
