// The long-range term of a DPLR model on the device: charges of ions and centroids, and their forces home.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/atoms.hpp"
#include "cuda/integrate.hpp"
#include "cuda/long_range.hpp"

#include <cstdint>
#include <memory>
#include <vector>

namespace nanoday::NANODAY_GPU {

/// As forces/long_range: n ions first, then the centroids of those atoms that carry one, in memory order.
class DplrTerm {
 public:
  /// \param plan with plan.dplr
  DplrTerm(Stream& stream, const InferencePlan& plan, const Box& box);

  /// Numbers the centroids; after the atoms' order changed. Never part of a graph.
  void deal(Stream& stream, const DeviceAtoms& atoms);
  /// Room for the solver's results, whatever a run may need; after deal().
  void prepare(const Needs& needs) { solver_->prepare(n_charges_, needs); }
  /// Charges at x and x + μ. Sets trouble where a centroid is farther than 1 Å from its host.
  void place(Stream& stream, const DeviceAtoms& atoms, const Vec4* dipole, Signals* signals);
  /// Starts the solver, which only reads what place() wrote.
  void solve(Stream& stream, const Needs& needs);
  /// Adds forces on ions, and those on centroids as far as they move with their hosts, to the fixed-point
  /// rows; −f_W to `cotangent`; −f_W ⊗ μ (and the field's share) to centre virials; field energies.
  /// \param time_steps steps beyond state->step at which the field is taken
  void come_home(Stream& stream, const DeviceAtoms& atoms, const Vec4* dipole, const SystemState* state,
                 double dt, int time_steps, std::array<std::int64_t, 4>* force,
                 std::array<std::int64_t, 9>* centre_virial, double* atom_energy);

  Vec4* cotangent() const { return cotangent_.data(); }
  /// Energy and virial (9) of the solver's last run, on the host [eV]; waits for the stream.
  std::array<double, 10> sums(Stream& stream) const;
  DeviceSolver& solver() { return *solver_; }

 private:
  ElectricField field_;
  Box box_;
  std::unique_ptr<DeviceSolver> solver_;
  Scratch scratch_;
  DeviceArray<double> ion_charge_, wannier_charge_;  ///< (nt) [e]
  DeviceArray<std::int32_t> carries_;                ///< (nt) 1: the type carries a centroid
  DeviceArray<std::int64_t> site_;                   ///< (nlocal + 1) centroids before this atom
  DeviceArray<Vec4> charge_;                         ///< (n + centroids) [Å], [e]
  DeviceArray<Vec4> cotangent_;                      ///< (nlocal)
  std::int64_t n_ = 0, n_charges_ = 0;
};

}  // namespace nanoday::NANODAY_GPU
