// An ordinary step asks the system for no memory: counted by replacing operator new of this program.
// SPDX-License-Identifier: Apache-2.0
#include "machines.hpp"
#include "md/simulation.hpp"
#include "reference/dplr.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {
std::atomic<std::int64_t> allocations{0};

void* counted(std::size_t size, std::size_t alignment) {
  ++allocations;
  void* const p = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
}  // namespace

void* operator new(std::size_t size) { return counted(size, alignof(std::max_align_t)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return counted(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { std::free(p); }

namespace nanoday {
namespace {

using namespace reference;

/// Allocations of steps between two list builds, after a few that size everything.
std::int64_t allocations_of_steps(const Plan& plan, const MachineOptions& machine) {
  const auto backend = make_backend(machine);
  Atoms atoms = atoms_of(small_water());
  atoms.mass.assign(atoms.nlocal, 16.0);
  atoms.velocity.assign(atoms.nlocal, {0.1, -0.2, 0.3, 0});
  Evaluator evaluator(*backend, plan, small_water().box, std::move(atoms), {2.0, 0});
  Simulation simulation(evaluator, make_no_thermostat(), 1e-4, 69);
  simulation.start({});
  for (int k = 0; k < 3; ++k) simulation.step({});
  const std::int64_t rebuilds = evaluator.rebuilds(), before = allocations;
  for (int k = 0; k < 10; ++k) simulation.step({});
  EXPECT_EQ(evaluator.rebuilds(), rebuilds) << "the steps are meant to lie between two list builds";
  return allocations - before;
}

TEST(Allocation, is_counted) {
  const std::int64_t before = allocations;
  const std::vector<double> numbers(100);
  EXPECT_EQ(allocations - before, 1) << numbers.size();
}

TEST(Allocation, does_not_happen_in_a_step_with_nets_or_tables) {
  const auto model = model_named("water_sea.pb");
  for (const TableKind table : {TableKind::net, TableKind::quintic})
    for (const Precision precision : {Precision::fp64, Precision::mixed})
      for (const bool reproducible : {false, true})
        EXPECT_EQ(allocations_of_steps(plan_of(model, table, precision), {"cpu", 2, reproducible, "auto"}),
                  0);
}

TEST(Allocation, does_not_happen_in_a_step_with_long_range_part) {
  const auto model = model_named("water_dplr.pb");
  for (const LongRangePlan& solver :
       {pppm_plan(*model, 12), beside_nets(pppm_plan(*model, 12), 1), fine_direct(*model)})
    EXPECT_EQ(
        allocations_of_steps(dplr_plan(model, solver, {}, TableKind::quintic), {"cpu", 2, false, "auto"}), 0);
}

}  // namespace
}  // namespace nanoday
