// Trajectory formats by name.
// SPDX-License-Identifier: Apache-2.0
#include "io/trajectory.hpp"

#include "core/error.hpp"
#include "io/text.hpp"

namespace nanoday {

std::vector<std::string> trajectory_formats() { return {"extxyz", "dump"}; }

std::unique_ptr<TrajectoryFormatter> make_trajectory_formatter(const std::string& format,
                                                               TrajectoryLabels labels,
                                                               NumberFormat numbers) {
  if (format == "extxyz") return make_extxyz_formatter(std::move(labels), numbers);
  if (format == "dump") return make_dump_formatter(std::move(labels), numbers);
  throw InputError(fmt::format("unknown trajectory format '{}' (known: {}); choose one of these",
                               printable(format), fmt::join(trajectory_formats(), ", ")));
}

}  // namespace nanoday
