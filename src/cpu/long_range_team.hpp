// A long-range solver that a team of threads runs together, beside other threads that evaluate nets.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/long_range.hpp"
#include "backend/mesh_ranks.hpp"
#include "cpu/team.hpp"

#include <memory>
#include <string_view>

namespace nanoday::cpu {

class LongRangeTeam {
 public:
  virtual ~LongRangeTeam() = default;
  /// Every member of the team calls this with the same arguments; `result` is complete when all have
  /// returned. Results do not depend on the size of the team beyond rounding, and not at all in reproducible
  /// mode.
  virtual void solve(const LongRangeArgs& args, LongRangeResult& result, const Team& team) = 0;
};

/// Particle-particle particle-mesh (spec dplr.md 3). The same bits for every size of the team; in
/// reproducible mode (the charge mesh is summed in 64-bit fixed point) for every order of the charges too.
/// solve() throws RunError, in every member, for charges that are not finite or too large for fixed point.
///
/// With ranks the charge mesh is always fixed point. Where all hold all of it (not ranks->bricks()), every
/// rank transforms the sum of all meshes, with the bits that one rank in reproducible mode has. Where it is
/// cut into bricks see brick_pppm.hpp. \param max_team most threads that will call solve() at once \param isa
/// instruction set: auto, avx512bf16, avx512, avx2, baseline \param ranks null: one rank; member 0 of the
/// team calls it, between two meetings of the team Throws InputError for beta ≤ 0, a box that does not repeat
/// along a, b, c or has no volume, an order outside 2 … 7, "ad" in a box that is not orthorhombic, a mesh
/// smaller than the stencil or larger than memory.
std::unique_ptr<LongRangeTeam> make_pppm(const LongRangePlan& plan, int max_team, bool reproducible,
                                         std::string_view isa = "auto", MeshRanks* ranks = nullptr);
/// Sum over reciprocal vectors (spec dplr.md 1.2, 1.4). The same bits for every size of the team; in
/// reproducible mode (sums over charges in 64-bit fixed point) for every order of the charges too. solve()
/// throws RunError, in every member, for charges that are not finite or too large for fixed point. With ranks
/// sums are always fixed point: the bits that one rank in reproducible mode has. \param isa instruction set:
/// auto, avx512bf16, avx512, avx2, baseline \param ranks null: one rank; member 0 of the team calls it,
/// between two meetings of the team Throws InputError for beta or spacing ≤ 0, a box that does not repeat
/// along a, b, c or has no volume, more vectors than memory holds.
std::unique_ptr<LongRangeTeam> make_direct_sum(const LongRangePlan& plan, int max_team, bool reproducible,
                                               std::string_view isa = "auto", MeshRanks* ranks = nullptr);

}  // namespace nanoday::cpu
