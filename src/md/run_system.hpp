// From settings, or from a checkpoint, to a simulation ready to start.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "forces/plan_search.hpp"
#include "md/checkpoint.hpp"
#include "md/run.hpp"
#include "md/simulation.hpp"
#include "transport.hpp"

#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// What this process saw of a run before it went on with other tables; reports add it.
struct EarlierPart {
  EvaluationCounts counts;  ///< of all ranks
  std::int64_t rebuilds = 0;
  bool overflow_told = false;
};

/// A run's machine, model and atoms. Members are built and destroyed in an order that suits their references.
struct RunSystem {
  std::shared_ptr<Transport> ranks = make_self_transport();  ///< that share the system
  std::shared_ptr<Backend> backend;                          ///< of all replicas
  std::shared_ptr<const Model> model;
  std::shared_ptr<const InferencePlan> plan;
  MeasuredError error;
  TableRecord tables;
  MeshReport mesh;  ///< DPLR models
  std::unique_ptr<Evaluator> evaluator;
  std::unique_ptr<Simulation> simulation;
  std::vector<std::int64_t>
      input_id;                    ///< (this rank's share of ids, comm/by_id.hpp) the file's own; none: 1 …
  std::vector<std::string> notes;  ///< choices worth saying: where velocities came from, which frame
  EarlierPart earlier;
};

/// Counts of all ranks since this process began the run. Collective.
EvaluationCounts counts_of(const RunSystem& system);

/// Reads models and structure, chooses a plan for each model, gives velocities; one system per replica, all
/// on one machine. Throws InputError on anything wrong.
std::vector<RunSystem> start_systems(const std::vector<RunConfig>& configs, const MakeBackend& make_backend,
                                     const std::shared_ptr<Transport>& ranks);

/// Continues from checkpoints of one step: the same plans, atoms, lists and baths. Throws InputError when
/// models or settings are not those of the checkpoints. \param models of `configs`, where they were read
/// before
std::vector<RunSystem> restore_systems(const std::vector<RunConfig>& configs, const MakeBackend& make_backend,
                                       const std::vector<FoundCheckpoint>& checkpoints,
                                       const std::shared_ptr<Transport>& ranks,
                                       const std::vector<std::shared_ptr<const Model>>& models = {});

/// What a checkpoint holds of the system; the caller adds statistics, analysis and file lengths.
Checkpoint checkpoint_of(const RunSystem& system, const RunConfig& config);

}  // namespace nanoday
