// Everything a run needs to continue exactly, in one checked file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "core/box.hpp"
#include "forces/evaluator.hpp"
#include "forces/plan_search.hpp"
#include "md/run.hpp"
#include "md/thermo_statistics.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nanoday {

/// Length of an output file when the checkpoint was taken; what lies beyond is made again.
struct FileLength {
  std::string name;          ///< inside the run folder
  std::uint64_t length = 0;  ///< [bytes]
};

/// How the long-range part is evaluated; its constants come from the model and the settings anew.
struct DplrState {
  LowRankChoice choice;  ///< of the Wannier net; lowrank only
  LongRangePlan solver;  ///< but for the box, which is the checkpoint's
  ElectricField field;
  MeshReport mesh;
};

/// File layout: magic "nanoday\n", version (u32), payload length (u64), payload, FNV-1a of the payload (u64).
struct Checkpoint {
  // The model and how it is evaluated: choosing again could give another table, hence other bits.
  std::string model_hash;
  TableKind table = TableKind::lowrank;
  Precision precision = Precision::fp64;
  LowRankChoice choice;  ///< lowrank only
  MeasuredError error;   ///< as measured when the run started
  DplrState dplr;        ///< DPLR models only

  // The run.
  ThermostatKind thermostat = ThermostatKind::none;
  double dt = 0;  ///< [ps]
  std::uint64_t seed = 0;
  std::int64_t step = 0;
  std::vector<double> thermostat_state;

  // The atoms, local ones in memory order, and the list they were evaluated with.
  Box box;
  Atoms atoms;
  std::vector<std::int64_t> input_id;  ///< the structure file's own ids, input order; may be empty
  Evaluator::ListState list;

  // What has been gathered.
  ThermoStatistics statistics;
  std::string analysis;  ///< state of g(r) and of the mean squared displacement
  std::vector<FileLength> files;
};

/// The file's bytes.
std::string encode(const Checkpoint& checkpoint);

/// Inverse of encode(). Throws InputError naming `source` for anything truncated, altered or of another
/// version.
Checkpoint decode(std::string_view bytes, const std::string& source);

inline constexpr const char* k_checkpoint_file = "checkpoint.bin";
inline constexpr const char* k_previous_checkpoint_file = "checkpoint.prev.bin";

/// Writes folder/checkpoint.bin through a temporary file; the one before becomes checkpoint.prev.bin.
/// Throws RunError when the disk refuses; the old files are then as they were.
void write_checkpoint(const std::string& folder, const Checkpoint& checkpoint);

/// A checkpoint and what had to be said on the way to it.
struct FoundCheckpoint {
  Checkpoint checkpoint;
  std::string warning;  ///< empty when checkpoint.bin was sound
};

/// Reads folder/checkpoint.bin, or checkpoint.prev.bin (with a warning) when that is missing or damaged.
/// Throws InputError when neither can be used.
FoundCheckpoint find_checkpoint(const std::string& folder);

}  // namespace nanoday
