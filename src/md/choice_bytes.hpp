// A low-rank choice to bytes and back, for checkpoints.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/bytes.hpp"
#include "model/inference_plan.hpp"

namespace nanoday {

void put_choice(ByteWriter& out, const LowRankChoice& choice);

/// Inverse of put_choice(). Throws InputError when the bytes end too early.
LowRankChoice get_choice(ByteReader& in);

}  // namespace nanoday
