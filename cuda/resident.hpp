// A run that stays on the device: atoms, lists, nets and meshes live there; a step is two graphs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/resident.hpp"
#include "cuda/device.hpp"

#include <memory>

namespace nanoday::NANODAY_GPU {

/// \param times where the host's waiting and rebuilding is booked
std::unique_ptr<ResidentSystem> make_resident_system(const ResidentSettings& settings, StageTimes& times);

}  // namespace nanoday::NANODAY_GPU
