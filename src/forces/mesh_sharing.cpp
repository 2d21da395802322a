// The ranks' side of a charge mesh, as a plan says they share it.
// SPDX-License-Identifier: Apache-2.0
#include "forces/mesh_sharing.hpp"

#include "brick_mesh.hpp"
#include "core/error.hpp"
#include "replicated_mesh.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {

std::unique_ptr<MeshRanks> make_mesh_ranks(const LongRangePlan& plan, Transport& transport,
                                           const DomainGrid& domains, double reach, bool reproducible) {
  const bool bricks = plan.method == LongRangeMethod::pppm &&
                      (plan.fft == FftMethod::reduction || plan.fft == FftMethod::pencil);
  if (!bricks) {
    const bool alone = transport.size() == 1 && plan.fft != FftMethod::replicated;
    return alone ? nullptr : make_replicated_mesh(transport);
  }
  const auto margin = mesh_margin(domains.frame().box, plan.mesh, plan.order, reach);
  if (plan.fft == FftMethod::pencil) return make_pencil_mesh(transport, domains, plan.mesh, margin);
  return make_reduction_mesh(transport, domains, plan.mesh, margin, {plan.fft_scale, reproducible ? 1 : 0});
}

std::vector<double> shares_of_nets(double cost, const NodeLayout& layout) {
  const double ranks = layout.ranks, threads = layout.threads;
  const double solver = cost * layout.nodes;  // of a node's nets
  const double end = (1 + solver) / (ranks * threads);
  const double first = layout.ranks == 1 ? 1 : std::max(0.0, threads * end - solver);
  std::vector<double> shares(static_cast<std::size_t>(layout.ranks), first);
  for (std::size_t k = 1; k < shares.size(); ++k) shares[k] = (1 - first) / (ranks - 1);
  return shares;
}

// With c seconds on one thread, of which N take c/N each, all end after (1/nodes + c) / (ranks · threads).
LongRangePlan led_by_one(LongRangePlan plan, std::optional<int> asked, const NodeLayout& layout) {
  require(
      asked.value_or(1) < std::max(layout.threads, 2),
      "{} core(s) for the mesh are more than a rank has beside its nets (one rank of a node transforms its "
      "mesh, and has {} thread(s)); give --pppm-cores or --pppm-threads fewer, or start fewer ranks with "
      "more threads each",
      asked.value_or(1), layout.threads);
  if (plan.threads == 0) return plan;
  const double cost = plan.threads * plan.relative_cost;
  const double end = (1.0 / layout.nodes + cost) / (layout.ranks * layout.threads);
  const int enough = static_cast<int>(std::clamp(std::ceil(cost / end), 1.0, layout.threads - 1.0));
  plan.threads = asked.value_or(enough);
  plan.relative_cost = cost / plan.threads;
  return plan;
}

}  // namespace nanoday
