// The files of a run: opened, filled when something is due, tied to checkpoints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/thermo_log.hpp"
#include "io/trajectory.hpp"
#include "md/analysis/dplr_analysis.hpp"
#include "md/analysis/msd.hpp"
#include "md/analysis/rdf.hpp"
#include "md/run_system.hpp"

#include <memory>
#include <optional>
#include <string>

namespace nanoday {

/// thermo.csv, the trajectory, msd.csv, rdf.csv and the checkpoints of one run.
class RunOutput {
 public:
  /// \param from checkpoint to continue from, or nullptr for a new run. Files then continue at the lengths
  /// the checkpoint noted. Throws RunError when the disk refuses or a file is missing.
  RunOutput(const RunConfig& config, const RunSystem& system, const Checkpoint* from);

  /// What besides forces will be read at this step.
  Needs needs(std::int64_t step) const;

  /// Writes what is due at the simulation's present step. Throws RunError when the values are absurd.
  void write(const RunSystem& system);

  /// Syncs all files, then writes a checkpoint that knows their lengths; also brings rdf.csv up to date.
  /// Does nothing when the present step has one already.
  void checkpoint(const RunSystem& system);

  const ThermoStatistics& statistics() const { return statistics_; }
  /// g(r) so far; nothing when the box does not repeat in all directions.
  std::optional<RdfTable> rdf() const;
  /// What a DPLR run measures; null otherwise.
  const DplrAnalysis* dplr() const { return dplr_ ? &*dplr_ : nullptr; }
  /// Means that turn dipoles into a spectrum.
  SampleConditions conditions(const RunSystem& system) const;

 private:
  bool due(std::int64_t step, std::int64_t stride) const { return stride > 0 && step % stride == 0; }
  void write_thermo(const RunSystem& system);
  void write_frame(const RunSystem& system);
  void analyse(const RunSystem& system);
  std::string save_analysis() const;
  void restore_analysis(const std::string& state);

  RunConfig config_;
  ThermoLog thermo_;
  std::unique_ptr<TrajectoryWriter> trajectory_;  ///< none with --every 0
  std::optional<Rdf> rdf_;                        ///< none without a density
  Msd msd_;
  std::unique_ptr<MsdLog> msd_log_;
  std::optional<DplrAnalysis> dplr_;  ///< DPLR models only
  ThermoStatistics statistics_;
  std::int64_t checkpointed_step_ = -1;
};

/// Path of a file in the run's folder.
std::string run_path(const RunConfig& config, const std::string& name);

/// File name of the trajectory.
std::string trajectory_name(const RunConfig& config);

/// Names of the model's types, one word each.
std::vector<std::string> species_names(const Model& model);

}  // namespace nanoday
