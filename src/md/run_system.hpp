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
  std::unique_ptr<Backend> backend;
  std::shared_ptr<const Model> model;
  std::shared_ptr<const InferencePlan> plan;
  MeasuredError error;
  MeshReport mesh;  ///< DPLR models
  std::unique_ptr<Evaluator> evaluator;
  std::unique_ptr<Simulation> simulation;
  std::vector<std::int64_t> input_id;  ///< (natoms) the structure file's own ids, input order; may be empty
  std::vector<std::string> notes;      ///< choices worth saying: where velocities came from, which frame
};

/// Reads model and structure, chooses the plan, gives velocities. Throws InputError on anything wrong.
RunSystem start_system(const RunConfig& config, const MakeBackend& make_backend);

/// Continues from a checkpoint: the same plan, atoms, lists and bath. Throws InputError when model or
/// settings are not those of the checkpoint.
RunSystem restore_system(const RunConfig& config, const MakeBackend& make_backend,
                         const Checkpoint& checkpoint);

/// What a checkpoint holds of the system; the caller adds statistics, analysis and file lengths.
Checkpoint checkpoint_of(const RunSystem& system, const RunConfig& config);

}  // namespace nanoday
