// Particle-particle particle-mesh: charges to mesh, transform, influence function, transform back, forces.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/fft.hpp"
#include "cpu/influence_table.hpp"
#include "cpu/long_range_team.hpp"
#include "cpu/mesh.hpp"

#include <atomic>
#include <exception>
#include <map>
#include <memory>
#include <vector>

namespace nanoday::cpu {

/// One solver. Members of a team own planes along a (charges to mesh, transforms along b) and blocks of
/// frequencies along b (everything else in reciprocal space); they meet four times in an ordinary step.
///
/// With ranks all of a node add their own charges to its fixed-point mesh; its leader sums the meshes of all
/// nodes and transforms the sum, and every rank gathers from the leader's fields for its own charges. That is
/// one collective operation of the leaders per solve, and a word from and to every other rank: whether some
/// rank cannot go on travels with them.
class Pppm final : public LongRangeTeam, private StagedSolve {
 public:
  static constexpr int k_most_channels = 3;  ///< fields at once

  /// Throws InputError for a plan that no mesh can serve; see make_pppm().
  /// \param ranks null for one rank; hold all of the mesh
  Pppm(const LongRangePlan& plan, int max_team, bool reproducible, const MeshKernelSet& kernels,
       MeshRanks* ranks);
  void solve(const LongRangeArgs& args, LongRangeResult& result, const Team& team) override;
  StagedSolve* staged() override { return node_ ? this : nullptr; }
  /// Of this rank's arrays over the mesh and its frequencies; what the node shares counts on the leader.
  std::size_t bytes() const;

 private:
  /// A field on the mesh: table · ρ̂, times i, or i·frequency along a or b where `along` says so.
  struct Channel {
    const Array<double>* table;
    bool times_i;
    enum { nothing, along_a, along_b } along;
  };
  /// What one thread needs for itself.
  struct Own {
    Array<double> plane;
    Array<std::int64_t> fixed_plane;
    Array<Complex> half, block, rows, product;
    ChargesByPlane charges;
  };
  struct BlockPlans {
    BatchedFft forward, backward;
  };

  void make_plans();
  void make_own();
  void make_fields(int count);
  int solvers() const;  ///< most threads that transform
  std::int64_t first_block(int solver) const;
  void prepare(const LongRangeArgs& args, LongRangeResult& result);
  void prepare_guarded(const LongRangeArgs& args, LongRangeResult& result) noexcept;
  void spread_alone(const LongRangeArgs& args, const Team& team);
  void solve_alone(const LongRangeArgs& args, LongRangeResult& result, const Team& team);

  // With ranks, in pppm_ranks.cpp.
  bool leads() const override { return !node_ || node_->leads(); }
  void begin(const LongRangeArgs& args, LongRangeResult& result, const Team& team) override;
  void transform(const Needs& needs, const Team& team) override;
  void end(const LongRangeArgs& args, LongRangeResult& result, const Team& team) override;
  void share_node();
  void add_to_node(const Team& team);
  void announce() noexcept;
  void add_nodes() noexcept;
  void tell_others() noexcept;
  void hear_leader() noexcept;
  void solve_next(const std::vector<Channel>& channels, const Needs& needs, const Team& team);
  void check_word() const;
  template <class Talk>
  void guarded(Talk talk) noexcept;

  void place_charges(const LongRangeArgs& args, const Team& team);
  void spread_charges(const Team& team);
  void sort_charges(Own& own) const;
  TouchingCharges touching(const Own& own, int plane, int k) const;
  void charge_plane(Own& own, int plane);
  bool spread_fixed_plane(Own& own, int plane, PlaneLoad& load) const;
  void plane_from_fixed(Own& own, const std::int64_t* fixed, int row) const;
  void check_placed() const;
  void transform_plane(Own& own, int plane);
  void solve_pass(const std::vector<Channel>& channels, bool first, const Needs& needs, const Team& team);
  void forward_block(Own& own, int block);
  void sum_block(int block, const Needs& needs);
  void transform_rows_back(Own& own, int block, const Channel& channel);
  void backward_block(Own& own, int block, const Channel& channel, int field);
  void field_plane(Own& own, int plane, const Channel& channel, int field);
  void add_up(const Needs& needs, double& energy, std::array<double, 9>& virial) const;
  void gather_per_charge(const LongRangeArgs& args, LongRangeResult& result, const Team& team);
  void gather_forces(const LongRangeArgs& args, LongRangeResult& result, const Team& team) const;
  void gather_energies(LongRangeResult& result, const Team& team) const;
  void gather_virials(LongRangeResult& result, const Team& team, int half) const;
  FieldMeshes field_meshes() const;
  Complex* half_row(int field, int block, int plane);

  LongRangePlan plan_;
  bool fixed_;  ///< the charge mesh is summed in fixed point
  const MeshKernelSet& kernels_;
  const MeshKernelSet::OfOrder& of_order_;
  MeshLayout layout_;
  std::unique_ptr<NodeMesh> node_;  ///< null for one rank
  InfluenceFunction influence_;
  InfluenceTable table_;                       ///< of those who transform, as all that follows from it
  std::array<Array<double>, 6> virial_table_;  ///< made when first needed
  MeshMap map_;
  ForceRule force_rule_;

  BatchedFft plane_forward_, plane_backward_, block_forward_, block_backward_;
  std::map<int, BlockPlans> row_plans_;         ///< by number of rows
  std::vector<const BlockPlans*> block_plans_;  ///< (blocks) of row_plans_

  std::vector<Channel> force_channels_, potential_channel_;
  std::array<std::vector<Channel>, 2> virial_channels_;
  std::vector<Own> own_;
  std::int32_t n_charges_ = 0;
  Array<Stencil> stencil_;
  std::vector<std::int32_t> start_a_;                 ///< Stencil::start[0], for sorting
  std::array<Array<Complex>, k_most_channels> half_;  ///< (blocks, N_a, complex_row)
  std::array<Array<double>, k_most_channels> own_field_;
  std::array<View<double>, k_most_channels> field_;  ///< (N_a, N_b, real_row) own ones, or the node's
  Array<Complex> spectrum_;                          ///< Σ q e^{−ik·x}, laid out as the tables
  std::vector<std::array<double, 7>> block_sum_;     ///< energy and virial of each block

  /// With ranks, in the node's memory: fixed-point mesh (N_a, N_b, N_c), then Σ|q| of the charges that touch
  /// each plane (N_a), then how many ranks cannot go on.
  View<std::int64_t> sums_;
  /// From the leader to all ranks of its node.
  struct Word {
    std::int64_t failed = 0, most_load = 0;  ///< of all ranks: how many cannot go on; largest Σ|q| on a plane
    double energy = 0;
    std::array<double, 9> virial{};
  };
  Word word_;

  std::exception_ptr failure_;          ///< of prepare(), or of another rank
  std::atomic<std::int64_t> lost_{-1};  ///< a charge without a place on the mesh
  std::atomic<bool> overflow_{false};   ///< the fixed-point mesh cannot hold the charges
};

}  // namespace nanoday::cpu
