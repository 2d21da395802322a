// Rows and sums between GPUs through NCCL.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/device_exchange.hpp"
#include "transport.hpp"

#include <memory>

namespace nanoday {

/// DeviceExchange::name() of the exchange below, whose messages no transport counts.
inline constexpr const char* k_nccl_name = "NCCL";

/// True when this build has NCCL.
bool nccl_available();

/// Collective. Throws RunError when NCCL cannot connect the GPUs, and in builds without NCCL.
/// \pre this rank's GPU is the current device, and no other rank's
std::unique_ptr<DeviceExchange> make_nccl_exchange(Transport& ranks);

}  // namespace nanoday
