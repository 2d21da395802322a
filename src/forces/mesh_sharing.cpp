// The ranks' side of a charge mesh, as a plan says they share it.
// SPDX-License-Identifier: Apache-2.0
#include "forces/mesh_sharing.hpp"

#include "brick_mesh.hpp"
#include "replicated_mesh.hpp"

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

}  // namespace nanoday
