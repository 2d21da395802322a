// How trajectories look: extended XYZ or LAMMPS text dump, one frame after the other.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "io/frame.hpp"
#include "io/number_format.hpp"

#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// What every frame of a trajectory shares.
struct TrajectoryLabels {
  std::vector<std::string> species_name;  ///< (n_species) element names
  std::vector<std::int64_t> id;           ///< (rows) the input's own ids; empty: counted from 1
};

/// Turns frames into text. Ranks may do so in parts: the file is the head and then everybody's rows, in the
/// order of their shares.
class TrajectoryFormatter {
 public:
  virtual ~TrajectoryFormatter() = default;
  /// Appends what stands before a frame's first atom; depends on no row.
  virtual void append_head(fmt::memory_buffer& out, const Frame& frame) const = 0;
  /// Appends the frame's rows, a line for each. \pre arrays have as many entries as positions
  virtual void append_rows(fmt::memory_buffer& out, const Frame& frame) const = 0;
};

/// Formats make_trajectory_formatter() knows ("extxyz", "dump").
std::vector<std::string> trajectory_formats();

/// \param format one of trajectory_formats(); throws InputError for any other
std::unique_ptr<TrajectoryFormatter> make_trajectory_formatter(const std::string& format,
                                                               TrajectoryLabels labels, NumberFormat numbers);

/// The two machines behind make_trajectory_formatter().
std::unique_ptr<TrajectoryFormatter> make_extxyz_formatter(TrajectoryLabels labels, NumberFormat numbers);
std::unique_ptr<TrajectoryFormatter> make_dump_formatter(TrajectoryLabels labels, NumberFormat numbers);

}  // namespace nanoday
