// The files of a run: opened, filled when something is due, tied to checkpoints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/thermo_log.hpp"
#include "io/trajectory.hpp"
#include "md/analysis/dplr_analysis.hpp"
#include "md/analysis/msd.hpp"
#include "md/analysis/rdf.hpp"
#include "md/run_system.hpp"
#include "md/shared_file.hpp"
#include "md/work_queue.hpp"

#include <memory>
#include <optional>
#include <string>

namespace nanoday {

/// thermo.csv, the trajectory, msd.csv, rdf.csv and the checkpoints of one run. All ranks write the
/// trajectory and the checkpoints, each its part; the first one writes the rest. Methods that sample or write
/// are collective, and an error of one rank is one of all.
class RunOutput {
 public:
  /// Collective. \param from checkpoint to continue from, or nullptr for a new run. Files then continue at
  /// the lengths the checkpoint noted. Throws RunError when the disk refuses or a file is missing.
  RunOutput(const RunConfig& config, const RunSystem& system, const Checkpoint* from);

  /// What besides forces will be read at this step.
  Needs needs(std::int64_t step) const;

  /// Writes what is due at the simulation's present step. Throws RunError when the values are absurd. With a
  /// resident system only what must be copied is waited for: files are written while it steps on.
  void write(const RunSystem& system);

  /// Syncs all files, then writes a checkpoint that knows their lengths; also brings rdf.csv up to date.
  /// Does nothing when the present step has one already.
  void checkpoint(const RunSystem& system);

  const ThermoStatistics& statistics() const { return statistics_; }
  /// g(r) as of the last checkpoint, on the first rank; nothing when the box does not repeat in all
  /// directions.
  std::optional<RdfTable> rdf() const;
  /// What a DPLR run measures, likewise; null otherwise.
  const DplrAnalysis* dplr() const { return dplr_ ? &*dplr_ : nullptr; }
  /// Means that turn dipoles into a spectrum.
  SampleConditions conditions(const RunSystem& system) const;

 private:
  bool due(std::int64_t step, std::int64_t stride) const { return stride > 0 && step % stride == 0; }
  /// What is due at a step, with the numbers that the next step would change.
  struct Moment {
    std::int64_t step = 0;
    double time = 0, energy = 0;  ///< [ps], [eV]
    std::optional<ThermoRow> row;
    bool frame = false, dipole = false, analysis = false;
    bool any() const { return row || frame || dipole || analysis; }
    bool arrays() const { return frame || dipole || analysis; }
  };
  void open_files(const RunSystem& system, const Checkpoint* from);
  Moment look(const RunSystem& system);
  void put(const RunSystem& system, const Moment& moment);
  ThermoRow thermo_row(const RunSystem& system);
  void write_frame(const RunSystem& system, const Moment& moment);
  void analyse(const RunSystem& system, const Moment& moment);
  std::vector<FileLength> sync_files(const RunSystem& system);
  std::string save_analysis() const;
  void restore(const Checkpoint& from);
  /// Calls work() on the first rank; an error there is one of all.
  template <class Work>
  void on_first_rank(Work&& work);

  RunConfig config_;
  Transport& ranks_;
  std::optional<ThermoLog> thermo_;       ///< first rank only
  std::optional<MsdLog> msd_log_;         ///< first rank only
  std::optional<SharedFile> trajectory_;  ///< none with --every 0
  std::unique_ptr<TrajectoryFormatter> formatter_;
  std::optional<Rdf> rdf_;  ///< none without a density
  Msd msd_;
  std::optional<DplrAnalysis> dplr_;  ///< DPLR models only
  ThermoStatistics statistics_;
  std::int64_t checkpointed_step_ = -1;
  std::unique_ptr<WorkQueue> queue_;  ///< resident systems only; last: its work uses everything above
};

/// Path of a file in the run's folder.
std::string run_path(const RunConfig& config, const std::string& name);

/// File name of the trajectory.
std::string trajectory_name(const RunConfig& config);

/// Names of the model's types, one word each.
std::vector<std::string> species_names(const Model& model);

}  // namespace nanoday
