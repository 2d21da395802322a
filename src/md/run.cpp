// The run from first to last step: setup, loop, checkpoints, what happens on signals and failures.
// SPDX-License-Identifier: Apache-2.0
#include "md/run.hpp"

#include "agreement.hpp"
#include "core/error.hpp"
#include "core/timer.hpp"
#include "io/output_file.hpp"
#include "md/guards.hpp"
#include "md/neighborhood.hpp"
#include "md/progress.hpp"
#include "md/replicas.hpp"
#include "md/run_file.hpp"
#include "md/run_folder.hpp"
#include "md/run_log.hpp"
#include "md/run_output.hpp"
#include "md/run_report.hpp"
#include "md/run_text.hpp"
#include "md/stop_signals.hpp"
#include "md/table_watch.hpp"

#include <algorithm>

namespace nanoday {
namespace {

constexpr double k_dump_radius = 3;  // [Å], the first shell of anything

/// One system of the run, its files and its log.
struct Member {
  RunConfig config;
  RunSystem system;
  std::unique_ptr<RunLog> log;
  std::unique_ptr<RunOutput> output;
  bool overflow_told = false;
};

/// A run: usually one member, several with --replicas. They are stepped in turn.
struct ActiveRun {
  const RunConfig& config;
  std::vector<Member>& members;
  RunLog& log;  ///< of the run as a whole; with one member it is that one's
  const StopSignals& signals;
  std::size_t current = 0;  ///< member being worked on

  Simulation& first() { return *members[0].system.simulation; }
  Transport& ranks() { return *members[0].system.ranks; }
  /// True on all ranks alike: a signal has come to one of them. One rank knows at once, several after a step.
  bool stopped() { return ranks().size() == 1 ? signals.requested() : first().evaluator().heard(); }
  /// Calls for every member in turn.
  template <class Work>
  void each(Work&& work) {
    for (current = 0; current < members.size(); ++current) work(members[current]);
    current = 0;
  }
};

/// The neighborhood of the atom that stopped a run. Failing to write it must not hide why the run stopped.
void dump_neighborhood(const Member& member, std::int64_t atom) {
  const Evaluator& evaluator = *member.system.evaluator;
  member.log->note(describe_neighborhood(evaluator, atom, k_dump_radius));
  try {
    const std::string path = write_neighborhood(member.config.folder(), evaluator, atom, k_dump_radius);
    member.log->say("neighborhood written to " + path);
  } catch (const Error& error) {
    member.log->warn(error.what());
  }
}

void tell_overflow(Member& member, std::int64_t step) {
  if (member.overflow_told || member.system.evaluator->all_counts().sel_overflow == 0) return;
  member.overflow_told = true;
  member.log->warn(
      fmt::format("step {}: an atom has more neighbors of a type than the model's sel (the nearest are "
                  "kept, as in training); look at the density",
                  step));
}

/// Measures the tables again; what was chosen again for one replica serves all of its model. True when
/// something was: the run is to go on from its checkpoint.
bool watch_tables(ActiveRun& run, std::int64_t step) {
  bool raised = false;
  run.each([&](Member& m) {
    if (!tables_due(m.system.tables, step)) return;
    m.system.simulation->show();
    StageTimes& times = m.system.backend->times();
    const StageTimes of_steps = times;
    const double start = seconds_now();
    const TableVerdict verdict = watch_tables(m.config, m.system);
    times = of_steps;  // its evaluations are none of a step
    times.add(Stage::output, seconds_now() - start);
    using Outcome = TableVerdict::Outcome;
    if (verdict.outcome == Outcome::holds) m.log->note(verdict.text);
    if (verdict.outcome == Outcome::too_large || verdict.outcome == Outcome::raised)
      m.log->warn(verdict.text);
    if (verdict.outcome != Outcome::raised) return;
    raised = true;
    for (Member& other : run.members)
      if (other.system.model == m.system.model) {
        other.system.plan = m.system.plan;
        other.system.error = m.system.error;
        other.system.tables.chosen_at = m.system.tables.chosen_at;
        other.system.tables.raised = m.system.tables.raised;
      }
  });
  return raised;
}

struct Advance {
  Pace pace;
  bool tables_raised = false;  ///< it is to go on from its checkpoint, with them
};

/// Steps until the end, a signal or new tables; leaves a checkpoint of the last step.
Advance advance(ActiveRun& run) {
  const std::int64_t first = run.first().step_count(), total = run.config.total_steps();
  run.members[0].system.backend->times().reset();
  Progress progress(run.log, first, total, run.config.dt);
  bool raised = false;
  while (run.first().step_count() < total && !run.stopped() && !raised) {
    const std::int64_t step = run.first().step_count() + 1;
    run.first().evaluator().say(run.signals.requested());
    run.each([&](Member& m) { m.system.simulation->step(m.output->needs(step)); });
    run.each([&](Member& m) {
      m.output->write(m.system);
      if (step % run.config.thermo_every == 0) tell_overflow(m, step);
    });
    raised = watch_tables(run, step);
    if (raised || step % run.config.checkpoint_every == 0)
      run.each([](Member& m) { m.output->checkpoint(m.system); });
    progress.update(step);
  }
  progress.finish();
  const Pace pace{run.first().step_count() - first, progress.seconds()};
  run.each([](Member& m) { m.output->checkpoint(m.system); });
  return {pace, raised && run.first().step_count() < total && !run.stopped()};
}

void conclude_member(Member& m, const Pace& pace) {
  write_run_report(m.config, m.system, *m.output, pace);
  m.log->say(fmt::format("\n{}", as_text(end_facts(m.config, m.system, *m.output, pace))));
}

int conclude(ActiveRun& run, const Pace& pace) {
  run.each([&](Member& m) { conclude_member(m, pace); });
  const std::int64_t step = run.first().step_count();
  const std::string folder = run.config.folder();
  if (run.members.size() > 1) run.log.say(replicas_text(run.config, pace));
  if (step < run.config.total_steps()) {
    run.log.say(fmt::format("stopped by {} at step {} of {}; continue with: nanoday resume {}",
                            run.signals.requested() ? run.signals.name() : "a signal to another rank", step,
                            run.config.total_steps(), folder));
    return 1;
  }
  const bool one = run.members.size() == 1;
  run.log.say(fmt::format("finished {} steps; results in {}{}", step, folder,
                          one ? fmt::format(" (open {})", run_path(run.config, "report.html")) : ""));
  return 0;
}

/// First evaluation; a new run also writes its step 0 and a checkpoint, so that it can be resumed from there.
void begin(ActiveRun& run, bool resumed) {
  const double start = seconds_now();
  run.each([](Member& m) { m.system.simulation->load(); });
  run.each([](Member& m) {
    Simulation& simulation = *m.system.simulation;
    simulation.start(m.output->needs(simulation.step_count()));
  });
  const double first_evaluation = seconds_now() - start;
  run.each([&](Member& m) {
    if (m.system.model->compressed && m.config.table == TableKind::net) m.log->warn(k_no_net_note);
    m.log->say(as_text(start_facts(m.config, m.system, first_evaluation)));
    if (resumed) return;
    m.output->write(m.system);
    m.output->checkpoint(m.system);
  });
}

/// What ends a process's part of a run beside its exit codes: it is to go on from its checkpoint.
constexpr int k_go_on = -1;

int go(ActiveRun run, bool resumed) {
  const auto note = [&](const Error& error) {
    run.log.draw("");
    run.log.note(fmt::format("error: {}", error.what()));
  };
  try {
    begin(run, resumed);
    const Advance advanced = advance(run);
    return advanced.tables_raised ? k_go_on : conclude(run, advanced.pace);
  } catch (const AtomError& error) {
    note(error);
    dump_neighborhood(run.members[run.current], error.atom());
    if (run.members.size() == 1) throw;
    throw RunError(fmt::format("replica {}: {}", run.current + 1, error.what()));
  } catch (const Error& error) {
    if (run.ranks().rank() == 0) note(error);
    throw;
  }
}

/// Applies what a continuation may change.
RunConfig continued(const ResumeConfig& asked, const std::string& folder) {
  RunConfig config;
  read_run_file(resolved_path(folder), config);
  config.out = folder;
  if (asked.steps) {
    config.steps = asked.steps;
    config.time.reset();
  }
  if (asked.time) {
    config.time = asked.time;
    config.steps.reset();
  }
  if (asked.threads) config.threads = *asked.threads;
  if (asked.device) config.device = *asked.device;
  validate(config);
  return config;
}

LogMode log_mode(const Transport& ranks, bool resumed) {
  if (ranks.rank() > 0) return LogMode::other_rank;
  return resumed ? LogMode::append : LogMode::fresh;
}

/// Calls work() on the first rank; an error there is one of all.
template <class Work>
void on_first_rank(Transport& ranks, Work&& work) {
  together(ranks, [&] {
    if (ranks.rank() == 0) work();
  });
}

/// Logs and files of every system; with several the run's own log is quiet about what theirs say.
std::vector<Member> make_members(const std::vector<RunConfig>& configs, std::vector<RunSystem> systems,
                                 const std::vector<FoundCheckpoint>* from) {
  std::vector<Member> members;
  const bool quiet = configs.size() > 1;
  for (std::size_t r = 0; r < configs.size(); ++r) {
    Member m{configs[r], std::move(systems[r]), nullptr, nullptr};
    Transport& ranks = *m.system.ranks;
    if (from == nullptr) on_first_rank(ranks, [&] { prepare_folder(m.config); });
    m.log = std::make_unique<RunLog>(run_path(m.config, "log.txt"), log_mode(ranks, from != nullptr), quiet);
    if (from != nullptr) {
      if (!(*from)[r].warning.empty()) m.log->warn((*from)[r].warning);
      on_first_rank(ranks, [&] { atomic_write(resolved_path(m.config.folder()), resolved_toml(m.config)); });
    }
    m.output =
        std::make_unique<RunOutput>(m.config, m.system, from == nullptr ? nullptr : &(*from)[r].checkpoint);
    members.push_back(std::move(m));
  }
  return members;
}

int go_with(const RunConfig& config, std::vector<Member> members, const StopSignals& signals, bool resumed) {
  if (members.size() == 1) return go({config, members, *members[0].log, signals}, resumed);
  if (resumed) atomic_write(resolved_path(config.folder()), resolved_toml(config));
  RunLog log(run_path(config, "log.txt"), resumed ? LogMode::append : LogMode::fresh);
  log.say(fmt::format("{} replicas of {} atoms · {} · each in a folder of its own, {} …", members.size(),
                      members[0].system.evaluator->natoms(), members[0].system.backend->name(),
                      members[0].config.folder()));
  return go({config, members, log, signals}, resumed);
}

void require_one_system(const RunConfig& config, const Transport& ranks) {
  require(
      ranks.size() == 1 || config.replicas == 1,
      "{} replicas on {} ranks (replicas are advanced together on one rank); start one run per replica, or "
      "one rank",
      config.replicas, ranks.size());
}

/// Continues from the checkpoint in a folder.
int go_on(const ResumeConfig& asked, const MakeBackend& make_backend, const std::shared_ptr<Transport>& ranks,
          const StopSignals& signals) {
  const RunConfig config = continued(asked, asked.folder);
  require_one_system(config, *ranks);
  std::vector<RunConfig> configs;
  for (const RunConfig& each : replica_configs(config)) configs.push_back(continued(asked, each.folder()));
  const std::vector<FoundCheckpoint> found = checkpoints_of_one_step(configs, *ranks);
  if (found[0].checkpoint.step >= config.total_steps()) {
    if (ranks->rank() == 0)
      fmt::print("the run in {} is finished ({} steps); make it longer with --time or --steps\n",
                 asked.folder, found[0].checkpoint.step);
    return 0;
  }
  std::vector<RunSystem> systems = restore_systems(configs, make_backend, found, ranks);
  return go_with(config, make_members(configs, std::move(systems), &found), signals, true);
}

/// Everything is made anew from the checkpoint as often as tables were raised: one way to change a plan for
/// all machines, and what another process would do that continues the run.
int finish(int code, const std::string& folder, const MakeBackend& make_backend,
           const std::shared_ptr<Transport>& ranks, const StopSignals& signals) {
  ResumeConfig same;
  same.folder = folder;
  while (code == k_go_on) code = go_on(same, make_backend, ranks, signals);
  return code;
}

}  // namespace

int run(const RunConfig& config, const MakeBackend& make_backend, const std::shared_ptr<Transport>& ranks) {
  validate(config);
  require_one_system(config, *ranks);
  on_first_rank(*ranks, [&] { require_fresh_folder(config); });
  const std::vector<RunConfig> configs = replica_configs(config);
  const StopSignals signals;
  std::vector<RunSystem> systems = start_systems(configs, make_backend, ranks);
  if (configs.size() > 1) prepare_folder(config);
  const int code = go_with(config, make_members(configs, std::move(systems), nullptr), signals, false);
  return finish(code, config.folder(), make_backend, ranks, signals);
}

int resume(const ResumeConfig& asked, const MakeBackend& make_backend,
           const std::shared_ptr<Transport>& ranks) {
  const StopSignals signals;
  const int code = go_on(asked, make_backend, ranks, signals);
  return finish(code, asked.folder, make_backend, ranks, signals);
}

}  // namespace nanoday
