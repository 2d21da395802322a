// Agreement between machines: instruction sets against the oracle, threads against one thread.
// SPDX-License-Identifier: Apache-2.0
#include "app/checks.hpp"

#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>

namespace nanoday {
namespace {

constexpr double k_oracle_bound = 1e-10;    // relative to the largest force; double precision
constexpr double k_same_plan_bound = 1e-9;  // [eV/Å], same plan on two instruction sets or thread counts
constexpr double k_same_plan_mixed = 1e-4;  // [eV/Å], the same with single-precision nets
constexpr double k_fast_products = 5e-3;    // [eV/Å], products rounded to TF32 against single precision

double largest_component(const std::vector<Vec3>& values) {
  return largest_difference(values, std::vector<Vec3>(values.size()));
}

/// The processor's own machine: SVE where it has that.
std::unique_ptr<Backend> processor(int threads, bool reproducible) {
  try {
    return make_backend({"sve", threads, reproducible, "auto"});
  } catch (const InputError&) {
    return make_backend({"cpu", threads, reproducible, "auto"});
  }
}

double same_plan_bound(const PlanPointer& plan) {
  return plan->precision == Precision::fp64 ? k_same_plan_bound : k_same_plan_mixed;
}

/// Between instruction sets. Low-rank plans round products that carry little to single precision, in another
/// order on every set; its rms is kept to a few percent of the force error they were given.
double other_isa_bound(const PlanPointer& plan, double force_error) {
  const double rounding = plan->table == TableKind::lowrank ? 0.5 * force_error : 0.0;
  return std::max(same_plan_bound(plan), rounding);
}

/// The model itself, no approximation: the net, or the table of a compressed model; DPLR: no mesh.
PlanPointer exact_plan(const std::shared_ptr<const Model>& model, const PlanPointer& chosen, const Box& box) {
  const PlanPointer plan = make_exact_plan(model);
  if (!chosen->dplr) return plan;
  auto dplr = std::make_shared<DplrPlan>(*without_mesh(chosen, box)->dplr);
  dplr->wannier = make_exact_plan(model->dipole_charge->wannier);
  return with_dplr(*plan, dplr);
}

/// Number of values that differ in any bit.
double different_values(const Sample& a, const Sample& b) {
  std::int64_t count = std::memcmp(&a.energy, &b.energy, sizeof a.energy) != 0;
  for (std::size_t i = 0; i < a.virial.size(); ++i) {
    count += std::memcmp(&a.virial[i], &b.virial[i], sizeof(double)) != 0;
  }
  for (std::size_t i = 0; i < a.force.size(); ++i)
    count += std::memcmp(&a.force[i], &b.force[i], sizeof(Vec3)) != 0;
  return static_cast<double>(count);
}

/// One machine: the exact plan against the oracle, the chosen plan against `chosen_reference` (which the
/// first machine fills in).
void check_machine(CheckRows& rows, const std::string& name, Backend& machine, const Probe& exact,
                   const Sample& oracle, const PlanPointer& chosen, const BoundSystem& small,
                   double chosen_bound, Sample& chosen_reference) {
  const Sample found = Probe{&machine, exact.plan, exact.weight}(small);
  const double scale = std::max(largest_component(oracle.force), 1e-3);
  rows.push_back({name + " against oracle: forces", "relative",
                  largest_difference(found.force, oracle.force) / scale, k_oracle_bound, ""});
  const Sample with_chosen = Probe{&machine, chosen, exact.weight}(small);
  if (chosen_reference.force.empty()) {
    chosen_reference = with_chosen;
    return;
  }
  rows.push_back({name + " against widest, chosen table: forces", "eV/Å",
                  largest_difference(with_chosen.force, chosen_reference.force), chosen_bound, ""});
}

/// The machine of that name, or null and a row that says it is not here.
std::unique_ptr<Backend> machine_or_row(const MachineOptions& options, const std::string& name,
                                        CheckRows& rows) {
  try {
    return make_backend(options);
  } catch (const InputError&) {
    rows.push_back({name, "", 0, 0, "not on this computer"});
    return nullptr;
  }
}

/// CPUs have no `fast` products: what other machines do with them is compared with mixed ones there.
PlanPointer for_cpu(const PlanPointer& plan) {
  if (plan->precision != Precision::fast) return plan;
  auto mixed = std::make_shared<InferencePlan>(*plan);
  mixed->precision = Precision::mixed;
  if (plan->exact) mixed->exact = for_cpu(plan->exact);
  if (!plan->dplr) return mixed;
  auto dplr = std::make_shared<DplrPlan>(*plan->dplr);
  dplr->wannier = for_cpu(plan->dplr->wannier);
  mixed->dplr = dplr;
  return mixed;
}

}  // namespace

CheckRows check_machines(const Engine& engine, const PlanPointer& plan, const BoundSystem& small) {
  const auto oracle_machine = make_backend({"oracle", 1, false, "auto"});
  Probe exact{oracle_machine.get(), exact_plan(engine.model, plan, small.box),
              probe_weights(*engine.model, small.atoms.nlocal)};
  const Sample oracle = exact(small);
  CheckRows rows;
  Sample chosen_reference;
  const double bound = other_isa_bound(plan, engine.config.force_error);
  // Widest first: what the others are compared with.
  if (const auto machine = machine_or_row({"sve", 0, false, "auto"}, "sve", rows))
    check_machine(rows, "sve", *machine, exact, oracle, for_cpu(plan), small, bound, chosen_reference);
  for (const std::string isa : {"avx512bf16", "avx512", "avx2", "baseline"})
    if (const auto machine = machine_or_row({"cpu", 0, false, isa}, "cpu " + isa, rows))
      check_machine(rows, "cpu " + isa, *machine, exact, oracle, for_cpu(plan), small, bound,
                    chosen_reference);
  if (const auto machine = machine_or_row({"cuda", 0, false, "auto"}, "cuda", rows))
    check_machine(rows, "cuda", *machine, exact, oracle, plan, small,
                  plan->precision == Precision::fast ? k_fast_products : bound, chosen_reference);
  return rows;
}

CheckRows check_threads(const Engine& engine, const PlanPointer& plan, const BoundSystem& system) {
  const int many =
      std::max(3, engine.config.threads > 0 ? engine.config.threads
                                            : static_cast<int>(std::thread::hardware_concurrency()));
  const auto weight = probe_weights(*engine.model, system.atoms.nlocal);
  const auto sample = [&](int threads, bool reproducible) {
    const auto machine = processor(threads, reproducible);
    // Per-atom virials are computed on one thread and would hide what the others do.
    return Probe{machine.get(), for_cpu(plan), weight, {true, true, true, false}}(system);
  };
  const Sample one = sample(1, false), one_exact = sample(1, true);
  CheckRows rows;
  rows.push_back({fmt::format("1 thread against {}: forces", many), "eV/Å",
                  largest_difference(one.force, sample(many, false).force), same_plan_bound(plan), ""});
  for (int threads : {2, many}) {
    rows.push_back({fmt::format("reproducible, 1 thread against {}: values that differ", threads), "",
                    different_values(one_exact, sample(threads, true)), 0, ""});
  }
  return rows;
}

}  // namespace nanoday
