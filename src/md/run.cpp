// The run from first to last step: setup, loop, checkpoints, what happens on signals and failures.
// SPDX-License-Identifier: Apache-2.0
#include "md/run.hpp"

#include "core/error.hpp"
#include "core/timer.hpp"
#include "io/output_file.hpp"
#include "md/guards.hpp"
#include "md/neighborhood.hpp"
#include "md/progress.hpp"
#include "md/run_file.hpp"
#include "md/run_folder.hpp"
#include "md/run_log.hpp"
#include "md/run_output.hpp"
#include "md/run_report.hpp"
#include "md/run_text.hpp"
#include "md/stop_signals.hpp"

#include <algorithm>

namespace nanoday {
namespace {

constexpr double k_dump_radius = 3;  // [Å], the first shell of anything

/// What the parts of a run share.
struct ActiveRun {
  const RunConfig& config;
  RunSystem& system;
  RunOutput& output;
  RunLog& log;
  const StopSignals& signals;
};

/// The neighborhood of the atom that stopped a run. Failing to write it must not hide why the run stopped.
void dump_neighborhood(ActiveRun& s, std::int64_t atom) {
  const Evaluator& evaluator = *s.system.evaluator;
  s.log.note(describe_neighborhood(evaluator, atom, k_dump_radius));
  try {
    atomic_write(run_path(s.config, "neighborhood.extxyz"),
                 neighborhood_extxyz(evaluator, atom, k_dump_radius));
    s.log.say("neighborhood written to " + run_path(s.config, "neighborhood.extxyz"));
  } catch (const Error& error) {
    s.log.warn(error.what());
  }
}

/// Steps until the end or a signal; leaves a checkpoint of the last step.
Pace advance(ActiveRun& s) {
  Simulation& simulation = *s.system.simulation;
  const std::int64_t first = simulation.step_count(), total = s.config.total_steps();
  s.system.backend->times().reset();
  Progress progress(s.log, first, total, s.config.dt);
  bool overflow_told = false;
  while (simulation.step_count() < total && !s.signals.requested()) {
    const std::int64_t step = simulation.step_count() + 1;
    simulation.step(s.output.needs(step));
    s.output.write(s.system);
    if (step % s.config.checkpoint_every == 0) s.output.checkpoint(s.system);
    if (!overflow_told && s.system.evaluator->counts().sel_overflow > 0) {
      overflow_told = true;
      s.log.warn(
          fmt::format("step {}: an atom has more neighbors of a type than the model's sel (the nearest are "
                      "kept, as in training); look at the density",
                      step));
    }
    progress.update(step);
  }
  progress.finish();
  const Pace pace{simulation.step_count() - first, progress.seconds()};
  s.output.checkpoint(s.system);
  return pace;
}

int conclude(ActiveRun& s, const Pace& pace) {
  write_run_report(s.config, s.system, s.output, pace);
  s.log.say(fmt::format("\n{}", as_text(end_facts(s.config, s.system, s.output, pace))));
  const std::int64_t step = s.system.simulation->step_count();
  const std::string folder = s.config.folder();
  if (step < s.config.total_steps()) {
    s.log.say(fmt::format("stopped by {} at step {} of {}; continue with: nanoday resume {}",
                          s.signals.name(), step, s.config.total_steps(), folder));
    return 1;
  }
  s.log.say(fmt::format("finished {} steps; results in {} (open {})", step, folder,
                        run_path(s.config, "report.html")));
  return 0;
}

/// First evaluation; a new run also writes its step 0 and a checkpoint, so that it can be resumed from there.
void begin(ActiveRun& s, bool resumed) {
  Simulation& simulation = *s.system.simulation;
  const double start = seconds_now();
  simulation.start(s.output.needs(simulation.step_count()));
  const double first_evaluation = seconds_now() - start;
  if (s.system.model->compressed && s.config.table == TableKind::net) s.log.warn(k_no_net_note);
  s.log.say(as_text(start_facts(s.config, s.system, first_evaluation)));
  if (resumed) return;
  s.output.write(s.system);
  s.output.checkpoint(s.system);
}

int go(ActiveRun s, bool resumed) {
  try {
    begin(s, resumed);
    return conclude(s, advance(s));
  } catch (const AtomError& error) {
    s.log.draw("");
    s.log.note(fmt::format("error: {}", error.what()));
    dump_neighborhood(s, error.atom());
    throw;
  } catch (const Error& error) {
    s.log.draw("");
    s.log.note(fmt::format("error: {}", error.what()));
    throw;
  }
}

/// Applies what a continuation may change.
RunConfig continued(const ResumeConfig& asked) {
  RunConfig config;
  read_run_file(resolved_path(asked.folder), config);
  config.out = asked.folder;
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

}  // namespace

int run(const RunConfig& config, const MakeBackend& make_backend) {
  validate(config);
  require_fresh_folder(config);
  const StopSignals signals;
  RunSystem system = start_system(config, make_backend);
  prepare_folder(config);
  RunLog log(run_path(config, "log.txt"), LogMode::fresh);
  RunOutput output(config, system, nullptr);
  return go({config, system, output, log, signals}, false);
}

int resume(const ResumeConfig& asked, const MakeBackend& make_backend) {
  const FoundCheckpoint found = find_checkpoint(asked.folder);
  const RunConfig config = continued(asked);
  const StopSignals signals;
  if (found.checkpoint.step >= config.total_steps()) {
    fmt::print("the run in {} is finished ({} steps); make it longer with --time or --steps\n", asked.folder,
               found.checkpoint.step);
    return 0;
  }
  RunSystem system = restore_system(config, make_backend, found.checkpoint);
  RunLog log(run_path(config, "log.txt"), LogMode::append);
  if (!found.warning.empty()) log.warn(found.warning);
  atomic_write(resolved_path(asked.folder), resolved_toml(config));
  RunOutput output(config, system, &found.checkpoint);
  return go({config, system, output, log, signals}, true);
}

}  // namespace nanoday
