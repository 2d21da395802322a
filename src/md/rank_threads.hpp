// How many threads a rank takes when nobody said so.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run.hpp"

namespace nanoday {

/// The config of one rank: its number on its node, and `threads` set where several ranks of a node would
/// otherwise take all its cores each: the cores dealt among them. What the user, OMP_NUM_THREADS or the
/// launcher's binding says is left as it is.
RunConfig on_this_rank(const RunConfig& config, const Transport& ranks);

}  // namespace nanoday
