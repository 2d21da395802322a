// Particle-particle particle-mesh on a mesh cut into bricks, one per rank.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/exact_sum.hpp"
#include "cpu/fft.hpp"
#include "cpu/long_range_team.hpp"
#include "cpu/mesh.hpp"

#include <array>
#include <atomic>
#include <exception>
#include <vector>

namespace nanoday::cpu {

/// One rank's side of the solver. Charges are spread in fixed point into the rank's brick and its margins,
/// shares in margins go to their owners, who transform together; fields come back into brick and margins,
/// from where charges read them. Real fields travel in pairs, as real and imaginary part. Energy and virial
/// are exact sums over the frequencies of all ranks. Every number is made by the same operations whatever the
/// bricks are: results do not depend on the number of ranks where the transform of `ranks` does not.
///
/// A charge's stencil must lie within brick and margins, up to whole periods of the mesh; solve() throws
/// RunError on all ranks when one does not, when a charge is not finite, and when the fixed-point mesh cannot
/// hold the charges.
class BrickPppm final : public LongRangeTeam {
 public:
  /// Collective. \param ranks with bricks(); must outlive the solver
  /// Throws InputError for a plan that no mesh can serve or that does not fit into memory; see make_pppm().
  BrickPppm(const LongRangePlan& plan, int max_team, const MeshKernelSet& kernels, MeshRanks& ranks);
  void solve(const LongRangeArgs& args, LongRangeResult& result, const Team& team) override;

 private:
  /// A real field: the transform back of table · ρ̂, times i where `times_i` says so.
  struct Channel {
    const Array<double>* table;
    bool times_i;
  };
  using Channels = std::vector<Channel>;
  static constexpr int k_most_channels = 3;
  /// What one thread needs for itself.
  struct Own {
    Array<std::int64_t> plane;  ///< (extent_b, row_)
    ChargesByPlane charges;
    double most = 0;              ///< largest share on a point [2^-44 e]
    std::array<ExactSum, 7> sum;  ///< energy, virial xx xy xz yy yz zz, of this thread's frequencies
  };

  template <class Call>
  void alone(const Team& team, Call&& call);
  double ranks_at_a_point();
  void make_tables();
  void make_virial_tables();
  void prepare(const LongRangeArgs& args, LongRangeResult& result);
  void place_charges(const LongRangeArgs& args, const Team& team);
  void place_in_brick(std::int64_t i);
  void spread_charges(const Team& team);
  bool spread_plane(Own& own, int plane);
  TouchingCharges touching(const Own& own, int plane, int k) const;
  void agree();
  void load_brick(const Team& team);
  void sum_modes(const Needs& needs, const Team& team);
  void add_up(const Needs& needs, LongRangeResult& result);
  void solve_pass(const Channels& channels, const Team& team);
  void multiply(const Channel& first, const Channel* second, const Team& team);
  void store_fields(int first, int count, const Team& team);
  void gather_forces(const LongRangeArgs& args, LongRangeResult& result, const Team& team) const;
  void gather_energies(LongRangeResult& result, const Team& team) const;
  void gather_virials(LongRangeResult& result, const Team& team, int half) const;
  FieldMeshes meshes() const;

  LongRangePlan plan_;
  bool ik_;
  const MeshKernelSet::OfOrder& of_order_;
  MeshRanks& ranks_;
  MeshBrick brick_;
  std::array<int, 3> low_{};     ///< first point of brick and margins, may be negative
  std::array<int, 3> extent_{};  ///< points of brick and margins
  int row_ = 0;                  ///< of a thread's own plane: extent_c and what kernels write beyond it
  double overlap_ = 1;           ///< most ranks whose charges reach one point
  InfluenceFunction influence_;
  MeshMap map_;
  ForceRule force_rule_;
  Array<double> green_;                        ///< (brick points) [eV/e²]
  std::array<Array<double>, 3> slope_;         ///< (brick points) frequency · influence; "ik" only
  std::array<Array<double>, 6> virial_table_;  ///< made when first needed

  std::vector<Own> own_;
  std::int32_t n_charges_ = 0;
  Array<Stencil> stencil_;                            ///< start: counted from low_
  std::vector<std::int32_t> start_a_;                 ///< Stencil::start[0], for sorting
  Array<std::int64_t> mesh_;                          ///< (extent) charges [2^-44 e]
  Array<Complex> spectrum_, product_;                 ///< (brick points)
  std::array<Array<double>, k_most_channels> field_;  ///< (extent), and what kernels read beyond it

  std::exception_ptr failure_;             ///< of what member 0 did alone
  std::atomic<std::int64_t> lost_{-1};     ///< a charge without a place on the mesh
  std::atomic<std::int64_t> outside_{-1};  ///< a charge beyond the margins
  std::atomic<bool> overflow_{false};      ///< the fixed-point mesh cannot hold the charges
};

}  // namespace nanoday::cpu
