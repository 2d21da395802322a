// The ranks' side of a charge mesh, as a plan says they share it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/mesh_ranks.hpp"
#include "domain_grid.hpp"
#include "model/long_range_plan.hpp"
#include "transport.hpp"

#include <memory>
#include <optional>
#include <vector>

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

/// How ranks lie on nodes.
struct NodeLayout {
  int nodes = 1, ranks = 1;  ///< all nodes; ranks of each
  int threads = 1;           ///< of each rank
};

/// (ranks of a node) shares of their node's nets, summing to 1, with which all end together where the first
/// also transforms the node's mesh: every thread is busy for (1/nodes + cost) / (ranks · threads). Equal
/// shares where the cost is not known (0). \param cost  the solver's thread-seconds over those of all nets
/// (LongRangePlan: threads · relative_cost)
std::vector<double> shares_of_nets(double cost, const NodeLayout& layout);

/// The plan where one rank of a node transforms for all: on as many threads as were asked for, else on the
/// fewest with which the others do not wait for it, which is one where nets take long enough. A plan that
/// runs nothing beside nets stays as it is. Throws InputError when a rank has fewer threads than were asked
/// for, or none left for nets.
LongRangePlan led_by_one(LongRangePlan plan, std::optional<int> asked, const NodeLayout& layout);

}  // namespace nanoday
