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
#include <cstring>

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

/// What the first rank found out.
struct Found {
  TableVerdict verdict;
  double force_rms = 0;  ///< of the plan so far [eV/Å]
  ChosenPlan again;      ///< raised only
};

/// New tables for these atoms; no plan where none meets the bound. Where low-rank ones failed several times
/// what comes next will be new to them, too: then those that fit all surroundings.
ChosenPlan try_again(const RunConfig& config, const RunSystem& system, const Atoms& atoms) try {
  PlanOptions options = plan_options(config);
  if (system.tables.raised >= k_most_choices) options.table = TableKind::quintic;
  return choose_tables_again(*system.backend, system.plan, system.evaluator->box(), atoms, options);
} catch (const InputError&) {
  return {};
}

Found look(const RunConfig& config, const RunSystem& system, const Atoms& atoms) {
  using enum TableVerdict::Outcome;
  const Box& box = system.evaluator->box();
  const MeasuredError now = measure_plan(*system.backend, system.plan, box, atoms);
  const double chosen_for = std::max(config.force_error, system.error.force_rms);
  const std::string measured =
      fmt::format("step {}: tables have a {}", system.simulation->step_count(), measured_text(now));
  Found found{{holds, measured}, now.force_rms, {}};
  if (now.force_rms <= k_tolerance * chosen_for) return found;
  const std::string grown = fmt::format("{}, chosen for {:.2g}", measured, chosen_for);
  if (system.plan->table == TableKind::lowrank) found.again = try_again(config, system, atoms);
  if (found.again.plan) {
    const MeasuredError then = measure_plan(*system.backend, found.again.plan, box, atoms);
    if (then.force_rms <= k_improvement * now.force_rms) {
      found.verdict = {raised, fmt::format("{}; chosen again where the atoms are now: rms {:.2g} eV/Å ({})",
                                           grown, then.force_rms, table_text(*found.again.plan))};
      return found;
    }
  }
  found.verdict = {too_large, grown +
                                  " (atoms are in surroundings unlike the first, or forces have grown); "
                                  "look at the structure, or use --table net"};
  return found;
}

void record(const RunSystem& system, const Found& found, TableRecord& tables) {
  const std::int64_t step = system.simulation->step_count();
  ++tables.measured;
  if (!(found.force_rms <= tables.worst)) {
    tables.worst = found.force_rms;
    tables.worst_step = step;
  }
  if (found.verdict.outcome != TableVerdict::Outcome::raised) return;
  ++tables.raised;
  tables.chosen_at = step;
}

}  // namespace

bool tables_due(const TableRecord& record, std::int64_t step) {
  const std::int64_t since = step - record.chosen_at;
  return since > 0 && since % k_first == 0 &&
         std::has_single_bit(static_cast<std::uint64_t>(since / k_first));
}

TableVerdict watch_tables(const RunConfig& config, RunSystem& system) {
  const bool exact = system.plan->table == TableKind::net && system.plan->precision == Precision::fp64;
  if (exact || system.evaluator->natoms() > k_most_watched) return {};
  Transport& ranks = *system.ranks;
  Found found;
  const Atoms atoms = all_atoms(system);
  together(ranks, [&] {
    if (ranks.rank() == 0) found = look(config, system, atoms);
  });
  ranks.broadcast(0, writable_bytes_of(View(&found.verdict.outcome, 1)));
  ranks.broadcast(0, writable_bytes_of(View(&found.force_rms, 1)));
  found.verdict.text = first_text(ranks, found.verdict.text);
  record(system, found, system.tables);
  if (found.verdict.outcome != TableVerdict::Outcome::raised) return found.verdict;
  ChosenPlan chosen = share_plan(ranks, system.model, config, system.backend->threads(),
                                 [&] { return std::move(found.again); });
  system.plan = std::move(chosen.plan);
  system.error = chosen.error;
  return found.verdict;
}

}  // namespace nanoday
