// Sums over the atoms of each replica: kinetic energy, energy, virial; exact, hence in any order.
// SPDX-License-Identifier: Apache-2.0
#include "cuda/replica_sums.hpp"

#include <cstddef>

namespace nanoday::NANODAY_GPU {
namespace {

/// A block per replica, a warp per component.
struct SumVirials {
  static constexpr const char* k_name = "sum_virial";
  static constexpr int k_threads = 9 * k_warp;
  VirialSlots virial;  ///< not wanted: the sums become zero
  SystemState* state;
  const std::uint32_t* halt;

  NANODAY_DEVICE void operator()(Block& block) const {
    if (halt != nullptr && *halt != 0) return;
    const std::int64_t r = block.block();
    const int c = block.warp();
    FixedSum sum;
    for (int k = block.lane(); virial.sum != nullptr && k < virial.slots; k += k_warp)
      sum.add(virial.sum[(r * virial.slots + k) * 9 + c]);
    sum = {warp_sum(block, sum.high), warp_sum(block, sum.low), warp_sum(block, sum.misfits), 0};
    sum.carry();  // ranks add theirs up
    if (block.lane() == 0) state[r].virial[c] = sum;
  }
};

/// Energy and virial of all ranks take their place.
struct AdoptResults {
  static constexpr const char* k_name = "adopt_results";
  const SystemState* total;
  SystemState* state;
  const std::uint32_t* halt;

  NANODAY_DEVICE void operator()(Block& block) const {
    const std::int64_t c = block.global();
    if (c > 9 || (halt != nullptr && *halt != 0)) return;
    if (c == 9)
      state->energy = total->energy;
    else
      state->virial[c] = total->virial[c];
  }
};

// So that energy and virial are summed over ranks at once.
static_assert(offsetof(SystemState, virial) == offsetof(SystemState, energy) + sizeof(FixedSum));

/// As sum_results(), of this rank.
void sum_own_results(Stream& stream, const DeviceAtoms& atoms, const double* atom_energy,
                     const VirialSlots& virial, SystemState* state, const std::uint32_t* halt) {
  if (atom_energy != nullptr)
    sum_terms(stream, atoms, EnergyTerms{atom_energy}, state, halt);
  else
    clear_sums<EnergyTerms>(stream, atoms, state, halt);
  launch(stream, SumVirials{virial, state, halt}, {atoms.n_replicas, SumVirials::k_threads, 0});
}

}  // namespace

// ------------------------------------------------------------------------------------------------------

void sum_kinetic(Stream& stream, const DeviceAtoms& atoms, SystemState* state, const std::uint32_t* halt,
                 DeviceRanks* ranks) {
  sum_terms(stream, atoms, KineticTerms{atoms.velocity.data(), atoms.mass.data()}, state, halt, NoMore{},
            ranks);
}

void sum_results(Stream& stream, const DeviceAtoms& atoms, const double* atom_energy,
                 const VirialSlots& virial, SystemState* state, const std::uint32_t* halt,
                 DeviceRanks* ranks) {
  if (ranks == nullptr || !ranks->several())
    return sum_own_results(stream, atoms, atom_energy, virial, state, halt);
  SystemState* const share = ranks->share();
  sum_own_results(stream, atoms, atom_energy, virial, share, nullptr);
  ranks->sum(stream, words_of(&share->energy), 10 * k_sum_words);
  launch(stream, AdoptResults{share, state, halt}, {1, k_warp, 0});
}

}  // namespace nanoday::NANODAY_GPU
