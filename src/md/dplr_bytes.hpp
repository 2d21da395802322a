// The long-range part of a checkpoint: to bytes and back, from a plan and back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/bytes.hpp"
#include "md/checkpoint.hpp"

#include <memory>

namespace nanoday {

void put_dplr(ByteWriter& out, const DplrState& state);
DplrState get_dplr(ByteReader& in);

DplrState dplr_state(const DplrPlan& plan, const MeshReport& mesh);
/// Inverse of dplr_state() with the Wannier net's plan made again.
std::shared_ptr<const DplrPlan> same_dplr(const DplrState& state,
                                          std::shared_ptr<const InferencePlan> wannier);

}  // namespace nanoday
