// Sums over the atoms of each replica: kinetic energy, energy, virial; exact, hence in any order.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/replica_sums.hpp"

namespace nanoday::NANODAY_GPU {
namespace {

/// A block per replica, a warp per component.
struct SumVirials {
  static constexpr const char* k_name = "sum_virial";
  static constexpr int k_threads = 9 * k_warp;
  VirialSlots virial;  ///< not wanted: the sums become zero
  SystemState* state;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t r = block.block();
    const int c = block.warp();
    FixedSum sum;
    for (int k = block.lane(); virial.sum != nullptr && k < virial.slots; k += k_warp)
      sum.add(virial.sum[(r * virial.slots + k) * 9 + c]);
    sum = {warp_sum(block, sum.high), warp_sum(block, sum.low), warp_sum(block, sum.misfits), 0};
    if (block.lane() == 0) state[r].virial[c] = sum;
  }
};

}  // namespace

// ------------------------------------------------------------------------------------------------------

void sum_kinetic(Stream& stream, const DeviceAtoms& atoms, SystemState* state, const std::uint32_t* halt) {
  sum_terms(stream, atoms, KineticTerms{atoms.velocity.data(), atoms.mass.data()}, state, halt);
}

void sum_results(Stream& stream, const DeviceAtoms& atoms, const double* atom_energy,
                 const VirialSlots& virial, SystemState* state) {
  if (atom_energy != nullptr)
    sum_terms(stream, atoms, EnergyTerms{atom_energy}, state, nullptr);
  else
    clear_sums<EnergyTerms>(stream, atoms, state, nullptr);
  launch(stream, SumVirials{virial, state}, {atoms.n_replicas, SumVirials::k_threads, 0});
}

}  // namespace nanoday::NANODAY_GPU
