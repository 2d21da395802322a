// Moving atoms: kicks, drifts, thermostats, and the sums and watches a step needs; all parts of graphs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/resident.hpp"
#include "core/units.hpp"
#include "cuda/atoms.hpp"
#include "cuda/fixed_sum.hpp"

#include <array>
#include <cstdint>

namespace nanoday::NANODAY_GPU {

class DeviceRanks;

/// Numbers of a running system that live on the device; one per replica.
struct SystemState {
  std::int64_t step = 0;             ///< steps done
  FixedSum kinetic;                  ///< Σ ½mv²
  FixedSum energy;                   ///< Σ E_i
  std::array<FixedSum, 9> virial{};  ///< −∂E/∂strain
  double scale = 1;                  ///< factor the thermostat wants velocities multiplied by
  std::array<double, 8> bath{};      ///< thermostat state, as Thermostat::state(); the last one is scratch
};

/// Where in a step a bath is advanced: Nosé-Hoover before the first kick and after the second one, rescaling
/// after it only; Langevin books what the noise between two drifts does to the kinetic energy.
enum class BathStage { before, after, before_noise, after_noise };

/// What the noise of one step is drawn from; arrays by replica, and `id` of a replica's atoms counts from
/// zero in each. The number of the step is state[r].step + 1.
struct Noise {
  double c = 1;                ///< what is kept of a velocity [–]
  const double* kT = nullptr;  ///< [eV]
  const std::uint64_t* seed = nullptr;
};

/// What is watched while atoms move. trouble |= |v|·dt > max_move, NaN, or (open boxes) |x| > lost_distance;
/// rebuild as watch_displacement().
struct MotionLimits {
  double dt = 0;             ///< [ps]
  double max_move = 0;       ///< [Å]
  double lost_distance = 0;  ///< [Å]
  double displacement = 0;   ///< [Å]
  bool open = false;
};

// `halt`: a word in device memory, or null; while it is not zero the operation does nothing, so that what was
// queued behind an incomplete evaluation leaves no trace. Operations that take Signals look at theirs.
// `ranks`: others who hold parts of the atoms; sums are then those of all ranks. Null: there are none.

/// v += f/m·dt for all local atoms.
void kick(Stream& stream, const DeviceAtoms& atoms, double dt, const std::uint32_t* halt = nullptr);
/// x += v·dt.
void drift(Stream& stream, const DeviceAtoms& atoms, double dt, const std::uint32_t* halt = nullptr);
/// state[r].kinetic = Σ ½mv² of each replica.
void sum_kinetic(Stream& stream, const DeviceAtoms& atoms, SystemState* state,
                 const std::uint32_t* halt = nullptr, DeviceRanks* ranks = nullptr);
/// v ← c·v + noise, as Backend::ornstein_uhlenbeck.
void ornstein_uhlenbeck(Stream& stream, const DeviceAtoms& atoms, const SystemState* state,
                        const Noise& noise, const std::uint32_t* halt = nullptr);
/// First state[r].kinetic, as sum_kinetic(), then the stage of one thread per replica: from it to state.scale
/// and state.bath. Formulas of math/thermostats.hpp, shared with md/. The number of the step is
/// state[r].step + 1: it is counted later.
void advance_bath(Stream& stream, const DeviceAtoms& atoms, const BathSettings* bath, SystemState* state,
                  double dt, BathStage stage, const std::uint32_t* halt = nullptr,
                  DeviceRanks* ranks = nullptr);
/// v *= state[replica].scale, and the step is counted: state[r].step += 1.
void finish_coupling(Stream& stream, const DeviceAtoms& atoms, SystemState* state,
                     const std::uint32_t* halt = nullptr);

/// From the forces of a step to the positions of the next: v *= state[replica].scale (no state: not),
/// v += f/m·dt/2, then x += v·dt or, where noise_and_drift() follows, x += v·dt/2. The new velocities are
/// watched, and the new positions unless they are half of the way.
void begin_step(Stream& stream, const DeviceAtoms& atoms, const SystemState* state,
                const MotionLimits& limits, bool noise_follows, Signals* signals);
/// v ← c·v + noise, x += v·dt/2; the new positions are watched.
void noise_and_drift(Stream& stream, const DeviceAtoms& atoms, const SystemState* state, const Noise& noise,
                     const MotionLimits& limits, Signals* signals);
/// signals->rebuild |= |x − reference|² > limit², or NaN. max² is written nowhere: only the decision travels.
void watch_displacement(Stream& stream, const DeviceAtoms& atoms, double limit, Signals* signals);
/// state[r].energy and virial = sums of per-atom energies [eV] and of slots of each replica; null: zero.
void sum_results(Stream& stream, const DeviceAtoms& atoms, const double* atom_energy,
                 const VirialSlots& virial, SystemState* state, const std::uint32_t* halt = nullptr,
                 DeviceRanks* ranks = nullptr);

}  // namespace nanoday::NANODAY_GPU
