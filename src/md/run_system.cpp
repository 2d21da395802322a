// Builds the simulation of a run.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_system.hpp"

#include "core/error.hpp"
#include "forces/system_setup.hpp"
#include "io/species.hpp"
#include "io/structure_file.hpp"
#include "io/virtual_atoms.hpp"
#include "md/configured_model.hpp"
#include "md/dplr_bytes.hpp"
#include "md/velocities.hpp"

#include <algorithm>
#include <utility>

namespace nanoday {
namespace {

std::shared_ptr<const Model> read_energy_model(const RunConfig& config) {
  auto model = read_configured_model(config, config.model);
  require(model->kind == ModelKind::energy,
          "{} is a dipole model (it has no energy to move atoms by); run with an energy model", config.model);
  return model;
}

Structure read_start(const RunConfig& config, const Model& model, std::vector<std::string>& notes) {
  auto frames = read_structures(config.structure, config.types);
  require(!frames.empty() && frames.back().natoms() > 0,
          "{} holds no atoms (a run needs some); give another file", config.structure);
  if (frames.size() > 1) notes.push_back(fmt::format("started from the last of {} frames", frames.size()));
  Structure start = prepare_for(model, std::move(frames.back()));
  const auto [nx, ny, nz] = config.replicate;
  return nx * ny * nz == 1 ? start : replicate(start, nx, ny, nz);
}

void give_velocities(const RunConfig& config, bool file_has_them, Atoms& atoms,
                     std::vector<std::string>& notes) {
  if (config.temperature || config.ensemble == Ensemble::nvt) {
    const double temperature = config.temperature.value_or(config.target);
    draw_velocities(atoms, temperature, config.seed);
    notes.push_back(fmt::format("velocities drawn at {:g} K (seed {})", temperature, config.seed));
  } else {
    notes.push_back(file_has_them ? "velocities from the structure file"
                                  : "atoms start at rest (--temperature T "
                                    "gives velocities)");
  }
}

std::unique_ptr<Thermostat> make_thermostat(const RunConfig& config, double degrees_of_freedom) {
  const ThermostatOptions options{config.target, config.tau, config.dt, degrees_of_freedom, config.seed};
  switch (config.thermostat) {
    case ThermostatKind::nose_hoover:
      return make_nose_hoover(options);
    case ThermostatKind::langevin:
      return make_langevin(options);
    case ThermostatKind::rescaling:
      return make_velocity_rescaling(options);
    case ThermostatKind::none:
      break;
  }
  return make_no_thermostat();
}

double freedom_of(const RunConfig& config, const RunSystem& system) {
  return degrees_of_freedom(system.evaluator->atoms().nlocal, config.thermostat != ThermostatKind::langevin);
}

void make_evaluator(const RunConfig& config, const Box& box, Atoms atoms, RunSystem& system) {
  system.evaluator = std::make_unique<Evaluator>(*system.backend, system.plan, box, std::move(atoms),
                                                 EvaluatorOptions{config.skin, config.rebuild_every});
}

/// Several replicas share a resident system where the machine has such.
void make_simulations(const std::vector<RunConfig>& configs, std::vector<RunSystem>& systems) {
  std::vector<std::unique_ptr<Thermostat>> thermostats;
  std::vector<BathSettings> baths;
  for (std::size_t r = 0; r < systems.size(); ++r) {
    thermostats.push_back(make_thermostat(configs[r], freedom_of(configs[r], systems[r])));
    baths.push_back(thermostats.back()->settings());
  }
  const int n = static_cast<int>(systems.size());
  const auto shares = resident_shares(*systems[0].evaluator, configs[0].dt, baths);
  for (int r = 0; r < n; ++r) {
    const double freedom = freedom_of(configs[r], systems[r]);
    systems[r].simulation = std::make_unique<Simulation>(*systems[r].evaluator, std::move(thermostats[r]),
                                                         configs[r].dt, freedom, shares[r]);
  }
}

std::shared_ptr<const InferencePlan> same_plan(std::shared_ptr<const Model> model, const RunConfig& config,
                                               const Checkpoint& checkpoint, int threads) {
  PlanOptions options;
  options.table = checkpoint.table;
  options.precision = checkpoint.precision;
  options.force_error = config.force_error;
  const auto plan_of = [&](std::shared_ptr<const Model> of, const LowRankChoice& choice) {
    return checkpoint.table == TableKind::lowrank ? make_lowrank_plan(std::move(of), options, choice)
                                                  : make_direct_plan(std::move(of), options);
  };
  auto plan = plan_of(model, checkpoint.choice);
  if (!model->dipole_charge) return plan;
  DplrState dplr = checkpoint.dplr;
  dplr.solver.threads = std::min(dplr.solver.threads, std::max(threads - 1, 0));  // fewer than when it began
  return with_dplr(*plan, same_dplr(dplr, plan_of(model->dipole_charge->wannier, dplr.choice)));
}

void require_same_run(const RunConfig& config, const Model& model, const Checkpoint& checkpoint) {
  require(
      model.hash == checkpoint.model_hash,
      "{} has the hash {} but the run was started with {} (it is another model); put the original file back",
      config.model, model.hash, checkpoint.model_hash);
  const bool same = config.dt == checkpoint.dt && config.seed == checkpoint.seed &&
                    config.thermostat == checkpoint.thermostat && config.precision == checkpoint.precision;
  require(
      same,
      "run.resolved.toml in {} no longer fits the checkpoint (dt, seed, thermostat or precision was edited); "
      "restore it, or start a new run",
      config.out);
}

}  // namespace

std::vector<RunSystem> start_systems(const std::vector<RunConfig>& configs, const MakeBackend& make_backend) {
  const RunConfig& first = configs.front();
  RunSystem common;
  common.model = read_energy_model(first);
  Structure structure = read_start(first, *common.model, common.notes);
  const auto types = bind_types(structure, common.model->type_map);
  structure.species_mass = species_masses(structure);
  common.input_id = structure.id;
  std::vector<RunSystem> systems;
  for (const RunConfig& config : configs) {
    RunSystem system;
    system.model = common.model;
    system.input_id = common.input_id;
    system.notes = common.notes;
    Atoms atoms = make_atoms(structure, types);
    give_velocities(config, !structure.velocity.empty(), atoms, system.notes);
    if (systems.empty()) {
      common.backend = make_backend(config);
      ChosenPlan chosen =
          choose_plan(*common.backend, common.model, structure.box, atoms, plan_options(config));
      common.plan = std::move(chosen.plan);
      common.error = chosen.error;
      common.mesh = chosen.mesh;
    }
    system.backend = common.backend;
    system.plan = common.plan;
    system.error = common.error;
    system.mesh = common.mesh;
    make_evaluator(config, structure.box, std::move(atoms), system);
    systems.push_back(std::move(system));
  }
  make_simulations(configs, systems);
  return systems;
}

std::vector<RunSystem> restore_systems(const std::vector<RunConfig>& configs, const MakeBackend& make_backend,
                                       const std::vector<FoundCheckpoint>& checkpoints) {
  std::vector<RunSystem> systems;
  for (std::size_t r = 0; r < configs.size(); ++r) {
    const Checkpoint& checkpoint = checkpoints[r].checkpoint;
    RunSystem system;
    system.model = r == 0 ? read_energy_model(configs[r]) : systems[0].model;
    require_same_run(configs[r], *system.model, checkpoint);
    system.backend = r == 0 ? make_backend(configs[r]) : systems[0].backend;
    system.plan =
        r == 0 ? same_plan(system.model, configs[r], checkpoint, system.backend->threads()) : systems[0].plan;
    system.error = checkpoint.error;
    system.mesh = checkpoint.dplr.mesh;
    system.input_id = checkpoint.input_id;
    make_evaluator(configs[r], checkpoint.box, checkpoint.atoms, system);
    systems.push_back(std::move(system));
  }
  make_simulations(configs, systems);
  for (std::size_t r = 0; r < configs.size(); ++r) {
    const Checkpoint& checkpoint = checkpoints[r].checkpoint;
    Simulation& simulation = *systems[r].simulation;
    if (simulation.resident() != nullptr)
      systems[r].evaluator->adopt(checkpoint.list);
    else
      systems[r].evaluator->restore(checkpoint.list);
    simulation.thermostat().restore(checkpoint.thermostat_state);
    simulation.set_step(checkpoint.step);
  }
  return systems;
}

Checkpoint checkpoint_of(const RunSystem& system, const RunConfig& config) {
  Checkpoint c;
  c.model_hash = system.model->hash;
  c.table = system.plan->table;
  c.precision = system.plan->precision;
  c.choice = system.plan->choice;
  c.error = system.error;
  if (system.plan->dplr) c.dplr = dplr_state(*system.plan->dplr, system.mesh);
  c.thermostat = config.thermostat;
  c.dt = config.dt;
  c.seed = config.seed;
  c.step = system.simulation->step_count();
  c.thermostat_state = system.simulation->thermostat().state();
  c.box = system.evaluator->box();
  c.atoms = system.evaluator->atoms();
  c.input_id = system.input_id;
  c.list = system.evaluator->list_state();
  c.list.age -= 1;  // resuming evaluates this step once more, which counts it again
  return c;
}

}  // namespace nanoday
