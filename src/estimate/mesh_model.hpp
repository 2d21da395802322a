// What the long-range solver costs on many ranks: spreading, transforms, and the words between nodes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "estimate/step_model.hpp"

#include <string>

namespace nanoday {

struct MeshTime {
  double seconds = 0;  ///< of one solve, nothing hidden
  double bytes = 0;    ///< of a rank
  std::string method;  ///< local, replicated, reduction, pencil
};

/// The cheapest way to share the transform (the DPLR paper's program: always its reduction).
/// \param rate multiply-adds per second of a rank on nets
MeshTime mesh_time(const Workload& work, const MachineModel& machine, const Layout& layout, double rate,
                   Algorithm algorithm);

/// Rounds of network reductions per transform along a ring of P nodes with N points along each axis, b = N/P
/// of them per node: 2 b³ P / 12 operations of 12 packed integers, by six interfaces in turn
/// (dplr-pipeline.md).
double reduction_rounds(double points, double nodes);

}  // namespace nanoday
