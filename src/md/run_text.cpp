// The words of a run.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_text.hpp"

#include "io/report.hpp"
#include "md/progress.hpp"
#include "md/run_output.hpp"
#include "md/table_watch.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>

namespace nanoday {
namespace {

double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;  // Linux counts in KiB
}

std::string composition(const RunSystem& system) {
  const Atoms& atoms = system.evaluator->atoms();
  const auto names = species_names(*system.model);
  std::vector<std::int64_t> counts(names.size());
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) ++counts[atoms.type[i]];
  system.ranks->all_reduce_sum(View<std::int64_t>(counts));
  std::string text;
  for (std::size_t t = 0; t < names.size(); ++t)
    if (counts[t] > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", counts[t], names[t]);
  return fmt::format("{} ({})", system.evaluator->natoms(), text);
}

std::string box_text(const Box& box) {
  if (box.is_open()) return "open";
  const auto length = [](Vec3 a) { return norm(a); };
  return fmt::format("{:.4f} x {:.4f} x {:.4f} Å{}", length(box.cell[0]), length(box.cell[1]),
                     length(box.cell[2]), box.is_orthorhombic() ? "" : ", triclinic");
}

std::string machine_text(const RunSystem& system) {
  if (system.ranks->size() == 1) return system.backend->name();
  const ResidentSystem* const resident = system.simulation->resident();
  const std::string halo =
      resident == nullptr ? "" : " · ghosts travel from rank to rank by " + resident->exchange();
  return fmt::format("{} · {}{}", system.backend->name(), system.ranks->name(), halo);
}

/// \param continued  the model is compressed: there is no net, its table was continued in a straight line
std::string counts_text(const EvaluationCounts& counts, bool continued) {
  std::string text;
  if (counts.outside_table > 0)
    text += fmt::format("{} times a neighbor was closer than the table covers (nearest {:.3f} Å): {}; ",
                        counts.outside_table, counts.smallest_distance,
                        continued ? "the compressed model's table was continued, do not trust those forces"
                                  : "the net itself was evaluated there, nothing was approximated");
  if (counts.sel_overflow > 0)
    text += fmt::format("{} atoms with more neighbors than the model's sel (nearest kept); ",
                        counts.sel_overflow);
  return text.empty() ? "none" : text.substr(0, text.size() - 2);
}

std::string sharing_text(const LongRangePlan& plan) {
  if (plan.fft == FftMethod::reduction)
    return fmt::format("bricks, partial transforms summed around rings (scale {:g})", plan.fft_scale);
  if (plan.fft == FftMethod::pencil) return "bricks, redistributed to pencils for the transforms";
  return "replicated: charges are summed, one rank of a node (or every GPU) transforms all of it";
}

Facts long_range_facts(const InferencePlan& plan, const MeshReport& mesh) {
  const DplrPlan& dplr = *plan.dplr;
  const LongRangePlan& s = dplr.solver;
  const std::string beside = s.threads > 0 ? fmt::format("; on {} thread{} beside the energy net", s.threads,
                                                         s.threads == 1 ? "" : "s")
                                           : "";
  Facts facts{{"Wannier net", table_text(*dplr.wannier)}};
  if (s.method == LongRangeMethod::direct) {
    facts.emplace_back("long range",
                       fmt::format("direct sum, beta {:g} /Å, cut {:g} Å{}", s.beta, s.spacing, beside));
  } else {
    facts.emplace_back(
        "long range",
        fmt::format("PPPM, beta {:g} /Å, mesh {} x {} x {}, order {}, {}{}", s.beta, s.mesh[0], s.mesh[1],
                    s.mesh[2], s.order, s.differentiation == Differentiation::ik ? "ik" : "ad", beside));
    if (s.fft != FftMethod::local) facts.emplace_back("mesh over ranks", sharing_text(s));
    facts.emplace_back("mesh error",
                       fmt::format("force rms {:.2g}, max {:.2g} eV/Å measured ({:.2g} estimated)", mesh.rms,
                                   mesh.max, mesh.estimate));
  }
  if (dplr.field.any()) {
    const Vec3 e = dplr.field.amplitude;
    const std::string wave =
        dplr.field.period > 0 ? fmt::format(" · sin(2π t/{:g} fs)", dplr.field.period * 1e3) : "";
    facts.emplace_back("electric field", fmt::format("({:g}, {:g}, {:g}) V/Å{}", e.x, e.y, e.z, wave));
  }
  return facts;
}

std::string drift_text(const ThermoStatistics& statistics, double natoms) {
  if (statistics.count < k_rows_for_a_slope)
    return fmt::format("no drift stated (of {} rows it would be noise; it takes {})", statistics.count,
                       k_rows_for_a_slope);
  return fmt::format("drift {:.3g} meV/atom/ps", statistics.drift() * 1e3 / natoms);
}

bool several_nodes(const Transport& ranks) {
  const auto& node_of = ranks.node_of();
  return *std::max_element(node_of.begin(), node_of.end()) > 0;
}

const char* bath_name(ThermostatKind kind) {
  switch (kind) {
    case ThermostatKind::nose_hoover:
      return "Nose-Hoover chain";
    case ThermostatKind::langevin:
      return "Langevin";
    case ThermostatKind::rescaling:
      return "stochastic velocity rescaling";
    case ThermostatKind::none:
      break;
  }
  return "none";
}

}  // namespace

std::string table_text(const InferencePlan& plan) {
  if (plan.table == TableKind::net) return "net (no table)";
  if (plan.table == TableKind::quintic) return "quintic";
  std::string ranks;
  for (const auto& basis : plan.choice.basis)
    ranks += fmt::format("{}{}", ranks.empty() ? "" : " ", basis.rank);
  return fmt::format("lowrank, ranks {}", ranks);
}

std::string measured_text(const MeasuredError& error) {
  if (error.copies == 0) return "not measured";
  return fmt::format("force error rms {:.2g}, max {:.2g} eV/Å (measured on {} x {} atoms)", error.force_rms,
                     error.force_max, error.copies, error.atoms);
}

std::string ensemble_text(const RunConfig& config) {
  if (config.ensemble == Ensemble::nve) return "NVE";
  return fmt::format("NVT {:g} K ({}, {:g} ps)", config.target, bath_name(config.thermostat), config.tau);
}

Facts start_facts(const RunConfig& config, const RunSystem& system, double first_evaluation) {
  const std::int64_t total = config.total_steps(), step = system.simulation->step_count();
  std::int64_t pairs = system.evaluator->neighbors().n_pairs();
  system.ranks->all_reduce_sum(View<std::int64_t>(&pairs, 1));
  Facts facts{
      {"model", config.model},
      {"structure", config.structure},
      {"atoms", composition(system)},
      {"box", box_text(system.evaluator->box())},
      {"machine", machine_text(system)},
      {"precision", precision_name(system.plan->precision)},
      {"table", table_text(*system.plan)},
      {"accuracy", measured_text(system.error)},
      {"ensemble", ensemble_text(config)},
      {"length", fmt::format("{} steps of {:g} fs = {:g} ps{}", total, config.dt * 1e3,
                             static_cast<double>(total) * config.dt,
                             step > 0 ? fmt::format(", continued at step {}", step) : "")},
      {"neighbors", fmt::format("{:.0f} candidates per atom within {:g} + {:g} Å",
                                static_cast<double>(pairs) / static_cast<double>(system.evaluator->natoms()),
                                system.model->rcut, config.skin)},
      {"memory", fmt::format("{:.0f} MiB so far", peak_memory_mib())},
      {"output", config.folder()},
      {"ETA", fmt::format("{} (from the first evaluation)",
                          clock_text(first_evaluation *
                                     static_cast<double>(std::max<std::int64_t>(0, total - step))))},
  };
  if (system.plan->dplr) {
    const auto after =
        std::find_if(facts.begin(), facts.end(), [](auto& f) { return f.first == "ensemble"; });
    const Facts more = long_range_facts(*system.plan, system.mesh);
    facts.insert(after, more.begin(), more.end());
  }
  const bool on_host = system.simulation->resident() == nullptr;  // others' ghosts do not take the way chosen
  if (const auto& halo = system.evaluator->halo_choice(); halo && on_host && several_nodes(*system.ranks))
    facts.emplace_back("ghosts", halo_text(*halo));
  for (const std::string& note : system.notes) facts.emplace_back("note", note);
  return facts;
}

std::string watched_text(const RunSystem& system) {
  const TableRecord& tables = system.tables;
  if (tables.measured == 0)
    return system.evaluator->natoms() > k_most_watched ? "not measured again (too many atoms)" : "";
  const auto times = [](std::int64_t n) { return n == 1 ? std::string("once") : fmt::format("{} times", n); };
  return fmt::format("largest force error rms {:.2g} eV/Å at step {} (measured {} as it went){}",
                     tables.worst, tables.worst_step, times(tables.measured),
                     tables.raised > 0 ? fmt::format("; chosen again {}", times(tables.raised)) : "");
}

Facts end_facts(const RunConfig& config, const RunSystem& system, const RunOutput& output, const Pace& pace) {
  const ThermoStatistics& statistics = output.statistics();
  const auto natoms = static_cast<double>(system.evaluator->natoms());
  const double ms = pace.steps > 0 ? 1e3 * pace.seconds / static_cast<double>(pace.steps) : 0;
  Facts facts{
      {"temperature",
       fmt::format("{:.2f} ± {:.2f} K (mean ± standard deviation, {} rows)", statistics.mean_temperature,
                   statistics.temperature_deviation(), statistics.count)},
      {"conserved energy", drift_text(statistics, natoms)},
  };
  if (const std::string tables = watched_text(system); !tables.empty()) facts.emplace_back("tables", tables);
  if (rdf_possible(system.evaluator->box()))
    facts.emplace_back("pressure", fmt::format("{:.1f} bar (mean)", statistics.mean_pressure));
  facts.emplace_back("speed",
                     fmt::format("{:.4g} ns/day, {:.4g} ms/step, {:.4g} atom-steps/s ({} steps in {})",
                                 ns_per_day(pace.steps, config.dt, pace.seconds), ms,
                                 ms > 0 ? natoms * 1e3 / ms : 0, pace.steps, clock_text(pace.seconds)));
  std::string stages;
  for (const auto& [name, time] : stage_times(system, pace.steps))
    stages += fmt::format("{}{} {:.3g}", stages.empty() ? "" : ", ", name, time);
  facts.emplace_back("stages [ms/step]", stages);
  facts.emplace_back("neighbor lists",
                     fmt::format("{} built", system.earlier.rebuilds + system.evaluator->rebuilds()));
  facts.emplace_back("special cases", counts_text(counts_of(system), system.model->compressed));
  if (output.dplr() != nullptr)
    for (auto& fact : output.dplr()->facts(output.conditions(system))) facts.push_back(std::move(fact));
  facts.emplace_back("memory", fmt::format("{:.0f} MiB at most", peak_memory_mib()));
  return facts;
}

std::vector<std::pair<std::string, double>> stage_times(const RunSystem& system, std::int64_t steps) {
  std::vector<std::pair<std::string, double>> times;
  for (int i = 0; i < k_stage_count && steps > 0; ++i) {
    const auto stage = static_cast<Stage>(i);
    if (stage == Stage::pppm_hidden) continue;
    const StageTimes& all = system.backend->times();
    // Only what nothing else covered takes time from a step.
    const double seconds =
        stage == Stage::pppm ? all.seconds(stage) - all.seconds(Stage::pppm_hidden) : all.seconds(stage);
    if (seconds > 0) times.emplace_back(stage_name(stage), 1e3 * seconds / static_cast<double>(steps));
  }
  return times;
}

std::string as_text(const Facts& facts) {
  std::size_t width = 0;
  for (const auto& [label, value] : facts) width = std::max(width, label.size());
  std::string text;
  for (const auto& [label, value] : facts)
    text += fmt::format("{}{:<{}}  {}", text.empty() ? "" : "\n", label, width, value);
  return text;
}

}  // namespace nanoday
