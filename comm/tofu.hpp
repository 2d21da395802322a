// Barrier gates of the Tofu interconnect through the uTofu interface; built only where utofu.h exists.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "barrier_gates.hpp"
#include "transport.hpp"

#include <memory>

namespace nanoday {

/// Collective over the ring: gates on every interface that has them. `ring` carries their names once and is
/// not used afterwards. Throws RunError when the system gives no gates or cannot sum 6 words in one
/// operation. \pre at least two ranks
std::unique_ptr<BarrierGates> make_tofu_gates(Transport& ring);

}  // namespace nanoday
