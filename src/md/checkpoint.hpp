// Everything a run needs to continue exactly, in one checked file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "core/box.hpp"
#include "forces/evaluator.hpp"
#include "forces/plan_search.hpp"
#include "md/run.hpp"
#include "md/thermo_statistics.hpp"
#include "transport.hpp"

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

/// What measuring the tables again has shown so far (md/table_watch.hpp); the same on all ranks.
struct TableRecord {
  std::int64_t chosen_at = 0;   ///< step at whose atoms the tables were chosen
  std::int64_t measured = 0;    ///< how often since the run began
  std::int64_t raised = 0;      ///< how often they were chosen again
  std::int64_t worst_step = 0;  ///< where the largest force error was met
  double worst = 0;             ///< that error, rms [eV/Å]
};

/// What one rank knows of a checkpoint: all but the atoms is the same on all ranks.
///
/// File layout: magic "nanoday\n", version (u32), header length (u64), header, FNV-1a of the header (u64);
/// then a block per rank with its atoms. The header ends in a table of the blocks' lengths and FNV-1a sums.
struct Checkpoint {
  // The model and how it is evaluated: choosing again could give another table, hence other bits.
  std::string model_hash;
  TableKind table = TableKind::lowrank;
  Precision precision = Precision::fp64;
  LowRankChoice choice;  ///< lowrank only
  MeasuredError error;   ///< as measured when it was chosen
  TableRecord tables;
  DplrState dplr;  ///< DPLR models only

  // The run.
  ThermostatKind thermostat = ThermostatKind::none;
  double dt = 0;  ///< [ps]
  std::uint64_t seed = 0;
  std::int64_t step = 0;
  std::vector<double> thermostat_state;

  // This rank's atoms in memory order, and the list they were evaluated with.
  Box box;
  Atoms atoms;
  Evaluator::ListState list;

  // Of the ids this rank serves (comm/by_id.hpp), in their order.
  std::vector<std::int64_t> input_id;  ///< the structure file's own ids; empty when it has none
  std::vector<Vec3> msd_origin;        ///< see Msd; empty before its first sample

  // Who wrote it; filled by those who read.
  std::vector<std::int32_t> node_of;  ///< (ranks)
  bool dealt = false;                 ///< other ranks or nodes than read it: atoms are not at their owners

  // What has been gathered.
  ThermoStatistics statistics;
  std::string analysis;  ///< state of g(r) and of what DPLR runs measure
  std::vector<FileLength> files;
};

/// The part that says how the model is evaluated, for other ranks.
std::string encode_plan(const Checkpoint& checkpoint);
void decode_plan(std::string_view bytes, Checkpoint& checkpoint);

/// The bytes of a file that one rank writes.
std::string encode(const Checkpoint& checkpoint);

/// All atoms of a file. Throws InputError naming `source` for anything truncated, altered or of another
/// version.
Checkpoint decode(std::string_view bytes, const std::string& source);

inline constexpr const char* k_checkpoint_file = "checkpoint.bin";
inline constexpr const char* k_previous_checkpoint_file = "checkpoint.prev.bin";

/// Writes folder/checkpoint.bin through a temporary file, every rank its own block; the one before becomes
/// checkpoint.prev.bin. Collective. Throws RunError on all ranks when the disk refuses one of them; the old
/// files are then as they were.
void write_checkpoint(const std::string& folder, const Checkpoint& checkpoint, Transport& ranks);

/// A checkpoint and what had to be said on the way to it.
struct FoundCheckpoint {
  Checkpoint checkpoint;
  std::string warning;  ///< empty when checkpoint.bin was sound
};

/// Reads a checkpoint; as many ranks as wrote it get their own atoms back, others whole blocks in turn.
/// Collective. Throws InputError on all ranks when a part of it cannot be used.
FoundCheckpoint read_checkpoint(const std::string& path, Transport& ranks);

/// Reads folder/checkpoint.bin, or checkpoint.prev.bin (with a warning) when that is missing or damaged.
/// Collective. Throws InputError when neither can be used.
FoundCheckpoint find_checkpoint(const std::string& folder, Transport& ranks);

}  // namespace nanoday
