// The oracle: a machine written straight from the equations, in double, to judge the others by.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"

#include <memory>

namespace nanoday {

/// A slow, single-threaded machine that shares no formula with the fast ones. It evaluates the model itself:
/// a plan's tables, ranks and precision are ignored, so every plan of a model gives the reference answer
/// (compressed models have no net and are evaluated with the table in their file).
std::unique_ptr<Backend> make_oracle_backend();

}  // namespace nanoday
