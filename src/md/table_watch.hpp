// Measures a run's tables again as it goes: atoms may come to surroundings the tables were not chosen for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run_system.hpp"

#include <cstdint>
#include <string>

namespace nanoday {

/// Larger systems are not measured again: all positions go to one rank for it.
inline constexpr std::int64_t k_most_watched = 1'000'000;

/// True at 50, 100, 200, 400, … steps after the tables were chosen: often at first, when a structure relaxes,
/// and then in vanishing time.
bool tables_due(const TableRecord& record, std::int64_t step);

/// What a look at the tables has shown; the same on all ranks.
struct TableVerdict {
  enum class Outcome { unmeasured, holds, too_large, raised } outcome = Outcome::unmeasured;
  std::string text;  ///< for the log; empty when unmeasured
};

/// Measures the force error of a system's plan at its atoms as they stand. Above twice what the plan was
/// chosen for (its own error then, or config.force_error if that is larger) low-rank tables are chosen again
/// there, at the third time quintic ones, which hold anywhere; if that helps, system.plan and system.error
/// are the new ones, to be used from the next restore on. Keeps system.tables.
/// Collective; the first rank measures. \pre the evaluator shows the present step
TableVerdict watch_tables(const RunConfig& config, RunSystem& system);

}  // namespace nanoday
