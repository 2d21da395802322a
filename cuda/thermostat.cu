// Heat baths on the device: one thread per replica, formulas of math/thermostats.hpp.
// SPDX-License-Identifier: Apache-2.0
#include "math/thermostats.hpp"

#include "cuda/integrate.hpp"

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

struct AdvanceBath {
  static constexpr const char* k_name = "advance_bath";
  const BathSettings* bath;
  SystemState* state;
  const std::uint32_t* halt;
  int n_replicas;
  double dt;
  bool after;

  NANODAY_DEVICE void operator()(Block& block) const {
    const long r = block.global();
    if (r >= n_replicas || (halt != nullptr && *halt != 0)) return;
    double scale = 1;
    if (bath[r].kind == BathKind::nose_hoover)
      scale = half_step(bath[r], state[r], dt);
    else if (bath[r].kind == BathKind::rescaling && after)
      scale = rescaling_factor(bath[r], state[r], dt);
    state[r].scale = scale;
  }
};

struct BookHeat {
  static constexpr const char* k_name = "book_heat";
  SystemState* state;
  const std::uint32_t* halt;
  int n_replicas;
  bool store;

  NANODAY_DEVICE void operator()(Block& block) const {
    const long r = block.global();
    if (r >= n_replicas || (halt != nullptr && *halt != 0)) return;
    const double kinetic = value_of(state[r].kinetic);
    if (store)
      state[r].bath[k_stored] = kinetic;
    else
      state[r].bath[0] += kinetic - state[r].bath[k_stored];
  }
};

struct CountStep {
  static constexpr const char* k_name = "count_step";
  SystemState* state;
  Signals* signals;
  int n_replicas;

  NANODAY_DEVICE void operator()(Block& block) const {
    const long r = block.global();
    if (r >= n_replicas || (signals != nullptr && signals->halt != 0)) return;
    ++state[r].step;
    if (r == 0 && signals != nullptr) signals->rebuild = 0;
  }
};

}  // namespace

// ------------------------------------------------------------------------------------------------------

void advance_bath(Stream& stream, const BathSettings* bath, SystemState* state, int n_replicas, double dt,
                  bool after, const std::uint32_t* halt) {
  launch(stream, AdvanceBath{bath, state, halt, n_replicas, dt, after}, grid_for(n_replicas, 32));
}

void book_heat(Stream& stream, SystemState* state, int n_replicas, double sign, const std::uint32_t* halt) {
  launch(stream, BookHeat{state, halt, n_replicas, sign < 0}, grid_for(n_replicas, 32));
}

void count_step(Stream& stream, SystemState* state, int n_replicas, Signals* signals) {
  launch(stream, CountStep{state, signals, n_replicas}, grid_for(n_replicas, 32));
}

}  // namespace nanoday::NANODAY_GPU
