// The long-range energy of Gaussian charges straight from its definition.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/long_range.hpp"

#include <memory>

namespace nanoday {

/// Sums over the plan's reciprocal vectors for every charge and, whatever method the plan names, knows no
/// mesh: what a mesh is judged by. A pppm plan is summed to convergence, up to e^{−k²/4β²} = 1e-18.
/// start() does the work. Throws InputError for beta or spacing ≤ 0 and boxes that do not repeat everywhere.
std::unique_ptr<LongRangeSolver> make_oracle_sum(const LongRangePlan& plan);

}  // namespace nanoday
