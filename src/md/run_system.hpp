// From settings, or from a checkpoint, to a simulation ready to start.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "forces/plan_search.hpp"
#include "md/checkpoint.hpp"
#include "md/run.hpp"
#include "md/simulation.hpp"

#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// A run's machine, model and atoms. Members are built and destroyed in an order that suits their references.
struct RunSystem {
  std::shared_ptr<Backend> backend;  ///< of all replicas
  std::shared_ptr<const Model> model;
  std::shared_ptr<const InferencePlan> plan;
  MeasuredError error;
  MeshReport mesh;  ///< DPLR models
  std::unique_ptr<Evaluator> evaluator;
  std::unique_ptr<Simulation> simulation;
  std::vector<std::int64_t> input_id;  ///< (natoms) the structure file's own ids, input order; may be empty
  std::vector<std::string> notes;      ///< choices worth saying: where velocities came from, which frame
};

/// Reads model and structure, chooses the plan, gives velocities; one system per replica, all on one machine
/// and with one plan. Throws InputError on anything wrong.
std::vector<RunSystem> start_systems(const std::vector<RunConfig>& configs, const MakeBackend& make_backend);

/// Continues from checkpoints of one step: the same plan, atoms, lists and baths. Throws InputError when
/// model or settings are not those of the checkpoints.
std::vector<RunSystem> restore_systems(const std::vector<RunConfig>& configs, const MakeBackend& make_backend,
                                       const std::vector<FoundCheckpoint>& checkpoints);

/// What a checkpoint holds of the system; the caller adds statistics, analysis and file lengths.
Checkpoint checkpoint_of(const RunSystem& system, const RunConfig& config);

}  // namespace nanoday
