// Builds the simulation of a run.
// SPDX-License-Identifier: Apache-2.0
#include "md/run_system.hpp"

#include "by_id.hpp"
#include "core/error.hpp"
#include "md/configured_model.hpp"
#include "md/rank_threads.hpp"
#include "md/run_structure.hpp"
#include "md/shared_plan.hpp"
#include "md/velocities.hpp"
#include "model/architecture.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>

namespace nanoday {
namespace {

std::shared_ptr<const Model> read_energy_model(const RunConfig& config) {
  auto model = read_configured_model(config, config.model);
  require(model->kind == ModelKind::energy,
          "{} is a dipole model (it has no energy to move atoms by); run with an energy model", config.model);
  return model;
}

/// Every model of a run, read once. Throws InputError when they are not of one architecture.
class ModelShelf {
 public:
  std::shared_ptr<const Model> read(const RunConfig& config) {
    auto& model = models_[config.model];
    if (model) return model;
    model = read_energy_model(config);
    if (!first_) first_ = model;
    require_same_architecture(*first_, *model);
    return model;
  }

 private:
  std::map<std::string, std::shared_ptr<const Model>> models_;  ///< by path
  std::shared_ptr<const Model> first_;
};

/// A system of the same model, whose plan serves both; null when there is none yet.
const RunSystem* with_model(const std::vector<RunSystem>& systems,
                            const std::shared_ptr<const Model>& model) {
  const auto same = [&](const RunSystem& system) { return system.model == model; };
  const auto found = std::find_if(systems.begin(), systems.end(), same);
  return found == systems.end() ? nullptr : &*found;
}

void give_velocities(const RunConfig& config, bool file_has_them, Transport& ranks, Atoms& atoms,
                     std::vector<std::string>& notes) {
  if (config.temperature || config.ensemble == Ensemble::nvt) {
    const double temperature = config.temperature.value_or(config.target);
    draw_velocities(atoms, temperature, config.seed, ranks);
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
  return degrees_of_freedom(system.evaluator->natoms(), config.thermostat != ThermostatKind::langevin);
}

/// The plan of another system of the same model, or one chosen on a sample of the structure.
void take_plan(const RunSystem* other, const RunConfig& config, const RunStructure& structure,
               RunSystem& system) {
  if (other != nullptr) {
    system.plan = other->plan;
    system.error = other->error;
    system.mesh = other->mesh;
    return;
  }
  std::string note;
  ChosenPlan chosen =
      plan_for(*system.backend, system.model, config, plan_options(config), structure, *system.ranks, &note);
  if (!note.empty()) system.notes.push_back(note);
  system.plan = std::move(chosen.plan);
  system.error = chosen.error;
  system.mesh = chosen.mesh;
}

void make_evaluator(const RunConfig& config, const Box& box, Atoms atoms, RunSystem& system) {
  system.evaluator = std::make_unique<Evaluator>(
      *system.backend, system.plan, box, std::move(atoms),
      EvaluatorOptions{config.skin, config.rebuild_every, config.balance, config.halo}, system.ranks);
}

/// Several replicas share a resident system where the machine has such.
void make_simulations(const std::vector<RunConfig>& configs, std::vector<RunSystem>& systems) {
  std::vector<std::unique_ptr<Thermostat>> thermostats;
  std::vector<BathSettings> baths;
  std::vector<std::shared_ptr<const InferencePlan>> plans;
  for (std::size_t r = 0; r < systems.size(); ++r) {
    thermostats.push_back(make_thermostat(configs[r], freedom_of(configs[r], systems[r])));
    baths.push_back(thermostats.back()->settings());
    plans.push_back(systems[r].plan);
  }
  const int n = static_cast<int>(systems.size());
  const auto shares = resident_shares(*systems[0].evaluator, configs[0].dt, baths, std::move(plans));
  for (int r = 0; r < n; ++r) {
    const double freedom = freedom_of(configs[r], systems[r]);
    systems[r].simulation = std::make_unique<Simulation>(*systems[r].evaluator, std::move(thermostats[r]),
                                                         configs[r].dt, freedom, shares[r]);
  }
}

/// What was asked for on one rank does not stop a continuation on several. What was chosen by measuring stays
/// on the same ranks, where the machine can do it: another way would add in another order.
RunConfig continued(RunConfig config, const Checkpoint& checkpoint, const Backend& backend,
                    const Transport& ranks) {
  std::optional<FftMethod>& fft = config.long_range.fft;
  if (ranks.size() == 1) return config;
  if (fft == FftMethod::local) fft.reset();
  const FftMethod before = checkpoint.dplr.solver.fft;
  if (!fft && !checkpoint.dealt && (before == FftMethod::replicated || backend.solves_bricks())) fft = before;
  return config;
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

/// Makes this rank's machine. Throws InputError on all ranks when they have different ones ("auto" found a
/// GPU on some only): a rank with a GPU and one without talk in different ways. In reproducible mode
/// instruction sets count, too, since each rounds in its own way.
std::shared_ptr<Backend> make_machine(const MakeBackend& make_backend, const RunConfig& config,
                                      Transport& ranks) {
  const std::shared_ptr<Backend> backend = make_backend(on_this_rank(config, ranks));
  const std::string name = backend->name();
  const std::string kind = name.substr(0, name.find(config.reproducible ? ',' : ' '));
  const double key = static_cast<double>(std::hash<std::string>{}(kind) >> 12);  // exact in a double
  std::vector<double> range{key, -key};
  ranks.all_reduce_max(range);
  require(range[0] == -range[1],
          "the ranks have different machines (this one: {}); choose one that all have by --device{}", name,
          config.reproducible ? " or --isa (--reproducible needs the same instructions everywhere)" : "");
  return backend;
}

}  // namespace

std::vector<RunSystem> start_systems(const std::vector<RunConfig>& configs, const MakeBackend& make_backend,
                                     const std::shared_ptr<Transport>& ranks) {
  const RunConfig& first = configs.front();
  ModelShelf shelf;
  RunSystem common;
  common.model = shelf.read(first);
  const RunStructure structure(first, *common.model, common.notes);
  const IdShares shares(structure.natoms(), ranks->size());
  const std::int64_t begin = shares.first(ranks->rank()), end = shares.first(ranks->rank() + 1);
  std::vector<RunSystem> systems;
  for (const RunConfig& config : configs) {
    RunSystem system;
    system.ranks = ranks;
    system.model = shelf.read(config);
    system.input_id = structure.input_ids(begin, end);
    system.notes = common.notes;
    Atoms atoms = structure.atoms(begin, end);
    give_velocities(config, structure.has_velocities(), *ranks, atoms, system.notes);
    if (systems.empty()) common.backend = make_machine(make_backend, config, *ranks);
    system.backend = common.backend;
    take_plan(with_model(systems, system.model), config, structure, system);
    make_evaluator(config, structure.box(), std::move(atoms), system);
    systems.push_back(std::move(system));
  }
  make_simulations(configs, systems);
  return systems;
}

std::vector<RunSystem> restore_systems(const std::vector<RunConfig>& configs, const MakeBackend& make_backend,
                                       const std::vector<FoundCheckpoint>& checkpoints,
                                       const std::shared_ptr<Transport>& ranks,
                                       const std::vector<std::shared_ptr<const Model>>& models) {
  std::vector<RunSystem> systems;
  ModelShelf shelf;
  for (std::size_t r = 0; r < configs.size(); ++r) {
    const Checkpoint& checkpoint = checkpoints[r].checkpoint;
    RunSystem system;
    system.ranks = ranks;
    system.model = models.empty() ? shelf.read(configs[r]) : models[r];
    require_same_run(configs[r], *system.model, checkpoint);
    system.backend = r == 0 ? make_machine(make_backend, configs[r], *ranks) : systems[0].backend;
    const RunSystem* const other = with_model(systems, system.model);
    system.plan =
        other != nullptr
            ? other->plan
            : with_shared_mesh(same_plan(system.model, configs[r], checkpoint, system.backend->threads()),
                               *system.backend, checkpoint.box,
                               continued(configs[r], checkpoint, *system.backend, *ranks), *ranks);
    system.error = checkpoint.error;
    system.tables = checkpoint.tables;
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
      systems[r].evaluator->adopt(checkpoint.list, checkpoint.dealt);
    else
      systems[r].evaluator->restore(checkpoint.list, checkpoint.dealt);
    simulation.thermostat().restore(checkpoint.thermostat_state);
    simulation.set_step(checkpoint.step);
  }
  return systems;
}

EvaluationCounts counts_of(const RunSystem& system) {
  EvaluationCounts counts = system.evaluator->all_counts();
  const EvaluationCounts& before = system.earlier.counts;
  if (before.outside_table > 0)
    counts.smallest_distance = counts.outside_table > 0
                                   ? std::min(counts.smallest_distance, before.smallest_distance)
                                   : before.smallest_distance;
  if (before.first_outside_atom >= 0) counts.first_outside_atom = before.first_outside_atom;
  counts.outside_table += before.outside_table;
  counts.sel_overflow += before.sel_overflow;
  return counts;
}

Checkpoint checkpoint_of(const RunSystem& system, const RunConfig& config) {
  Checkpoint c;
  describe_plan(*system.plan, system.error, system.mesh, c);
  c.tables = system.tables;
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
