// Writes trajectories: extended XYZ or LAMMPS text dump, one frame after the other.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/frame.hpp"
#include "io/number_format.hpp"
#include "io/output_file.hpp"

#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// What every frame of a trajectory shares. Atoms are in the input's order.
struct TrajectoryAtoms {
  std::vector<std::string> species_name;  ///< (n_species) element names
  std::vector<std::int32_t> species;      ///< (natoms) index into species_name
  std::vector<std::int64_t> id;           ///< (natoms) the input's own ids; empty: 1 … natoms
};

/// A trajectory being written. Every method throws RunError with path and reason when the disk refuses.
class TrajectoryWriter {
 public:
  virtual ~TrajectoryWriter() = default;
  /// Appends a frame and hands it to the system. \pre arrays have natoms entries, or none where optional
  virtual void write(const Frame& frame) = 0;
  /// The file: sync() it before a checkpoint notes its length(), close() it at the end of the run.
  virtual OutputFile& file() = 0;
};

/// Formats make_trajectory_writer() knows ("extxyz", "dump").
std::vector<std::string> trajectory_formats();

/// \param format one of trajectory_formats(); throws InputError for any other
/// \param file   new, or opened at the length a checkpoint noted
std::unique_ptr<TrajectoryWriter> make_trajectory_writer(const std::string& format, OutputFile file,
                                                         TrajectoryAtoms atoms, NumberFormat numbers);

/// The two machines behind make_trajectory_writer().
std::unique_ptr<TrajectoryWriter> make_extxyz_writer(OutputFile file, TrajectoryAtoms atoms,
                                                     NumberFormat numbers);
std::unique_ptr<TrajectoryWriter> make_dump_writer(OutputFile file, TrajectoryAtoms atoms,
                                                   NumberFormat numbers);

}  // namespace nanoday
