// Around an evaluation: what is cleared before it and what its results become, one kernel each; parts of
// graphs. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/integrate.hpp"

#include <array>
#include <cstdint>

namespace nanoday::NANODAY_GPU {

/// Fixed-point results that an evaluation adds to.
struct Results {
  std::array<std::int64_t, 4>* force = nullptr;  ///< (DeviceAtoms::nforces()) 2^-44 eV/Å
  double* atom_energy = nullptr;                 ///< (nlocal) [eV], or null
  VirialSlots virial = {};
};

/// Nets of one evaluation, at most: that of the energy, and that of the dipoles.
inline constexpr int k_most_nets = 2;

/// Ghosts follow their owners; results and the rows the nets give away become empty. A pending rebuild or
/// trouble halts what follows: the host has not looked yet.
/// \param rows of the nets; unused ones are empty
void begin_evaluation(Stream& stream, const DeviceAtoms& atoms, const Results& results,
                      const std::array<ExactRows, k_most_nets>& rows, Signals* signals);

/// What ends an evaluation, and with it a step where no bath follows.
struct EvaluationEnd {
  double kick = 0;              ///< v += f/m·kick [ps]; 0: velocities stay
  SystemState* step = nullptr;  ///< (replicas) whose steps are counted, or null
};

/// Fixed-point forces become forces [eV/Å]; one larger than 2^17 eV/Å, beyond which a sum may have wrapped
/// around, is trouble. Unless the evaluation was halted, what its nets have met is booked, atoms are kicked
/// and the step is counted.
/// \param counts (2) each, see NetEngine::counts(), or null
void finish_evaluation(Stream& stream, const DeviceAtoms& atoms, const Results& results,
                       const std::array<PassCounts*, k_most_nets>& counts, const EvaluationEnd& end,
                       Signals* signals);

}  // namespace nanoday::NANODAY_GPU
