// Trajectory writers by name.
// SPDX-License-Identifier: Apache-2.0
#include "io/trajectory.hpp"

#include "core/error.hpp"
#include "io/text.hpp"

namespace nanoday {

std::vector<std::string> trajectory_formats() { return {"extxyz", "dump"}; }

std::unique_ptr<TrajectoryWriter> make_trajectory_writer(const std::string& format, OutputFile file,
                                                         TrajectoryAtoms atoms, NumberFormat numbers) {
  if (format == "extxyz") return make_extxyz_writer(std::move(file), std::move(atoms), numbers);
  if (format == "dump") return make_dump_writer(std::move(file), std::move(atoms), numbers);
  throw InputError(fmt::format("unknown trajectory format '{}' (known: {}); choose one of these",
                               printable(format), fmt::join(trajectory_formats(), ", ")));
}

}  // namespace nanoday
