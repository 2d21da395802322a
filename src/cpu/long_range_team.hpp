// A long-range solver that a team of threads runs together, beside other threads that evaluate nets.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/long_range.hpp"
#include "backend/mesh_ranks.hpp"
#include "cpu/instruction_sets.hpp"
#include "cpu/team.hpp"

#include <memory>

namespace nanoday::cpu {

/// The parts of a solve whose mesh the ranks of a node share, so that only the leader's transforms need run
/// beside nets. Errors are kept for end(), which throws them in every member.
class StagedSolve {
 public:
  virtual ~StagedSolve() = default;
  virtual bool leads() const = 0;
  /// Charges are put on the mesh; on all ranks.
  virtual void begin(const LongRangeArgs& args, LongRangeResult& result, const Team& team) = 0;
  /// Waits for the other ranks' begin(); on the leader, by a team of any size.
  virtual void transform(const Needs& needs, const Team& team) = 0;
  /// Waits for the leader's transform(); on all ranks, by a team as large as begin()'s.
  virtual void end(const LongRangeArgs& args, LongRangeResult& result, const Team& team) = 0;
};

class LongRangeTeam {
 public:
  virtual ~LongRangeTeam() = default;
  /// Every member of the team calls this with the same arguments; `result` is complete when all have
  /// returned. Results do not depend on the size of the team beyond rounding, and not at all in reproducible
  /// mode.
  virtual void solve(const LongRangeArgs& args, LongRangeResult& result, const Team& team) = 0;
  /// solve() in parts; null where it has none.
  virtual StagedSolve* staged() { return nullptr; }
};

/// Particle-particle particle-mesh (spec dplr.md 3). The same bits for every size of the team; in
/// reproducible mode (the charge mesh is summed in 64-bit fixed point) for every order of the charges too.
/// solve() throws RunError, in every member, for charges that are not finite or too large for fixed point.
///
/// With ranks the charge mesh is always fixed point. Where all hold all of it (not ranks->bricks()), one rank
/// of every node transforms the sum of all meshes, with the bits that one rank in reproducible mode has;
/// solve() is then staged(). Where it is cut into bricks see brick_pppm.hpp. \param max_team most threads
/// that will call solve() at once \param ranks null: one rank; member 0 of the team calls it, between two
/// meetings of the team Throws InputError for beta ≤ 0, a box that does not repeat along a, b, c or has no
/// volume, an order outside 2 … 7, "ad" in a box that is not orthorhombic, a mesh smaller than the stencil or
/// larger than memory.
std::unique_ptr<LongRangeTeam> make_pppm(const LongRangePlan& plan, int max_team, bool reproducible,
                                         const InstructionSet& set = instruction_set("auto"),
                                         MeshRanks* ranks = nullptr);
/// Sum over reciprocal vectors (spec dplr.md 1.2, 1.4). The same bits for every size of the team; in
/// reproducible mode (sums over charges in 64-bit fixed point) for every order of the charges too. solve()
/// throws RunError, in every member, for charges that are not finite or too large for fixed point. With ranks
/// sums are always fixed point: the bits that one rank in reproducible mode has. \param ranks null: one rank;
/// member 0 of the team calls it, between two meetings of the team Throws InputError for beta or spacing ≤ 0,
/// a box that does not repeat along a, b, c or has no volume, more vectors than memory holds.
std::unique_ptr<LongRangeTeam> make_direct_sum(const LongRangePlan& plan, int max_team, bool reproducible,
                                               const InstructionSet& set = instruction_set("auto"),
                                               MeshRanks* ranks = nullptr);

}  // namespace nanoday::cpu
