// `nanoday bench`: how fast this machine steps this system, stage by stage, and at which force error.
// SPDX-License-Identifier: Apache-2.0
#include "app/commands.hpp"

#include "app/json_output.hpp"
#include "app/sample.hpp"
#include "app/work_count.hpp"
#include "by_id.hpp"
#include "core/error.hpp"
#include "md/observables.hpp"
#include "md/run_structure.hpp"
#include "md/shared_plan.hpp"
#include "md/simulation.hpp"
#include "md/velocities.hpp"
#include "nccl_exchange.hpp"

#include <fmt/format.h>

#include <cstdio>

#include <sys/resource.h>

namespace nanoday {
namespace {

constexpr const char* k_examples = R"(Examples:
  nanoday bench water.pb water.data --replicate 2 2 2 --steps 200
  nanoday bench copper.pb copper.data --precision mixed --threads 2 --json bench.json
NVE from 330 K with 0.5 fs, skin 2 A, neighbor lists rebuilt every 50 steps, energy and virial every 10; the
mean over all steps after a few for warming up.)";

constexpr double k_time_step = 0.0005;  // [ps]
constexpr double k_temperature = 330;   // [K]
constexpr int k_rebuild_every = 50;     // steps, unless --rebuild-every says otherwise
constexpr int k_thermo_every = 10;      // as LAMMPS with "thermo 10", which the comparison runs
constexpr int k_warm_up = 3;            // steps: pages touched, threads awake, clocks up
constexpr double k_ms_per_day = 86400e3;

struct BenchArguments {
  EngineArguments engine;
  std::string model, structure, json;
  std::int64_t steps = 100;
  bool solver_only = false;
};

struct Timing {
  std::int64_t steps = 0;
  double seconds = 0;
  StageTimes stages;
  std::int64_t rebuilds = 0;
  Traffic sent;                  ///< by all ranks through the transport, list builds included
  std::string exchange;          ///< how rows travel between devices of ranks; empty: they do not
  double drift = 0;              ///< change of the total energy over the measured steps [eV]
  WorkCount work;                ///< of the last step
  std::size_t device_bytes = 0;  ///< most memory of a machine with its own
  double peak = 0;  ///< multiply-adds per second this machine reaches on the fitting net's shapes
  double ms_per_step() const { return 1e3 * seconds / static_cast<double>(steps); }
};

std::int64_t peak_memory_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

Needs needs_of(std::int64_t step) {
  const bool row = step % k_thermo_every == 0;
  return {row, row, false, false};
}

/// What is stepped: one system, or several replicas with seeds of their own.
struct Benched {
  std::vector<std::unique_ptr<Evaluator>> evaluators;
  std::vector<std::unique_ptr<Simulation>> simulations;

  Simulation& first() { return *simulations[0]; }
  void start(Needs needs) {
    for (auto& simulation : simulations) simulation->load();
    for (auto& simulation : simulations) simulation->start(needs);
  }
  void step(Needs needs) {
    for (auto& simulation : simulations) simulation->step(needs);
  }
};

Benched make_benched(Engine& engine, const PlanPointer& plan, const RunStructure& structure,
                     const std::shared_ptr<Transport>& ranks) {
  const int n = engine.config.replicas;
  const double freedom = degrees_of_freedom(structure.natoms(), true);
  const IdShares shares_of(structure.natoms(), ranks->size());
  const std::int64_t first = shares_of.first(ranks->rank()), last = shares_of.first(ranks->rank() + 1);
  const int rebuild_every = engine.config.rebuild_every > 0 ? engine.config.rebuild_every : k_rebuild_every;
  Benched benched;
  for (int r = 0; r < n; ++r) {
    Atoms atoms = structure.atoms(first, last);
    draw_velocities(atoms, k_temperature, engine.config.seed + static_cast<std::uint64_t>(r), *ranks);
    benched.evaluators.push_back(std::make_unique<Evaluator>(
        *engine.backend, plan, structure.box(), std::move(atoms),
        EvaluatorOptions{engine.config.skin, rebuild_every, engine.config.balance, engine.config.halo},
        ranks));
  }
  const auto shares = resident_shares(*benched.evaluators[0], k_time_step, std::vector<BathSettings>(n));
  for (int r = 0; r < n; ++r)
    benched.simulations.push_back(std::make_unique<Simulation>(*benched.evaluators[r], make_no_thermostat(),
                                                               k_time_step, freedom, shares[r]));
  return benched;
}

/// Machines that run ahead of the host are timed stage by stage in steps of their own; rebuilds and output
/// are what the host saw during the measured ones.
StageTimes stages_of_machine(Benched& benched, const StageTimes& seen, std::int64_t steps) {
  constexpr int k_timed_steps = 20;
  Simulation& simulation = benched.first();
  StageTimes& times = simulation.evaluator().backend().times();
  simulation.resident()->time_stages(true);
  times.reset();
  for (int k = 0; k < k_timed_steps; ++k) benched.step({});
  const StageTimes timed = times;
  simulation.resident()->time_stages(false);
  StageTimes stages;
  for (int s = 0; s < k_stage_count; ++s) {
    const Stage stage = static_cast<Stage>(s);
    const bool by_host = stage == Stage::neighbor || stage == Stage::output;
    stages.add(stage, by_host ? seen.seconds(stage)
                              : timed.seconds(stage) * static_cast<double>(steps) / k_timed_steps);
  }
  return stages;
}

/// What all ranks have sent since one of them had sent `before`. Collective.
Traffic sent_since(const Traffic& before, Transport& ranks) {
  const Traffic& now = ranks.traffic();
  std::array<std::int64_t, 4> sum{now.messages - before.messages, now.bytes - before.bytes,
                                  now.node_messages - before.node_messages,
                                  now.node_bytes - before.node_bytes};
  ranks.all_reduce_sum(View<std::int64_t>(sum.data(), sum.size()));
  return {sum[0], sum[1], sum[2], sum[3]};
}

/// Steps the system and times all but the first few.
Timing time_steps(Engine& engine, const PlanPointer& plan, const RunStructure& structure, std::int64_t steps,
                  const std::shared_ptr<Transport>& ranks) {
  constexpr Needs k_row{true, true, false, false};
  Benched benched = make_benched(engine, plan, structure, ranks);
  benched.start(k_row);
  for (int step = 0; step < k_warm_up; ++step) benched.step(k_row);
  Evaluator& evaluator = *benched.evaluators[0];
  Simulation& simulation = benched.first();

  Timing timing;
  timing.steps = steps;
  const double energy = simulation.observe().total;
  const std::int64_t rebuilds = evaluator.rebuilds();
  engine.backend->times().reset();
  const Traffic sent = ranks->traffic();
  ranks->barrier();
  const double begin = seconds_now();
  for (std::int64_t step = 1; step < steps; ++step) benched.step(needs_of(step));
  benched.step(k_row);
  ranks->barrier();
  timing.seconds = seconds_now() - begin;
  timing.sent = sent_since(sent, *ranks);
  timing.stages = engine.backend->times();
  timing.rebuilds = evaluator.rebuilds() - rebuilds;
  timing.drift = simulation.observe().total - energy;
  if (simulation.resident() != nullptr) {
    timing.stages = stages_of_machine(benched, timing.stages, steps);
    timing.device_bytes = simulation.resident()->peak_bytes();
    timing.exchange = simulation.resident()->exchange();
    return timing;
  }
  timing.work = count_work(evaluator);
  timing.peak = engine.backend->peak_multiply_adds(plan->precision);
  return timing;
}

double ns_per_day(const Timing& timing) { return 1e-3 * k_time_step * k_ms_per_day / timing.ms_per_step(); }

double atom_steps_per_second(const Timing& timing, std::int64_t atoms) {
  return static_cast<double>(atoms) * static_cast<double>(timing.steps) / timing.seconds;
}

double stage_ms(const Timing& timing, int stage) {
  return 1e3 * timing.stages.seconds(static_cast<Stage>(stage)) / static_cast<double>(timing.steps);
}

/// Multiply-adds of a stage over what the machine's peak would do in its time; 0 when not counted.
double share_of_peak(const Timing& timing, int stage) {
  const double ms = stage_ms(timing, stage), work = timing.work.of(static_cast<Stage>(stage));
  return timing.peak > 0 && ms > 0 ? work / (1e-3 * ms * timing.peak) : 0;
}

/// Rank of each (centre, neighbor) table of a low-rank plan; empty for other plans.
Json table_ranks(const InferencePlan& plan) {
  Json ranks = Json::array();
  for (const LowRankChoice::Basis& basis : plan.choice.basis) ranks.push_back(basis.rank);
  return ranks;
}

Json long_range_json(const ChosenPlan& chosen) {
  const LongRangePlan& plan = chosen.plan->dplr->solver;
  Json out = {{"solver", plan.method == LongRangeMethod::pppm ? "pppm" : "direct"},
              {"beta", plan.beta},
              {"threads_beside_nets", plan.threads},
              {"relative_cost", plan.relative_cost}};
  if (plan.method == LongRangeMethod::direct) return out;
  out["mesh"] = plan.mesh;
  out["order"] = plan.order;
  out["diff"] = plan.differentiation == Differentiation::ik ? "ik" : "ad";
  out["mesh_error_estimated"] = chosen.mesh.estimate;
  out["mesh_error_rms"] = chosen.mesh.rms;
  out["mesh_error_max"] = chosen.mesh.max;
  return out;
}

Json traffic_json(const Timing& timing) {
  const auto per_step = [&](std::int64_t n) {
    return static_cast<double>(n) / static_cast<double>(timing.steps);
  };
  return {{"messages_between_nodes", per_step(timing.sent.messages)},
          {"bytes_between_nodes", per_step(timing.sent.bytes)},
          {"messages_inside_nodes", per_step(timing.sent.node_messages)},
          {"bytes_inside_nodes", per_step(timing.sent.node_bytes)}};
}

Json bench_json(const Timing& timing, const Engine& engine, const ChosenPlan& chosen, std::int64_t atoms,
                const Transport& ranks) {
  Json out;
  out["atoms"] = atoms;
  out["steps"] = timing.steps;
  out["ms_per_step"] = timing.ms_per_step();
  out["atom_steps_per_s"] = atom_steps_per_second(timing, atoms);
  out["ns_per_day"] = ns_per_day(timing);
  Json& stages = out["stages"] = Json::object();
  for (int s = 0; s < k_stage_count; ++s) {
    stages[std::string(stage_name(static_cast<Stage>(s)))] = stage_ms(timing, s);
  }
  if (timing.peak > 0) {
    out["gemm_peak_gflops"] = 2e-9 * timing.peak;
    Json& share = out["share_of_peak"] = Json::object();
    for (const Stage s : {Stage::descriptor, Stage::fitting, Stage::gradient})
      share[std::string(stage_name(s))] = share_of_peak(timing, static_cast<int>(s));
  }
  if (timing.work.neighbors > 0) out["neighbors_per_atom"] = timing.work.neighbors;
  out["precision"] = precision_name(chosen.plan->precision);
  out["table"] = table_name(chosen.plan->table);
  if (const Json ranks = table_ranks(*chosen.plan); !ranks.empty()) out["table_ranks"] = ranks;
  if (chosen.plan->dplr) out["long_range"] = long_range_json(chosen);
  out["ranks"] = ranks.size();
  if (!timing.exchange.empty()) out["exchange"] = timing.exchange;
  const bool counted = timing.exchange != k_nccl_name;  // what the transport has not sent it cannot count
  if (ranks.size() > 1 && counted) out["sent_per_step"] = traffic_json(timing);
  if (engine.config.replicas > 1) out["replicas"] = engine.config.replicas;
  out["force_error_rms"] = chosen.error.force_rms;
  out["force_error_max"] = chosen.error.force_max;
  out["peak_memory_bytes"] = peak_memory_bytes();
  if (timing.device_bytes > 0) out["device_memory_bytes"] = timing.device_bytes;
  out["rebuilds"] = timing.rebuilds;
  out["energy_change_ev"] = timing.drift;
  out["machine"] = engine.backend->name();
  return out;
}

void print_bench(const Timing& timing, const Engine& engine, const ChosenPlan& chosen, std::int64_t atoms,
                 const Transport& ranks) {
  fmt::print("{} atoms · {}{} · {} · {}\n", atoms, engine.backend->name(),
             ranks.size() > 1 ? " · " + ranks.name() : "", table_name(chosen.plan->table),
             precision_name(chosen.plan->precision));
  if (!timing.exchange.empty()) fmt::print("ghosts travel from rank to rank by {}\n", timing.exchange);
  fmt::print("force error against the net in double: rms {:.1e}, max {:.1e} eV/Å\n", chosen.error.force_rms,
             chosen.error.force_max);
  fmt::print("{:.3f} ms/step · {:.0f} atom-step/s · {:.3f} ns/day (0.5 fs) · {} steps, {} list builds\n",
             timing.ms_per_step(), atom_steps_per_second(timing, atoms), ns_per_day(timing), timing.steps,
             timing.rebuilds);
  for (int s = 0; s < k_stage_count; ++s) {
    const double ms = stage_ms(timing, s);
    if (ms > 0) {
      const double share = share_of_peak(timing, s);
      fmt::print("  {:<12} {:>10.3f} ms {:>6.1f} %{}\n", stage_name(static_cast<Stage>(s)), ms,
                 100 * ms / timing.ms_per_step(),
                 share > 0 ? fmt::format("   {:>3.0f} % of GEMM peak", 100 * share) : "");
    }
  }
  const double explained = 1e3 * timing.stages.total() / static_cast<double>(timing.steps);
  fmt::print("  {:<12} {:>10.3f} ms {:>6.1f} %\n", "all visible", explained,
             100 * explained / timing.ms_per_step());
  if (timing.peak > 0)
    fmt::print("GEMM peak measured here: {:.0f} GFLOP/s; {:.0f} neighbors per atom\n", 2e-9 * timing.peak,
               timing.work.neighbors);
}

/// The long-range solver alone, on the charges of the structure.
int bench_solver(const BenchArguments& arguments, Engine& engine, const RunStructure& structure,
                 const ChosenPlan& chosen) {
  require(chosen.plan->dplr != nullptr,
          "{} has no long-range part (--solver-only times its solver); give a DPLR model", arguments.model);
  Evaluator evaluator(*engine.backend, chosen.plan, structure.box(), structure.atoms(0, structure.natoms()),
                      {engine.config.skin, 0});
  evaluator.compute({});
  LongRangePlan plan = chosen.plan->dplr->solver;
  plan.box = structure.box();
  const auto solver = engine.backend->make_long_range(plan);
  const View<const Vec4> charges = evaluator.long_range()->charges();
  const double ms = 1e3 * solver->time_solves({charges, {}}, static_cast<int>(arguments.steps));
  if (!is_stdout(arguments.json))
    fmt::print("{} charges · {} · {:.4f} ms per solve, mean of {}\n", charges.size(), engine.backend->name(),
               ms, arguments.steps);
  if (arguments.json.empty()) return 0;
  Json out = {{"atoms", structure.natoms()},
              {"charges", charges.size()},
              {"ms_per_solve", ms},
              {"solves", arguments.steps},
              {"long_range", long_range_json(chosen)},
              {"machine", engine.backend->name()}};
  write_json(arguments.json, out);
  return 0;
}

int bench(const BenchArguments& arguments, const std::shared_ptr<Transport>& ranks) {
  Engine engine = make_engine(arguments.engine, arguments.model, ranks.get());
  require(engine.model->kind == ModelKind::energy,
          "{} is a dipole model (bench steps molecular dynamics, which needs forces); give an energy model",
          arguments.model);
  require(ranks->size() == 1 || (!arguments.solver_only && engine.config.replicas == 1),
          "{} ranks with --solver-only or --replicas (these run on one rank); start bench without mpirun",
          ranks->size());
  RunConfig config = engine.config;
  config.structure = arguments.structure;
  std::vector<std::string> notes;
  const RunStructure structure(config, *engine.model, notes);
  const std::int64_t atoms = structure.natoms() * engine.config.replicas;
  const ChosenPlan chosen =
      plan_for(*engine.backend, engine.model, config, engine.plan_options, structure, *ranks);
  if (arguments.solver_only) return bench_solver(arguments, engine, structure, chosen);
  const Timing timing = time_steps(engine, chosen.plan, structure, arguments.steps, ranks);
  if (ranks->rank() > 0) return 0;
  if (!is_stdout(arguments.json)) print_bench(timing, engine, chosen, atoms, *ranks);
  if (!arguments.json.empty()) write_json(arguments.json, bench_json(timing, engine, chosen, atoms, *ranks));
  return 0;
}

}  // namespace

void add_bench_command(CLI::App& app, Action& action, MpiSession& ranks) {
  CLI::App* command = app.add_subcommand("bench", "speed of molecular dynamics here, per stage");
  command->footer(k_examples);
  auto arguments = std::make_shared<BenchArguments>();
  command->add_option("MODEL", arguments->model, "model file (.pb)")->required();
  command->add_option("STRUCTURE", arguments->structure, "structure file; its last frame is used")
      ->required();
  command->add_option("--steps", arguments->steps, "steps to time (default 100)")
      ->check(CLI::Range(1, 1000000000));
  command->add_flag("--solver-only", arguments->solver_only,
                    "time the long-range solver of a DPLR model alone; --steps solves");
  command->add_option("--json", arguments->json,
                      "write the result to this file (/dev/stdout: and nothing else there)");
  add_engine_arguments(*command, arguments->engine);
  command->callback([arguments, &action, &ranks] {
    action = [arguments, &ranks] { return bench(*arguments, ranks.world()); };
  });
}

}  // namespace nanoday
