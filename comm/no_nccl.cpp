// Exchange between GPUs in a build without NCCL: there is none.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "nccl_exchange.hpp"

namespace nanoday {

bool nccl_available() { return false; }

std::unique_ptr<DeviceExchange> make_nccl_exchange(Transport&) {
  throw RunError("this build has no NCCL; build where nccl.h and its library are installed");
}

}  // namespace nanoday
