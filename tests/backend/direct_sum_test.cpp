// The fast direct sum against stored numbers, the oracle and itself.
// SPDX-License-Identifier: Apache-2.0
#include "oracle/direct_sum.hpp"
#include "core/error.hpp"
#include "machines.hpp"
#include "reference/charges.hpp"
#include "reference/instruction_sets.hpp"
#include "reference/long_range_cases.hpp"
#include "reference/paths.hpp"
#include "reference/systems.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <new>

/// Counts what Array and the rest of the program ask for.
static std::atomic<long> allocations{0};
__attribute__((noinline)) void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* p = std::malloc(bytes)) return p;
  throw std::bad_alloc();
}
__attribute__((noinline)) void* operator new(std::size_t bytes, std::align_val_t alignment) {
  ++allocations;
  const std::size_t a = static_cast<std::size_t>(alignment);
  if (void* p = std::aligned_alloc(a, (bytes + a - 1) / a * a)) return p;
  throw std::bad_alloc();
}
__attribute__((noinline)) void operator delete(void* p) noexcept { std::free(p); }
__attribute__((noinline)) void operator delete(void* p, std::size_t) noexcept { std::free(p); }
__attribute__((noinline)) void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
__attribute__((noinline)) void operator delete(void* p, std::size_t, std::align_val_t) noexcept {
  std::free(p);
}

namespace nanoday {
namespace {

using namespace reference;

class DirectSumVectors : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(files, DirectSumVectors, testing::Values("dplr_direct_water", "dplr_direct_lrmodel"),
                         [](const auto& info) { return info.param; });

TEST_P(DirectSumVectors, reproduces_the_stored_sums_with_and_without_fixed_point) {
  const std::string path = spec_path("vectors/" + GetParam() + ".json");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference numbers at " << path;
  int with_forces = 0;
  for (const ChargeCase& c : read_charge_cases(path))
    for (const bool reproducible : {false, true}) {
      SCOPED_TRACE(c.name + (reproducible ? ", fixed point" : ""));
      const LongRangeResult result = direct_on(c.plan, c.charge, 2, reproducible);
      EXPECT_NEAR(result.energy / c.energy, 1, tolerance::k_direct_sum);
      if (c.forces.empty()) continue;
      ++with_forces;
      EXPECT_LT(relative_error(flat_forces(result), c.forces), tolerance::k_direct_sum);
    }
  EXPECT_EQ(with_forces, 4);
}

std::vector<SumCase> cases() {
  std::vector<SumCase> all = direct_sums();
  all.push_back({"converged", small_triclinic(), 0.4, 0.3, 21});
  all.push_back({"one_charge", Box::orthorhombic(5, 6, 7), 0.5, 1.0, 1});
  all.push_back({"more_than_a_chunk", Box::orthorhombic(9, 8, 7), 0.4, 1.5, 1061});
  return all;
}

class DirectSum : public testing::TestWithParam<SumCase> {
 protected:
  LongRangePlan plan = direct_plan(GetParam().box, GetParam().beta, GetParam().spacing);
  Array<Vec4> charge = random_charges(GetParam().box, GetParam().n_charges, 17);
};
INSTANTIATE_TEST_SUITE_P(shapes, DirectSum, testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

TEST_P(DirectSum, agrees_with_the_oracle_in_every_quantity_and_instruction_set) {
  const LongRangeResult expected = oracle_on(plan, charge);
  // One charge has no force: compare with the size of its energy instead.
  if (charge.size() == 1) {
    const LongRangeResult result = direct_on(plan, charge, 1);
    EXPECT_NEAR(result.energy / expected.energy, 1, tolerance::k_direct_sum);
    EXPECT_LT(largest(flat_forces(result)), tolerance::k_direct_sum);
    return;
  }
  for (const cpu::InstructionSet& set : every_instruction_set()) {
    SCOPED_TRACE(set.name);
    expect_equal(direct_on(plan, charge, 1, false, set), expected, tolerance::k_direct_sum);
    expect_equal(direct_on(plan, charge, 2, true, set), expected, tolerance::k_direct_sum);
  }
}

TEST_P(DirectSum, every_size_of_the_team_gives_the_same_bits) {
  for (const cpu::InstructionSet& set : every_instruction_set())
    for (const bool reproducible : {false, true}) {
      SCOPED_TRACE(set.name);
      const LongRangeResult one = direct_on(plan, charge, 1, reproducible, set);
      for (const int size : {2, 4, 7})
        expect_same_bits(direct_on(plan, charge, size, reproducible, set), one);
    }
}

TEST_P(DirectSum, the_order_of_charges_does_not_matter_in_reproducible_mode) {
  const LongRangeResult straight = direct_on(plan, charge, 1, true);
  Array<Vec4> shuffled = charge;
  std::vector<std::size_t> from(charge.size());
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = i;
  std::shuffle(from.begin(), from.end(), std::mt19937_64(5));
  for (std::size_t i = 0; i < from.size(); ++i) shuffled[i] = charge[from[i]];
  const LongRangeResult other = direct_on(plan, shuffled, 2, true);
  EXPECT_EQ(other.energy, straight.energy);
  EXPECT_EQ(other.virial, straight.virial);
  for (std::size_t i = 0; i < from.size(); ++i) {
    EXPECT_EQ(other.force[i].x, straight.force[from[i]].x);
    EXPECT_EQ(other.force[i].y, straight.force[from[i]].y);
    EXPECT_EQ(other.force[i].z, straight.force[from[i]].z);
    EXPECT_EQ(other.atom_energy[i], straight.atom_energy[from[i]]);
  }
}

TEST_P(DirectSum, per_charge_energies_and_virials_add_up) {
  const LongRangeResult result = direct_on(plan, charge, 2);
  double energy = 0;
  std::array<double, 9> virial{};
  for (std::size_t i = 0; i < charge.size(); ++i) {
    energy += result.atom_energy[i];
    for (int c = 0; c < 9; ++c) virial[c] += result.atom_virial[i][c];
  }
  EXPECT_NEAR(energy / result.energy, 1, tolerance::k_direct_sum);
  EXPECT_LT(relative_error(flat(virial), flat(result.virial)), tolerance::k_direct_sum);
}

TEST(DirectSumDerivatives, forces_and_virial_are_slopes_of_the_energy) {
  const Box box = cases()[2].box;
  const Array<Vec4> charge = random_charges(box, 20, 8);
  const LongRangePlan plan = direct_plan(box, 0.6, 0.77);
  const LongRangeResult result = direct_on(plan, charge, 1);
  const double step = 1e-4;
  for (const std::size_t i : {0, 7, 19})
    for (double Vec4::*part : {&Vec4::x, &Vec4::y, &Vec4::z}) {
      Array<Vec4> up = charge, down = charge;
      up[i].*part += step;
      down[i].*part -= step;
      const double slope = (direct_on(plan, up, 1).energy - direct_on(plan, down, 1).energy) / (2 * step);
      EXPECT_NEAR(result.force[i].*part, -slope,
                  tolerance::k_finite_difference * largest(flat_forces(result)));
    }
  for (int c = 0; c < 9; ++c) {
    const auto energy = [&](double amount) {
      std::array<double, 9> s{};
      s[c] = amount;
      LongRangePlan moved = plan;
      moved.box = strained(box, s);
      return direct_on(moved, strained(charge, s), 1).energy;
    };
    const double slope = (energy(step) - energy(-step)) / (2 * step);
    EXPECT_NEAR(result.virial[c], -slope, tolerance::k_finite_difference * largest(flat(result.virial)));
  }
}

TEST(DirectSumSteps, a_solver_gives_the_same_for_changing_numbers_of_charges) {
  const Box box = Box::orthorhombic(8, 9, 10);
  const LongRangePlan plan = direct_plan(box, 0.4, 1);
  const auto solver = cpu::make_direct_sum(plan, 2, false);
  for (const int n : {40, 700, 15, 0, 40}) {
    SCOPED_TRACE(n);
    const Array<Vec4> charge = random_charges(box, n, 9);
    LongRangeResult again;
    solve_on(*solver, {charge, k_all_long_range}, 2, again);
    ASSERT_EQ(again.force.size(), charge.size());
    expect_same_bits(again, direct_on(plan, charge, 1));
    if (n == 0) {
      EXPECT_EQ(again.energy, 0);
    }
  }
}

TEST(DirectSumSteps, an_ordinary_step_allocates_nothing) {
  const Box box = Box::orthorhombic(8, 9, 10);
  const Array<Vec4> charge = random_charges(box, 300, 9);
  for (const bool reproducible : {false, true}) {
    const auto solver = cpu::make_direct_sum(direct_plan(box, 0.4, 1), 1, reproducible);
    LongRangeResult result;
    solver->solve({charge, k_all_long_range}, result, {});
    const long before = allocations;
    solver->solve({charge, k_all_long_range}, result, {});
    EXPECT_EQ(allocations, before);
  }
}

TEST(DirectSumSteps, what_is_not_asked_for_is_not_given) {
  const Box box = Box::orthorhombic(8, 9, 10);
  const Array<Vec4> charge = random_charges(box, 20, 9);
  LongRangeResult result;
  const auto solver = cpu::make_direct_sum(direct_plan(box, 0.4, 1), 1, false);
  solve_on(*solver, {charge, {}}, 1, result);
  EXPECT_EQ(result.energy, 0);
  EXPECT_EQ(result.virial, (std::array<double, 9>{}));
  EXPECT_TRUE(result.atom_energy.empty());
  EXPECT_TRUE(result.atom_virial.empty());
  EXPECT_GT(largest(flat_forces(result)), 0);
}

TEST(DirectSumSteps, the_machine_offers_it) {
  const Box box = Box::orthorhombic(8, 9, 10);
  const LongRangePlan plan = direct_plan(box, 0.4, 1);
  const Array<Vec4> charge = random_charges(box, 20, 9);
  const auto backend = make_backend({.device = "cpu", .threads = 2});
  const auto solver = backend->make_long_range(plan);
  solver->start({charge, k_all_long_range});
  expect_equal(solver->finish(), oracle_on(plan, charge), tolerance::k_direct_sum);
}

TEST(DirectSumErrors, plans_without_a_sum_are_refused) {
  const auto refused = [](const LongRangePlan& plan) {
    EXPECT_THROW(cpu::make_direct_sum(plan, 1, false), InputError);
  };
  const Box box = Box::orthorhombic(8, 9, 10);
  refused(direct_plan(box, 0, 1));
  refused(direct_plan(box, -0.4, 1));
  refused(direct_plan(box, 0.4, 0));
  refused(direct_plan(box, std::numeric_limits<double>::quiet_NaN(), 1));
  refused(direct_plan(Box::open(), 0.4, 1));
  Box slab = box;
  slab.periodic[2] = false;
  refused(direct_plan(slab, 0.4, 1));
  refused(direct_plan(Box::triclinic({Vec3{8, 0, 0}, Vec3{0, 9, 0}, Vec3{8, 9, 0}}), 0.4, 1));
  refused(direct_plan(Box::orthorhombic(800, 900, 1000), 5, 0.1));
}

TEST(DirectSumErrors, charges_that_cannot_be_summed_stop_the_run_in_every_member) {
  const Box box = Box::orthorhombic(8, 9, 10);
  const LongRangePlan plan = direct_plan(box, 0.4, 1);
  Array<Vec4> lost = random_charges(box, 20, 9);
  lost[3].y = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(direct_on(plan, lost, 4), RunError);
  Array<Vec4> huge = random_charges(box, 20, 9);
  huge[4].w = 1e12;
  EXPECT_THROW(direct_on(plan, huge, 4, true), RunError);
  EXPECT_NO_THROW(direct_on(plan, huge, 4, false));
}

}  // namespace
}  // namespace nanoday
