// Long-range solvers run on charges that are dealt to ranks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.hpp"
#include "in_process.hpp"
#include "reference/charges.hpp"

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace nanoday::reference {

using MakeMesh = std::function<std::unique_ptr<MeshRanks>(Transport&)>;

/// The rank of every charge, at random; with more than two ranks the last but one gets none.
inline std::vector<int> dealt_at_random(std::size_t n_charges, int n_ranks, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<int> rank(n_charges);
  for (int& r : rank) {
    r = int(random() % unsigned(n_ranks));
    if (n_ranks > 2 && r == n_ranks - 2) r = 0;
  }
  return rank;
}

inline std::unique_ptr<cpu::LongRangeTeam> solver_of(
    const LongRangePlan& plan, int team, MeshRanks* ranks,
    const cpu::InstructionSet& set = cpu::instruction_set("auto")) {
  return plan.method == LongRangeMethod::direct ? cpu::make_direct_sum(plan, team, true, set, ranks)
                                                : cpu::make_pppm(plan, team, true, set, ranks);
}

/// What ranks give together: forces, energies and virials of all charges in their own order. Expects that
/// totals are the same on all ranks.
inline LongRangeResult on_ranks(const LongRangePlan& plan, View<const Vec4> charge,
                                const std::vector<int>& rank_of, int n_ranks, const MakeMesh& make_mesh,
                                int team = 1, const cpu::InstructionSet& set = cpu::instruction_set("auto"),
                                int ranks_per_node = 0) {
  LongRangeResult all;
  all.force.resize(charge.size());
  all.atom_energy.resize(charge.size());
  all.atom_virial.resize(charge.size());
  std::vector<LongRangeResult> of_rank(n_ranks);
  const auto body = [&](Transport& transport) {
    std::vector<std::size_t> mine;
    Array<Vec4> own;
    for (std::size_t i = 0; i < charge.size(); ++i)
      if (rank_of[i] == transport.rank()) {
        mine.push_back(i);
        own.push_back(charge[i]);
      }
    const auto mesh = make_mesh(transport);
    LongRangeResult& result = of_rank[transport.rank()];
    solve_on(*solver_of(plan, team, mesh.get(), set), {own, k_all_long_range}, team, result);
    for (std::size_t k = 0; k < mine.size(); ++k) {
      all.force[mine[k]] = result.force[k];
      all.atom_energy[mine[k]] = result.atom_energy[k];
      all.atom_virial[mine[k]] = result.atom_virial[k];
    }
  };
  run_ranks(n_ranks, body, ranks_per_node);
  for (const auto& result : of_rank) {
    EXPECT_EQ(result.energy, of_rank[0].energy);
    EXPECT_EQ(result.virial, of_rank[0].virial);
  }
  all.energy = of_rank[0].energy;
  all.virial = of_rank[0].virial;
  return all;
}

/// Rank by rank what the solver says of these charges, "" where it solves; then, with the same solvers, that
/// good charges are solved again.
inline std::vector<std::string> said_by_ranks(const LongRangePlan& plan, const std::vector<Array<Vec4>>& bad,
                                              const std::vector<Array<Vec4>>& good, const MakeMesh& make_mesh,
                                              int team, int ranks_per_node = 0) {
  std::vector<std::string> said(bad.size());
  const auto body = [&](Transport& transport) {
    const auto mesh = make_mesh(transport);
    const auto solver = solver_of(plan, team, mesh.get());
    LongRangeResult result;
    try {
      solve_on(*solver, {bad[transport.rank()], k_all_long_range}, team, result);
    } catch (const RunError& error) {
      said[transport.rank()] = error.what();
    }
    EXPECT_NO_THROW(solve_on(*solver, {good[transport.rank()], k_all_long_range}, team, result));
  };
  run_ranks(int(bad.size()), body, ranks_per_node);
  return said;
}

}  // namespace nanoday::reference
