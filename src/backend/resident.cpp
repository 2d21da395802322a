// Most machines work on the host's own arrays: nothing needs to live anywhere else.
// SPDX-License-Identifier: Apache-2.0
#include "backend/resident.hpp"

namespace nanoday {

std::unique_ptr<ResidentSystem> Backend::make_resident(const ResidentSettings&) { return nullptr; }

}  // namespace nanoday
