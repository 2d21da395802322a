// Heat baths on the device: one thread per replica, formulas of math/thermostats.hpp.
// SPDX-License-Identifier: Apache-2.0
#include "math/thermostats.hpp"

#include "cuda/replica_sums.hpp"

namespace nanoday::NANODAY_GPU {
namespace {

constexpr int k_stored = 7;  ///< place in SystemState::bath of a number that lives within a step

/// From the state of Thermostat::state() to a chain and back.
NANODAY_DEVICE double half_step(const BathSettings& settings, SystemState& state, double dt) {
  NoseHooverChain chain = nose_hoover_chain(settings.kT, settings.degrees_of_freedom, settings.tau);
  for (int k = 0; k < k_chain; ++k) {
    chain.position[k] = state.bath[k];
    chain.velocity[k] = state.bath[k_chain + k];
  }
  const double scale = nose_hoover_half_step(chain, dt, value_of(state.kinetic));
  for (int k = 0; k < k_chain; ++k) {
    state.bath[k] = chain.position[k];
    state.bath[k_chain + k] = chain.velocity[k];
  }
  return scale;
}

NANODAY_DEVICE double rescaling_factor(const BathSettings& settings, SystemState& state, double dt) {
  const RescalingBath bath{0.5 * settings.degrees_of_freedom * settings.kT, settings.degrees_of_freedom,
                           bath_memory(dt, settings.tau), settings.seed};
  const Rescaling rescaling =
      rescale(bath, static_cast<std::uint64_t>(state.step + 1), value_of(state.kinetic));
  state.bath[0] += rescaling.heat;
  return rescaling.factor;
}

/// What a bath does once the kinetic energy of its replica is known.
struct AdvanceBath {
  static constexpr const char* k_name = "advance_bath";
  const BathSettings* bath;
  double dt;
  BathStage stage;

  NANODAY_DEVICE void operator()(SystemState* states, std::int64_t r) const {
    SystemState& state = states[r];
    if (stage == BathStage::before_noise) {
      state.bath[k_stored] = value_of(state.kinetic);
    } else if (stage == BathStage::after_noise) {
      state.bath[0] += value_of(state.kinetic) - state.bath[k_stored];
    } else {
      state.scale = factor(state, bath[r]);
    }
  }
  NANODAY_DEVICE double factor(SystemState& state, const BathSettings& settings) const {
    if (settings.kind == BathKind::nose_hoover) return half_step(settings, state, dt);
    if (settings.kind == BathKind::rescaling && stage == BathStage::after)
      return rescaling_factor(settings, state, dt);
    return 1;
  }
};

}  // namespace

// ------------------------------------------------------------------------------------------------------

void advance_bath(Stream& stream, const DeviceAtoms& atoms, const BathSettings* bath, SystemState* state,
                  double dt, BathStage stage, const std::uint32_t* halt, DeviceRanks* ranks) {
  sum_terms(stream, atoms, KineticTerms{atoms.velocity.data(), atoms.mass.data()}, state, halt,
            AdvanceBath{bath, dt, stage}, ranks);
}

}  // namespace nanoday::NANODAY_GPU
