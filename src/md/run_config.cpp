// Derived values of a run's settings, and whether they make sense together.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "md/run.hpp"
#include "md/run_file.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>

namespace nanoday {
namespace {

// A time step beyond this is surely a forgotten unit [ps].
constexpr double k_longest_dt = 0.02;
constexpr double k_most_steps = 1e15;

std::int64_t stride_of(double time, double dt) {
  return std::max<std::int64_t>(1,
                                static_cast<std::int64_t>(std::llround(std::min(time / dt, k_most_steps))));
}

void validate_ensemble(const RunConfig& c) {
  require(c.ensemble != Ensemble::unset, "no ensemble is given (a run needs one); add --nve or --nvt T");
  if (c.ensemble == Ensemble::nve) {
    require(c.thermostat == ThermostatKind::none,
            "--thermostat is given with --nve (constant energy has none); use --nvt T");
  } else {
    require(c.target > 0, "--nvt is {} K (a bath needs a positive temperature); give one", c.target);
    require(c.tau > 0, "--tau is {} ps (it must be positive); give for example 0.1ps", c.tau);
  }
  require(!c.temperature || *c.temperature >= 0,
          "--temperature is {} K (below absolute zero); give 0 or more", c.temperature.value_or(0));
}

bool same_file(const std::string& a, const std::string& b) {
  return std::filesystem::weakly_canonical(a) == std::filesystem::weakly_canonical(b);
}

void validate_replicas(const RunConfig& c) {
  require(c.temperatures.empty() || static_cast<int>(c.temperatures.size()) == c.replicas,
          "--replica-temperatures has {} values for {} replicas (each needs one); make them equal",
          c.temperatures.size(), c.replicas);
  require(c.temperatures.empty() || c.ensemble == Ensemble::nvt,
          "--replica-temperatures is given without --nvt (constant energy has no bath); add --nvt T");
  for (const double t : c.temperatures)
    require(t > 0, "--replica-temperatures holds {} K (a bath needs a positive temperature); correct it", t);
  if (c.models.empty()) return;
  require(static_cast<int>(c.models.size()) <= c.replicas,
          "--replica-models lists {} models for {} replicas (each needs a replica); give --replicas {}",
          c.models.size(), c.replicas, c.models.size());
  require(
      same_file(c.models[0], c.model),
      "--replica-models begins with {} but the model of the run is {} (the first replica's); begin the list "
      "with it",
      c.models[0], c.model);
}

void validate_times(const RunConfig& c) {
  require(c.dt > 0, "--dt is {} ps (a time step is positive); give for example 0.5fs", c.dt);
  require(c.dt <= k_longest_dt,
          "--dt is {:g} fs (longer than {:g} fs; a bare number is in ps); write for example "
          "--dt 0.5fs",
          c.dt * 1e3, k_longest_dt * 1e3);
  require(c.steps || c.time,
          "the length of the run is not given (it needs one); add --time 10ps or --steps N");
  require(!c.time || *c.time >= 0, "--time is {} ps (it cannot be negative); give for example 10ps",
          c.time.value_or(0));
  require(!c.time || *c.time / c.dt < k_most_steps,
          "--time is {:g} ps (more than {:g} steps of {:g} ps); make it "
          "shorter",
          c.time.value_or(0), k_most_steps, c.dt);
  require(c.every >= 0, "--every is {} ps (it cannot be negative); give for example 0.1ps", c.every);
}

}  // namespace

std::int64_t RunConfig::total_steps() const { return steps ? *steps : time ? std::llround(*time / dt) : 0; }

std::int64_t RunConfig::trajectory_stride() const { return every > 0 ? stride_of(every, dt) : 0; }

std::int64_t RunConfig::analysis_stride() const { return stride_of(0.02, dt); }

std::string RunConfig::folder() const {
  if (!out.empty()) return out;
  const std::filesystem::path path(structure);
  const auto name = path.has_filename() ? path.filename() : path.parent_path().filename();
  return name.stem().string() + ".run";
}

void validate_engine(const RunConfig& c) {
  require(c.skin >= 0, "--skin is {} Å (it cannot be negative); give for example 2", c.skin);
  require(c.force_error > 0, "--force-error is {} eV/Å (it must be positive); give for example 1e-6",
          c.force_error);
  const LongRangeOptions& l = c.long_range;
  require(!(l.field.period > 0) || l.field.any(),
          "--efield-period is given without --efield (there is no field to vary); add --efield EX EY EZ");
  const bool direct = l.method && *l.method == LongRangeMethod::direct;
  require(!direct || (l.mesh[0] == 0 && !l.differentiation && !l.mesh_error_given && !l.fft),
          "--solver direct is given with --mesh, --order, --diff, --mesh-error or --fft (it has no mesh); "
          "remove one "
          "or the other");
  require(
      !l.cores || !l.threads,
      "both --pppm-cores and --pppm-threads are given (each says how many threads run the solver); give one");
}

void validate(const RunConfig& c) {
  require(!c.model.empty() && !c.structure.empty(),
          "the {} is not given (a run needs both); write nanoday run MODEL "
          "STRUCTURE",
          c.model.empty() ? "model" : "structure");
  validate_ensemble(c);
  validate_replicas(c);
  validate_times(c);
  validate_engine(c);
}

}  // namespace nanoday
