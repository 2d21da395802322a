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
};

/// What a run knows when it goes on from its checkpoint in the same process.
struct Continuation {
  RunConfig config;
  std::vector<RunConfig> configs;                    ///< of the members
  std::vector<std::shared_ptr<const Model>> models;  ///< theirs; none: to be read
  std::vector<std::vector<std::string>> notes;       ///< theirs; none: nothing to say
  std::vector<EarlierPart> earlier;
  Pace pace;  ///< of this process so far
  StageTimes times;
};

/// A run: usually one member, several with --replicas. They are stepped in turn.
struct ActiveRun {
  const RunConfig& config;
  std::vector<Member>& members;
  RunLog& log;  ///< of the run as a whole; with one member it is that one's
  const StopSignals& signals;
  Continuation& so_far;
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
  bool& told = member.system.earlier.overflow_told;
  if (told || member.system.evaluator->all_counts().sel_overflow == 0) return;
  told = true;
  member.log->warn(
      fmt::format("step {}: an atom has more neighbors of a type than the model's sel (the nearest are "
                  "kept, as in training); look at the density",
                  step));
}

/// Members by model, whose plan they share.
std::vector<std::vector<Member*>> members_alike(std::vector<Member>& members) {
  std::vector<std::vector<Member*>> groups;
  for (Member& m : members) {
    const auto same = [&](const auto& group) { return group[0]->system.model == m.system.model; };
    const auto found = std::find_if(groups.begin(), groups.end(), same);
    if (found == groups.end())
      groups.push_back({&m});
    else
      found->push_back(&m);
  }
  return groups;
}

std::vector<RunSystem*> systems_of(const std::vector<Member*>& group) {
  std::vector<RunSystem*> systems;
  for (Member* m : group) systems.push_back(&m->system);
  return systems;
}

void tell(ActiveRun& run, const std::vector<Member*>& group, const TableVerdict& verdict) {
  if (verdict.text.empty() || run.ranks().rank() > 0) return;
  const bool good = verdict.outcome == TableVerdict::Outcome::holds;
  if (!good) run.log.warn(verdict.text);
  if (good || run.members.size() > 1)
    for (Member* m : group) m->log->note(verdict.text);
}

/// Replicas of several models on a device are evaluated together, in one way.
void make_alike(const std::vector<std::vector<Member*>>& groups) {
  const auto is_quintic = [](const auto& group) {
    return group[0]->system.plan->table == TableKind::quintic;
  };
  if (std::none_of(groups.begin(), groups.end(), is_quintic)) return;
  for (const auto& group : groups)
    if (!is_quintic(group)) take_quintic(group[0]->config, systems_of(group));
}

/// Measures the tables again where that is due. True when some were chosen again: the run is to go on from
/// its checkpoint.
bool watch_tables(ActiveRun& run, std::int64_t step) {
  const auto due = [&](const Member& m) { return tables_due(m.system.tables, step); };
  if (std::none_of(run.members.begin(), run.members.end(), due)) return false;
  run.each([](Member& m) { m.system.simulation->show(); });
  StageTimes& times = run.members[0].system.backend->times();
  const StageTimes of_steps = times;
  const double start = seconds_now();
  bool raised = false;
  const auto groups = members_alike(run.members);
  for (const auto& group : groups) {
    if (!due(*group[0])) continue;
    const TableVerdict verdict = watch_tables(group[0]->config, systems_of(group));
    tell(run, group, verdict);
    raised = raised || verdict.outcome == TableVerdict::Outcome::raised;
  }
  if (raised) make_alike(groups);
  times = of_steps;  // these evaluations are none of a step
  times.add(Stage::output, seconds_now() - start);
  return raised;
}

struct Advance {
  Pace pace;
  bool tables_raised = false;  ///< it is to go on from its checkpoint, with them
};

/// Steps until the end, a signal or new tables; leaves a checkpoint of the last step.
Advance advance(ActiveRun& run) {
  const std::int64_t first = run.first().step_count(), total = run.config.total_steps();
  run.members[0].system.backend->times() = run.so_far.times;
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
  const Pace pace{run.so_far.pace.steps + run.first().step_count() - first,
                  run.so_far.pace.seconds + progress.seconds()};
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

/// Leaves behind what the next part of the run is to know.
void hand_over(ActiveRun& run, const Pace& pace) {
  Continuation& next = run.so_far;
  next = {run.config, {}, {}, {}, {}, pace, run.members[0].system.backend->times()};
  for (Member& m : run.members) {
    next.configs.push_back(m.config);
    next.models.push_back(m.system.model);
    next.notes.push_back(m.system.notes);
    next.earlier.push_back({counts_of(m.system), m.system.earlier.rebuilds + m.system.evaluator->rebuilds(),
                            m.system.earlier.overflow_told});
  }
}

int go(ActiveRun run, bool resumed) {
  const auto note = [&](const Error& error) {
    run.log.draw("");
    run.log.note(fmt::format("error: {}", error.what()));
  };
  try {
    begin(run, resumed);
    const Advance advanced = advance(run);
    if (!advanced.tables_raised) return conclude(run, advanced.pace);
    hand_over(run, advanced.pace);
    return k_go_on;
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

int go_with(const RunConfig& config, std::vector<Member> members, const StopSignals& signals, bool resumed,
            Continuation& so_far) {
  if (members.size() == 1) return go({config, members, *members[0].log, signals, so_far}, resumed);
  if (resumed) atomic_write(resolved_path(config.folder()), resolved_toml(config));
  RunLog log(run_path(config, "log.txt"), resumed ? LogMode::append : LogMode::fresh);
  log.say(fmt::format("{} replicas of {} atoms · {} · each in a folder of its own, {} …", members.size(),
                      members[0].system.evaluator->natoms(), members[0].system.backend->name(),
                      members[0].config.folder()));
  return go({config, members, log, signals, so_far}, resumed);
}

void require_one_system(const RunConfig& config, const Transport& ranks) {
  require(
      ranks.size() == 1 || config.replicas == 1,
      "{} replicas on {} ranks (replicas are advanced together on one rank); start one run per replica, or "
      "one rank",
      config.replicas, ranks.size());
}

/// Continues from checkpoints, as often as tables are chosen again: one way to change a plan for all
/// machines, and what another process would do that continues the run.
int go_on(Continuation so_far, std::vector<FoundCheckpoint> found, const MakeBackend& make_backend,
          const std::shared_ptr<Transport>& ranks, const StopSignals& signals) {
  for (;; found = checkpoints_of_one_step(so_far.configs, *ranks)) {
    const RunConfig config = so_far.config;
    std::vector<RunSystem> systems =
        restore_systems(so_far.configs, make_backend, found, ranks, so_far.models);
    for (std::size_t r = 0; r < so_far.earlier.size(); ++r) {
      systems[r].earlier = so_far.earlier[r];
      systems[r].notes = so_far.notes[r];
    }
    std::vector<Member> members = make_members(so_far.configs, std::move(systems), &found);
    const int code = go_with(config, std::move(members), signals, true, so_far);
    if (code != k_go_on) return code;
  }
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
  Continuation so_far;
  const int code =
      go_with(config, make_members(configs, std::move(systems), nullptr), signals, false, so_far);
  if (code != k_go_on) return code;
  auto found = checkpoints_of_one_step(so_far.configs, *ranks);
  return go_on(std::move(so_far), std::move(found), make_backend, ranks, signals);
}

int resume(const ResumeConfig& asked, const MakeBackend& make_backend,
           const std::shared_ptr<Transport>& ranks) {
  Continuation from;
  from.config = continued(asked, asked.folder);
  require_one_system(from.config, *ranks);
  for (const RunConfig& each : replica_configs(from.config))
    from.configs.push_back(continued(asked, each.folder()));
  const StopSignals signals;
  auto found = checkpoints_of_one_step(from.configs, *ranks);
  const std::int64_t step = found[0].checkpoint.step;
  if (step >= from.config.total_steps()) {
    if (ranks->rank() == 0)
      fmt::print("the run in {} is finished ({} steps); make it longer with --time or --steps\n",
                 asked.folder, step);
    return 0;
  }
  return go_on(std::move(from), std::move(found), make_backend, ranks, signals);
}

}  // namespace nanoday
