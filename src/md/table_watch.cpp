// Measures a run's tables again as it goes: atoms may come to surroundings the tables were not chosen for.
// SPDX-License-Identifier: Apache-2.0
#include "md/table_watch.hpp"

#include "agreement.hpp"
#include "md/configured_model.hpp"
#include "md/gather_frame.hpp"
#include "md/run_text.hpp"
#include "md/shared_plan.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <new>

namespace nanoday {
namespace {

constexpr std::int64_t k_first = 50;        ///< steps from a choice to the first look
constexpr double k_tolerance = 2;           ///< times what the tables were chosen for: frames differ by less
constexpr double k_improvement = 0.7;       ///< share of the error that new tables may have, or they are none
constexpr std::int64_t k_most_choices = 2;  ///< times that low-rank tables are chosen again

struct Place {
  Vec3 position;
  std::int64_t type;
};

/// Atoms of all ranks in order of id, on the first rank; none elsewhere.
Atoms all_atoms(const RunSystem& system) {
  const Evaluator& evaluator = *system.evaluator;
  const Frame mine = gather_frame(*system.ranks, evaluator.natoms(), evaluator.box(), evaluator.atoms(),
                                  evaluator.forces(), {});
  std::vector<Place> rows;
  for (std::size_t i = 0; i < mine.position.size(); ++i) rows.push_back({mine.position[i], mine.species[i]});
  const auto bytes = bytes_of(View<const Place>(rows));
  Atoms atoms;
  for (const Parcel& parcel : system.ranks->exchange({{0, {bytes.begin(), bytes.end()}}})) {
    std::vector<Place> came(parcel.bytes.size() / sizeof(Place));
    std::memcpy(came.data(), parcel.bytes.data(), came.size() * sizeof(Place));
    for (const Place& place : came) {
      atoms.position.push_back(padded(place.position));
      atoms.type.push_back(static_cast<std::int32_t>(place.type));
      atoms.id.push_back(atoms.nlocal++);
    }
  }
  return atoms;
}

using Systems = std::vector<RunSystem*>;

/// Atoms of the systems that are looked at, on the first rank.
std::vector<Atoms> atoms_of(const Systems& alike) {
  std::vector<Atoms> atoms;
  for (const RunSystem* system : alike)
    if (atoms.size() < k_most_looked_at) atoms.push_back(all_atoms(*system));
  return atoms;
}

/// The largest error of a plan on them, and whose it is.
struct Worst {
  MeasuredError error;
  std::size_t system = 0;
};

Worst measure_all(const Systems& alike, const std::vector<Atoms>& atoms,
                  const std::shared_ptr<const InferencePlan>& plan) {
  Worst worst;
  for (std::size_t r = 0; r < atoms.size(); ++r) {
    const MeasuredError error = measure_plan(*alike[r]->backend, plan, alike[r]->evaluator->box(), atoms[r]);
    if (r == 0 || !(error.force_rms <= worst.error.force_rms)) worst = {error, r};
  }
  return worst;
}

/// What the first rank found out.
struct Found {
  TableVerdict verdict;
  double force_rms = 0;  ///< of the plan so far [eV/Å]
  ChosenPlan again;      ///< raised only
};

/// New tables for the atoms of a system and their error on all; no plan where none meets the bound or none is
/// much better than `now`.
ChosenPlan try_again(const RunConfig& config, const Systems& alike, const std::vector<Atoms>& atoms,
                     const Worst& now, TableKind table) try {
  const RunSystem& system = *alike[now.system];
  PlanOptions options = plan_options(config);
  options.table = table;
  ChosenPlan again =
      choose_tables_again(*system.backend, system.plan, system.evaluator->box(), atoms[now.system], options);
  again.error = measure_all(alike, atoms, again.plan).error;
  return again.error.force_rms <= k_improvement * now.error.force_rms ? again : ChosenPlan{};
} catch (const InputError&) {
  return {};
}

bool is_enough(const RunConfig& config, const ChosenPlan& chosen) {
  return chosen.plan && chosen.error.force_rms <= k_tolerance * config.force_error;
}

Found look(const RunConfig& config, const Systems& alike, const std::vector<Atoms>& atoms) {
  using enum TableVerdict::Outcome;
  const RunSystem& first = *alike[0];
  const Worst now = measure_all(alike, atoms, first.plan);
  const double chosen_for = std::max(config.force_error, first.error.force_rms);
  const std::string measured =
      fmt::format("step {}: tables have a {}{}", first.simulation->step_count(), measured_text(now.error),
                  atoms.size() > 1 ? fmt::format(", the largest of {} replicas", atoms.size()) : "");
  Found found{{holds, measured}, now.error.force_rms, {}};
  if (now.error.force_rms <= k_tolerance * chosen_for) return found;
  if (first.plan->table == TableKind::lowrank) {
    if (first.tables.raised < k_most_choices)
      found.again = try_again(config, alike, atoms, now, TableKind::lowrank);
    if (!is_enough(config, found.again)) {
      // What fits surroundings that were seen does not fit these, or will not fit the next ones.
      ChosenPlan quintic = try_again(config, alike, atoms, now, TableKind::quintic);
      if (quintic.plan) found.again = std::move(quintic);
    }
  }
  const std::string grown = fmt::format("{}, chosen for {:.2g}", measured, chosen_for);
  if (found.again.plan)
    found.verdict = {raised, fmt::format("{}; chosen again where the atoms are now: rms {:.2g} eV/Å ({})",
                                         grown, found.again.error.force_rms, table_text(*found.again.plan))};
  else
    found.verdict = {
        too_large,
        fmt::format("{} (forces have grown, or atoms are in surroundings unlike the "
                    "first); look at the structure, or use {}",
                    grown, first.plan->precision == Precision::fp64 ? "--table net" : "--precision double")};
  return found;
}

/// A look must not end a run that goes well without it.
Found look_safely(const RunConfig& config, const Systems& alike, const std::vector<Atoms>& atoms) {
  std::string why;
  try {
    return look(config, alike, atoms);
  } catch (const Error& error) {
    why = error.what();
  } catch (const std::bad_alloc&) {
    why = "out of memory";
  }
  return {
      {TableVerdict::Outcome::unmeasured,
       fmt::format("step {}: the force error of the tables could not be measured ({}); the run goes on as "
                   "it was",
                   alike[0]->simulation->step_count(), why)},
      0,
      {}};
}

void record(std::int64_t step, const Found& found, TableRecord& tables) {
  if (found.verdict.outcome == TableVerdict::Outcome::unmeasured) return;
  ++tables.measured;
  if (!std::isnan(tables.worst) && !(found.force_rms <= tables.worst)) {
    tables.worst = found.force_rms;
    tables.worst_step = step;
  }
  if (found.verdict.outcome != TableVerdict::Outcome::raised) return;
  ++tables.raised;
  tables.chosen_at = step;
}

void give(const ChosenPlan& chosen, const Systems& alike) {
  for (RunSystem* system : alike) {
    system->plan = chosen.plan;
    system->error = chosen.error;
  }
}

/// The plan computes what errors are measured against.
bool is_exact(const InferencePlan& plan) {
  if (plan.precision != Precision::fp64) return false;
  return plan.table == TableKind::net || (plan.model->compressed && plan.table == TableKind::quintic);
}

}  // namespace

bool tables_due(const TableRecord& record, std::int64_t step) {
  const std::int64_t since = step - record.chosen_at;
  return since > 0 && since % k_first == 0 &&
         std::has_single_bit(static_cast<std::uint64_t>(since / k_first));
}

TableVerdict watch_tables(const RunConfig& config, const Systems& alike) {
  RunSystem& first = *alike[0];
  if (is_exact(*first.plan) || first.evaluator->natoms() > k_most_watched) return {};
  Transport& ranks = *first.ranks;
  Found found;
  const std::vector<Atoms> atoms = atoms_of(alike);
  if (ranks.rank() == 0) found = look_safely(config, alike, atoms);
  ranks.broadcast(0, writable_bytes_of(View(&found.verdict.outcome, 1)));
  ranks.broadcast(0, writable_bytes_of(View(&found.force_rms, 1)));
  found.verdict.text = first_text(ranks, found.verdict.text);
  for (RunSystem* system : alike) record(first.simulation->step_count(), found, system->tables);
  if (found.verdict.outcome == TableVerdict::Outcome::raised)
    give(share_plan(ranks, first.model, config, first.backend->threads(),
                    [&] { return std::move(found.again); }),
         alike);
  return found.verdict;
}

void take_quintic(const RunConfig& config, const Systems& alike) {
  const std::vector<Atoms> atoms = atoms_of(alike);
  PlanOptions options = plan_options(config);
  options.table = TableKind::quintic;
  const RunSystem& first = *alike[0];
  ChosenPlan chosen =
      choose_tables_again(*first.backend, first.plan, first.evaluator->box(), atoms[0], options);
  chosen.error = measure_all(alike, atoms, chosen.plan).error;
  give(chosen, alike);
}

}  // namespace nanoday
