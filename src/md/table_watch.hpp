// Measures a run's tables again as it goes: atoms may come to surroundings the tables were not chosen for.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run_system.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nanoday {

/// Larger systems are not measured again: all positions go to one rank for it.
inline constexpr std::int64_t k_most_watched = 1'000'000;

/// True at 50, 100, 200, 400, … steps after the tables were chosen: often at first, when a structure relaxes,
/// and then in vanishing time.
bool tables_due(const TableRecord& record, std::int64_t step);

/// What a look at the tables has shown; the same on all ranks.
struct TableVerdict {
  enum class Outcome { unmeasured, holds, too_large, raised } outcome = Outcome::unmeasured;
  std::string text;  ///< for the log; empty when there is nothing to measure
};

/// Replicas of one model have one plan; this many of them are looked at, from the first.
inline constexpr std::size_t k_most_looked_at = 8;

/// Measures the force error of a plan at the atoms of its systems as they stand. Above twice what the plan
/// was chosen for (its own error then, or config.force_error if that is larger) low-rank tables are chosen
/// again where it is largest; quintic ones, which hold anywhere, at the third time or when that does not help
/// all systems. What helps becomes plan and error of all of them, to be used from the next restore on. Keeps
/// their tables records, which are one. A look that fails (no memory, say) is `unmeasured` and says why.
/// Collective; the first rank measures. \param alike systems of one model; several on one rank only
/// \pre the evaluators show the present step
TableVerdict watch_tables(const RunConfig& config, const std::vector<RunSystem*>& alike);

/// Gives systems of one model quintic tables. \pre one rank
void take_quintic(const RunConfig& config, const std::vector<RunSystem*>& alike);

}  // namespace nanoday
