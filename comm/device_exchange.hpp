// How rows and sums travel between the devices of ranks: NCCL, a GPU-aware MPI, or by way of the host.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/device_exchange.hpp"
#include "transport.hpp"

#include <memory>
#include <string>

namespace nanoday {

/// Collective: the fastest way there is. NCCL where this build has it and every rank has a device of its own;
/// else the transport, from device memory where it reads that, or through pinned host memory.
/// \param device name of this rank's device on its node; empty where a CPU plays it  \param ranks borrowed
std::unique_ptr<DeviceExchange> make_device_exchange(Transport& ranks, const std::string& device);

}  // namespace nanoday
