// A run that stays on the device: atoms, lists, nets and meshes live there; a step is two graphs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/resident.hpp"
#include "cuda/device.hpp"

#include <memory>

namespace nanoday::NANODAY_GPU {

/// \param by_id neighbors are ordered by the ids of atoms, so that sums over them have the same bits on any
/// number of ranks; else by their places in memory, which builds lists faster
/// \param times where the host's waiting and rebuilding is booked
std::unique_ptr<ResidentSystem> make_resident_system(const ResidentSettings& settings, bool by_id,
                                                     StageTimes& times);

}  // namespace nanoday::NANODAY_GPU
