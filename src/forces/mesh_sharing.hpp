// The ranks' side of a charge mesh, as a plan says they share it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/mesh_ranks.hpp"
#include "domain_grid.hpp"
#include "model/long_range_plan.hpp"
#include "transport.hpp"

#include <memory>

namespace nanoday {

/// Collective: what Backend::make_long_range() takes; null where one rank needs nobody. Direct sums and plans
/// made for one rank (FftMethod::local) are replicated, which gives the bits of one rank. \param domains of
/// the plan's box \param reach how far charges may lie beyond their rank's region [Å]: what atoms may move
/// between migrations (half
///   the skin) and k_farthest_centroid
/// \param reproducible results must not depend on the number of ranks
/// `transport` must outlive the result and be free of other traffic while a solver runs.
std::unique_ptr<MeshRanks> make_mesh_ranks(const LongRangePlan& plan, Transport& transport,
                                           const DomainGrid& domains, double reach, bool reproducible);

}  // namespace nanoday
