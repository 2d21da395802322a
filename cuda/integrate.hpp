// Moving atoms: kicks, drifts, thermostats, and the sums and watches a step needs; all parts of graphs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/forces.hpp"
#include "backend/resident.hpp"
#include "core/host_device.hpp"
#include "cuda/atoms.hpp"

#include <array>
#include <cstdint>
#include <limits>

namespace nanoday::NANODAY_GPU {

/// An exact sum of terms rounded to 2^-44 eV, the same in any order: half a unit, 2.8e-14 eV, is lost per
/// term and nothing by adding. Terms are added as halves of 32 bits in 64-bit numbers of their own, because
/// one such number would overflow: 1e8 atoms of 155 eV are 2^78 units. Any 2^31 terms of up to 2^18 eV fit.
struct FixedSum {
  std::int64_t high = 0;      ///< multiples of 2^32 units
  std::uint64_t low = 0;      ///< units
  std::uint32_t misfits = 0;  ///< terms that were larger or not a number
  std::uint32_t unused = 0;
};

/// [eV], rounded once; not a number when a term did not fit. The same as the sums of reproducible CPU runs.
NANODAY_HD inline double value_of(const FixedSum& sum) {
  if (sum.misfits != 0) return std::numeric_limits<double>::quiet_NaN();
  const __int128 units = (static_cast<__int128>(sum.high) << 32) + sum.low;
  return static_cast<double>(units) / k_fixed_point_scale;
}

/// Numbers of a running system that live on the device; one per replica.
struct SystemState {
  std::int64_t step = 0;             ///< steps done
  FixedSum kinetic;                  ///< Σ ½mv²
  FixedSum energy;                   ///< Σ E_i
  std::array<FixedSum, 9> virial{};  ///< −∂E/∂strain
  double scale = 1;                  ///< factor the thermostat wants velocities multiplied by
  std::array<double, 8> bath{};      ///< thermostat state, as Thermostat::state(); the last one is scratch
};

// `halt`: a word in device memory, or null; while it is not zero the operation does nothing, so that what was
// queued behind an incomplete evaluation leaves no trace. Operations that take Signals look at theirs.

/// v += f/m·dt for all local atoms.
void kick(Stream& stream, const DeviceAtoms& atoms, double dt, const std::uint32_t* halt = nullptr);
/// x += v·dt.
void drift(Stream& stream, const DeviceAtoms& atoms, double dt, const std::uint32_t* halt = nullptr);
/// state[r].kinetic = Σ ½mv² of each replica.
void sum_kinetic(Stream& stream, const DeviceAtoms& atoms, SystemState* state,
                 const std::uint32_t* halt = nullptr);
/// v *= state[replica].scale.
void scale_velocities(Stream& stream, const DeviceAtoms& atoms, const SystemState* state,
                      const std::uint32_t* halt = nullptr);
/// v ← c·v + noise, as Backend::ornstein_uhlenbeck; the step number is state[r].step + 1, kT and seed by
/// replica (device arrays; `id` of a replica's atoms counts from zero in each).
void ornstein_uhlenbeck(Stream& stream, const DeviceAtoms& atoms, const SystemState* state, double c,
                        const double* kT, const std::uint64_t* seed, const std::uint32_t* halt = nullptr);
/// One thermostat half-step or step on one thread per replica: from state.kinetic to state.scale and
/// state.bath. Formulas of math/thermostats.hpp, shared with md/. `after`: false before the first kick, true
/// after the second one; the number of the step is state[r].step + 1, so count_step() comes later.
void advance_bath(Stream& stream, const BathSettings* bath, SystemState* state, int n_replicas, double dt,
                  bool after, const std::uint32_t* halt = nullptr);
/// Langevin only, around the noise: sign −1 keeps state.kinetic in bath[7], sign +1 adds what it has grown by
/// to bath[0].
void book_heat(Stream& stream, SystemState* state, int n_replicas, double sign,
               const std::uint32_t* halt = nullptr);
/// state[r].step += 1, and signals->rebuild = 0: what asked for a rebuild before this step has been heard.
void count_step(Stream& stream, SystemState* state, int n_replicas, Signals* signals = nullptr);
/// fixed-point rows of local atoms → force [eV/Å]; sets trouble when one is larger than 2^17 eV/Å, beyond
/// which a sum may have wrapped around.
void finish_forces(Stream& stream, const std::array<std::int64_t, 4>* fixed, const DeviceAtoms& atoms,
                   Signals* signals);
/// signals->rebuild |= |x − reference|² > limit², or NaN. max² is written nowhere: only the decision travels.
void watch_displacement(Stream& stream, const DeviceAtoms& atoms, double limit, Signals* signals);
/// signals->trouble |= |v|·dt > max_move, NaN, or (open boxes) |x| > lost_distance.
void watch_motion(Stream& stream, const DeviceAtoms& atoms, double dt, double max_move, double lost_distance,
                  bool open, Signals* signals);
/// state[r].energy and virial = sums of per-atom energies [eV] and of per-centre virials (fixed point 2^-44
/// eV) of each replica; null: zero.
void sum_results(Stream& stream, const DeviceAtoms& atoms, const double* atom_energy,
                 const std::array<std::int64_t, 9>* centre_virial, SystemState* state);

}  // namespace nanoday::NANODAY_GPU
