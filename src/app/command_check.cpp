// `nanoday check`: does this model, on this structure, on this machine, obey physics and agree with itself?
// SPDX-License-Identifier: Apache-2.0
#include "app/checks.hpp"
#include "app/commands.hpp"
#include "app/json_output.hpp"
#include "core/error.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace nanoday {
namespace {

constexpr const char* k_examples = R"(Examples:
  nanoday check water.pb water.data
  nanoday check water.pb water.data --precision mixed --json check.json
Large structures: derivatives are checked on the 1000 atoms, machines on the 200 atoms nearest to the first.
Exit code 1 when a check fails.)";

constexpr std::int64_t k_derivative_atoms = 1000;  // 156 evaluations
constexpr std::int64_t k_oracle_atoms = 200;       // the oracle is slow
constexpr double k_still = 0.01;                   // [eV/Å] below this forces say nothing: a perfect crystal
constexpr double k_shake = 0.05;                   // [Å]
constexpr double k_tail = 50;  // the worst force component may be this many times the rms bound
constexpr double k_tail_of_estimate =
    3;  // charges of molecules are correlated, estimates assume they are not
constexpr double k_mixed_rms = 3e-6, k_mixed_max = 3e-5;  // [eV/Å] what mixed precision promises
constexpr double k_fast_rms = 2e-4, k_fast_max = 2e-3;    // [eV/Å] and fast

struct CheckArguments {
  EngineArguments engine;
  std::string model, structure, json;
};

/// Bound on the rms force error of a table in double [eV/Å].
double table_bound(const PlanOptions& options) {
  switch (options.table) {
    case TableKind::lowrank:
      return options.force_error;
    case TableKind::quintic:
      return 1e-8 * std::max(1.0, std::pow(options.interval / 0.01, 6));  // sixth order
    case TableKind::net:
      break;
  }
  return 1e-10;
}

CheckRows check_table(const MeasuredError& error, const PlanOptions& options) {
  const std::string name = "table " + table_name(options.table) + " against net: ";
  const double bound = table_bound(options);
  return {{name + "force rms", "eV/Å", error.force_rms, bound, ""},
          {name + "force max", "eV/Å", error.force_max, k_tail * bound, ""}};
}

/// The mesh of a DPLR plan against the sum without one.
CheckRows check_mesh(const ChosenPlan& chosen, const PlanOptions& options) {
  if (!chosen.plan->dplr || chosen.plan->dplr->solver.method != LongRangeMethod::pppm) return {};
  const double bound = options.long_range.mesh[0] > 0 ? k_tail_of_estimate * chosen.mesh.estimate
                                                      : options.long_range.mesh_error * k_coulomb;
  return {{"mesh against direct sum: force rms", "eV/Å", chosen.mesh.rms, bound, ""}};
}

CheckRows check_precision(Precision precision, const MeasuredError& error) {
  const bool mixed = precision == Precision::mixed;
  const std::string name = fmt::format("{} against double net: force ", precision_name(precision));
  return {{name + "rms", "eV/Å", error.force_rms, mixed ? k_mixed_rms : k_fast_rms, ""},
          {name + "max", "eV/Å", error.force_max, mixed ? k_mixed_max : k_fast_max, ""}};
}

void append(CheckRows& rows, CheckRows more) {
  for (CheckRow& row : more) rows.push_back(std::move(row));
}

void print_row(const CheckRow& row) {
  if (!row.skipped.empty()) {
    fmt::print("  {:<58} {:>36}\n", row.name, "skipped: " + row.skipped);
    return;
  }
  fmt::print("  {:<58} {:>10.2e} ≤ {:<8.0e} {:<9} {}\n", row.name, row.measured, row.bound, row.unit,
             row.ok() ? "ok" : "FAIL");
}

Json rows_json(const CheckRows& rows) {
  Json out = Json::array();
  for (const CheckRow& row : rows) {
    Json one = {{"name", row.name}, {"ok", row.ok()}};
    if (row.skipped.empty()) {
      one["measured"] = row.measured;
      one["bound"] = row.bound;
      one["unit"] = row.unit;
    } else {
      one["skipped"] = row.skipped;
    }
    out.push_back(one);
  }
  return out;
}

/// Positions to check on: the user's, or shaken ones where all forces vanish.
BoundSystem lively(const Engine& engine, const PlanPointer& plan, const BoundSystem& system, bool quiet) {
  const Probe probe{engine.backend.get(), plan, probe_weights(*engine.model, system.atoms.nlocal)};
  const Sample sample = probe(system);
  const double largest = largest_difference(sample.force, std::vector<Vec3>(sample.force.size()));
  if (largest > k_still) return system;
  if (!quiet) fmt::print("all forces vanish here, so every atom is moved by up to {} Å first\n", k_shake);
  return shaken(system, k_shake);
}

CheckRows all_checks(const Engine& engine, const BoundSystem& given, bool quiet) {
  PlanOptions in_double = engine.plan_options;
  in_double.precision = Precision::fp64;
  const ChosenPlan chosen = choose_plan(*engine.backend, engine.model, given.box, given.atoms, in_double);
  // A mesh breaks the symmetries by its error: strict checks are made without one.
  const PlanPointer strict = without_mesh(chosen.plan, given.box);
  const BoundSystem system = lively(engine, strict, given, quiet);
  const bool whole = engine.model->dipole_charge.has_value();  // a long-range energy has no open clusters
  const BoundSystem middle = whole ? system : cut_out(system, k_derivative_atoms),
                    small = whole ? system : cut_out(system, k_oracle_atoms);
  const auto probe = [&](const BoundSystem& on) {
    return Probe{engine.backend.get(), strict, probe_weights(*engine.model, on.atoms.nlocal)};
  };
  CheckRows rows = check_derivatives(probe(middle), middle);
  append(rows, check_symmetries(probe(system), system));
  append(rows, check_table(chosen.error, in_double));
  append(rows, check_mesh(chosen, in_double));
  PlanPointer used = chosen.plan;
  if (engine.plan_options.precision != Precision::fp64) {
    const ChosenPlan mixed =
        choose_plan(*engine.backend, engine.model, given.box, given.atoms, engine.plan_options);
    append(rows, check_precision(engine.plan_options.precision, mixed.error));
    used = mixed.plan;
  }
  append(rows, check_machines(engine, used, small));
  append(rows, check_threads(engine, used, system));
  return rows;
}

int check(const CheckArguments& arguments) {
  const bool quiet = is_stdout(arguments.json);
  const Engine engine = make_engine(arguments.engine, arguments.model);
  const BoundSystem system = bind(engine, read_frames(engine, arguments.structure).back());
  if (!quiet) {
    fmt::print("{} on {}: {} atoms · {} · {} · {}\n", arguments.model, arguments.structure,
               system.atoms.nlocal, engine.backend->name(), table_name(engine.config.table),
               precision_name(engine.config.precision));
    std::fflush(stdout);
  }
  const CheckRows rows = all_checks(engine, system, quiet);
  const auto failed = std::count_if(rows.begin(), rows.end(), [](const CheckRow& row) { return !row.ok(); });
  if (!quiet) {
    for (const CheckRow& row : rows) print_row(row);
    fmt::print("{}\n", failed == 0 ? "all checks passed"
                                   : fmt::format("{} of {} checks failed", failed, rows.size()));
  }
  if (!arguments.json.empty()) write_json(arguments.json, {{"checks", rows_json(rows)}, {"ok", failed == 0}});
  return failed == 0 ? 0 : static_cast<int>(ExitCode::failed_run);
}

}  // namespace

void add_check_command(CLI::App& app, Action& action) {
  CLI::App* command = app.add_subcommand("check", "physics and agreement of a model on your own structure");
  command->footer(k_examples);
  auto arguments = std::make_shared<CheckArguments>();
  command->add_option("MODEL", arguments->model, "model file (.pb)")->required();
  command->add_option("STRUCTURE", arguments->structure, "structure file; its last frame is used")
      ->required();
  command->add_option("--json", arguments->json,
                      "write the result to this file (/dev/stdout: and nothing else there)");
  add_engine_arguments(*command, arguments->engine);
  command->callback([arguments, &action] { action = [arguments] { return check(*arguments); }; });
}

}  // namespace nanoday
