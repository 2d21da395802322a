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
class Pppm final : public LongRangeTeam {
 public:
  /// Throws InputError for a plan that no mesh can serve; see make_pppm().
  Pppm(const LongRangePlan& plan, int max_team, bool reproducible, const MeshKernelSet& kernels);
  void solve(const LongRangeArgs& args, LongRangeResult& result, const Team& team) override;

 private:
  /// A field on the mesh: table · ρ̂, times i, or i·frequency along a or b where `along` says so.
  struct Channel {
    const Array<double>* table;
    bool times_i;
    enum { nothing, along_a, along_b } along;
  };
  static constexpr int k_most_channels = 3;
  /// What one thread needs for itself.
  struct Own {
    Array<double> plane;
    Array<std::int64_t> fixed_plane;
    Array<Complex> half, block, rows, product;
    std::vector<std::int32_t> order, bin;  ///< charges by first plane, and where each plane's begin
  };
  struct BlockPlans {
    BatchedFft forward, backward;
  };

  void make_plans();
  void make_fields(int count);
  void prepare(const LongRangeArgs& args, LongRangeResult& result);
  void prepare_guarded(const LongRangeArgs& args, LongRangeResult& result) noexcept;
  void place_charges(const LongRangeArgs& args, const Team& team);
  void spread_charges(const Team& team);
  void sort_charges(Own& own) const;
  TouchingCharges touching(const Own& own, int plane, int k) const;
  void charge_plane(Own& own, int plane);
  void fixed_charge_plane(Own& own, int plane);
  void transform_plane(Own& own, int plane);
  void solve_pass(const std::vector<Channel>& channels, bool first, const Needs& needs, const Team& team);
  void forward_block(Own& own, int block);
  void sum_block(int block, const Needs& needs);
  void transform_rows_back(Own& own, int block, const Channel& channel);
  void backward_block(Own& own, int block, const Channel& channel, int field);
  void field_plane(Own& own, int plane, const Channel& channel, int field);
  void add_up(const Needs& needs, LongRangeResult& result) const;
  void gather_forces(const LongRangeArgs& args, LongRangeResult& result, const Team& team) const;
  void gather_energies(LongRangeResult& result, const Team& team) const;
  void gather_virials(LongRangeResult& result, const Team& team, int half) const;
  Vec3 self_force(const Vec4& charge) const;
  FieldMeshes field_meshes() const;
  Complex* half_row(int field, int block, int plane);

  LongRangePlan plan_;
  bool reproducible_;
  const MeshKernelSet& kernels_;
  const MeshKernelSet::OfOrder& of_order_;
  MeshLayout layout_;
  InfluenceFunction influence_;
  InfluenceTable table_;
  std::array<Array<double>, 6> virial_table_;  ///< made when first needed
  std::array<std::array<double, 2>, 3> self_force_{};
  MeshMap map_;
  std::array<Vec3, 3> to_cartesian_;  ///< rows: what −∂φ/∂(field direction) adds to a force

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
  std::array<Array<double>, k_most_channels> field_;  ///< (N_a, N_b, real_row)
  Array<Complex> spectrum_;                           ///< Σ q e^{−ik·x}, laid out as the tables
  std::vector<std::array<double, 7>> block_sum_;      ///< energy and virial of each block

  std::exception_ptr failure_;          ///< of prepare()
  std::atomic<std::int64_t> lost_{-1};  ///< a charge without a place on the mesh
  std::atomic<bool> overflow_{false};   ///< the fixed-point mesh cannot hold the charges
};

}  // namespace nanoday::cpu
