// A whole run: from a model and a structure to a folder of results, and its continuation.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "halo_geometry.hpp"
#include "lending.hpp"
#include "model/dipole_charge.hpp"
#include "model/plan_builder.hpp"
#include "transport.hpp"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace nanoday {

enum class Ensemble { unset, nve, nvt };
enum class ThermostatKind { none, nose_hoover, langevin, rescaling };
enum class TrajectoryFormat { extxyz, dump };

/// Everything a run is told. Times in ps, temperatures in K, lengths in Å; defaults are what the command
/// line documents.
struct RunConfig {
  std::string model;               ///< model file
  std::string structure;           ///< structure file; a run starts from its last frame
  std::vector<std::string> types;  ///< element names of the file's types 1, 2, …; empty: from the file
  std::array<int, 3> replicate{1, 1, 1};

  Ensemble ensemble = Ensemble::unset;  ///< a run must be told
  ThermostatKind thermostat = ThermostatKind::none;
  double target = 0;                     ///< thermostat temperature [K], NVT only
  std::optional<double> temperature;     ///< initial velocities [K]; none: the thermostat's, else the file's
  double tau = 0.1;                      ///< thermostat time [ps]
  double dt = 0.0005;                    ///< time step [ps]
  std::optional<std::int64_t> steps;     ///< number of steps …
  std::optional<double> time;            ///< … or the time they cover [ps]; a run needs one of the two
  double every = 0.1;                    ///< time between trajectory frames [ps]; 0: no trajectory
  std::int64_t thermo_every = 20;        ///< steps between rows of thermo.csv
  std::int64_t checkpoint_every = 1000;  ///< steps between checkpoints
  std::uint64_t seed = 1;
  int replicas = 1;                  ///< independent systems advanced together; replica r has seed + r
  std::vector<double> temperatures;  ///< of replicas, NVT only [K]; empty: `target` for all
  std::vector<std::string> models;   ///< of replicas, dealt in turn, `model` first; empty: `model` for all
  TrajectoryFormat trajectory = TrajectoryFormat::extxyz;

  std::string device = "auto";
  int threads = 0;  ///< 0: OMP_NUM_THREADS or all cores, dealt among the ranks of a node
  int local_rank =
      0;  ///< number among the ranks of a node, which shares its GPUs out; on_this_rank() sets it
  Balance balance = Balance::automatic;
  std::optional<HaloRoute> halo;  ///< none: the fastest, see comm/halo_choice.hpp
  bool reproducible = false;
  Precision precision = Precision::fp64;
  TableKind table = TableKind::lowrank;
  double force_error = 1e-6;  ///< [eV/Å] rms, bound for lowrank
  double skin = 2.0;          ///< [Å]
  int rebuild_every = 0;      ///< steps; 0: when an atom moved half the skin

  LongRangeOptions long_range;   ///< DPLR models only, as what follows
  std::string wannier;           ///< dipole model that replaces the one inside the model; empty: none does
  DipoleChargeSettings charges;  ///< replace what the model says
  std::string long_range_given;  ///< name of a setting above that was given; empty: none was

  std::string out;  ///< folder; empty: structure name without extension + ".run"
  bool overwrite = false;

  /// Number of steps, from `steps` or `time`. \pre one of them is given
  std::int64_t total_steps() const;
  /// Steps between trajectory frames, 0 for none.
  std::int64_t trajectory_stride() const;
  /// Steps between samples of g(r) and the mean squared displacement: the number nearest to 20 fs.
  std::int64_t analysis_stride() const;
  /// `out`, or the folder named after the structure.
  std::string folder() const;
};

/// Makes the machine a run asks for (device, threads, reproducible); the program passes one built on
/// make_backend(), tests may pass another.
using MakeBackend = std::function<std::shared_ptr<Backend>(const RunConfig&)>;

/// The runs a run of several replicas consists of, each with a folder (replica-001, …), a seed, and maybe a
/// temperature and a model of its own; the run itself when there is one.
std::vector<RunConfig> replica_configs(const RunConfig& config);

/// Runs from the beginning. Writes into config.folder(): thermo.csv, trajectory.extxyz or .dump, rdf.csv,
/// msd.csv, checkpoint.bin (and .prev.bin), run.resolved.toml, log.txt, report.html; draws progress on
/// standard output. Installs handlers for SIGINT and SIGTERM while it runs.
/// \return 0 when all steps were made, 1 when a signal stopped it (a checkpoint is then in the folder).
/// Throws InputError before anything is written, RunError when the run cannot go on.
/// \param ranks that share the work; all call it alike
int run(const RunConfig& config, const MakeBackend& make_backend,
        const std::shared_ptr<Transport>& ranks = make_self_transport());

/// What a continuation may change; the rest is as the run was started.
struct ResumeConfig {
  std::string folder;
  std::optional<std::int64_t> steps;  ///< new total number of steps
  std::optional<double> time;         ///< new total time [ps]
  std::optional<int> threads;
  std::optional<std::string> device;
};

/// Continues a run from its checkpoint, bit for bit as if it had not stopped; a finished run says so and
/// returns 0. Falls back to checkpoint.prev.bin with a warning when checkpoint.bin is damaged.
/// \param ranks any number, also another one than the run was started with
int resume(const ResumeConfig& config, const MakeBackend& make_backend,
           const std::shared_ptr<Transport>& ranks = make_self_transport());

}  // namespace nanoday
