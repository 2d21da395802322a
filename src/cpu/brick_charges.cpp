// Particle-particle particle-mesh on a mesh cut into bricks: charges to the brick, and fields back at them.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/brick_pppm.hpp"

#include <algorithm>
#include <cstdlib>

namespace nanoday::cpu {

void BrickPppm::place_charges(const LongRangeArgs& args, const Team& team) {
  const auto [begin, end] = team.share(n_charges_);
  const std::int64_t lost = of_order_.make_stencils(map_, args.charge.data(), stencil_.data(), begin, end);
  if (lost >= 0) lost_ = lost;
  for (std::int64_t i = begin; i < end; ++i) place_in_brick(i);
}

/// Counts a stencil's points from the first one of brick and margins.
void BrickPppm::place_in_brick(std::int64_t i) {
  for (int d = 0; d < 3; ++d) {
    const int n = plan_.mesh[d];
    int start = (stencil_[i].start[d] - low_[d]) % n;
    if (start < 0) start += n;
    if (start + plan_.order > extent_[d]) {
      outside_ = i;
      start = 0;
    }
    stencil_[i].start[d] = start;
  }
  start_a_[i] = stencil_[i].start[0];
}

void BrickPppm::spread_charges(const Team& team) {
  Own& own = own_[team.me];
  own.charges.sort(start_a_.data(), n_charges_, extent_[0]);
  const auto [begin, end] = team.share(extent_[0]);
  for (auto plane = begin; plane < end; ++plane)
    if (!spread_plane(own, static_cast<int>(plane))) overflow_ = true;
}

/// By way of a plane of the thread's own: kernels add zeros beyond the end of a row, where another thread may
/// be.
bool BrickPppm::spread_plane(Own& own, int plane) {
  std::fill(own.plane.begin(), own.plane.end(), 0);
  PlaneLoad load;
  for (int k = 0; k < plan_.order && k <= plane; ++k) load.add(touching(own, plane, k));
  if (!load.fits()) return false;
  for (int k = 0; k < plan_.order && k <= plane; ++k)
    of_order_.spread_fixed(touching(own, plane, k), {extent_[1], extent_[2], row_}, own.plane.data());
  std::int64_t most = 0;
  for (int b = 0; b < extent_[1]; ++b) {
    const std::int64_t* from = own.plane.data() + static_cast<std::size_t>(b) * row_;
    std::int64_t* to = mesh_.data() + (static_cast<std::int64_t>(plane) * extent_[1] + b) *
                                          static_cast<std::int64_t>(extent_[2]);
    for (int c = 0; c < extent_[2]; ++c) {
      to[c] = from[c];
      most = std::max(most, std::abs(from[c]));
    }
  }
  own.most = std::max(own.most, static_cast<double>(most));
  return true;
}

/// Charges whose stencil's point k along a lies in a plane. \pre k ≤ plane
TouchingCharges BrickPppm::touching(const Own& own, int plane, int k) const {
  const auto& [order, bin] = own.charges;
  return {stencil_.data(), order.data(), bin[plane - k], bin[plane - k + 1], k};
}

FieldMeshes BrickPppm::meshes() const {
  return {{extent_[1], extent_[2], extent_[2]},
          extent_[0],
          {field_[0].data(), field_[1].data(), field_[2].data()}};
}

void BrickPppm::gather_forces(const LongRangeArgs& args, LongRangeResult& result, const Team& team) const {
  const auto gather = force_rule_.kernel(of_order_);
  const FieldMeshes from = meshes();
  const auto& order = own_[team.me].charges.order;  // by plane: neighbors in the mesh share cache lines
  const auto [begin, end] = team.share(n_charges_);
  for (std::int64_t s = begin; s < end; ++s) {
    const std::int32_t i = order[s];
    result.force[i] = padded(force_rule_.force(args.charge[i], gather(stencil_[i], from)));
  }
}

void BrickPppm::gather_energies(LongRangeResult& result, const Team& team) const {
  const FieldMeshes from = meshes();
  const auto [begin, end] = team.share(n_charges_);
  for (std::int64_t i = begin; i < end; ++i)
    result.atom_energy[i] = stencil_[i].charge / 2 * of_order_.interpolate(stencil_[i], from);
}

void BrickPppm::gather_virials(LongRangeResult& result, const Team& team, int half) const {
  const FieldMeshes from = meshes();
  const auto [begin, end] = team.share(n_charges_);
  for (std::int64_t i = begin; i < end; ++i)
    put_virial_half(result.atom_virial[i], half,
                    stencil_[i].charge / 2 * of_order_.interpolate3(stencil_[i], from));
}

}  // namespace nanoday::cpu
