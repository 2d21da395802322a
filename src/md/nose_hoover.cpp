// Nose-Hoover chain of three: a deterministic bath that samples the canonical ensemble.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "core/units.hpp"
#include "math/thermostats.hpp"
#include "md/thermostat.hpp"

namespace nanoday {
namespace {

class NoseHoover final : public Thermostat {
 public:
  explicit NoseHoover(const ThermostatOptions& options)
      : Thermostat(bath_settings(BathKind::nose_hoover, options)),
        chain_(nose_hoover_chain(units::k_boltzmann * options.temperature, options.degrees_of_freedom,
                                 options.tau)),
        dt_(options.dt) {}

  void before(const MovingAtoms& moving, std::int64_t) override { half_step(moving); }
  void after(const MovingAtoms& moving, std::int64_t) override { half_step(moving); }

  double energy() const override { return nose_hoover_energy(chain_); }

  std::vector<double> state() const override {
    std::vector<double> state(chain_.position, chain_.position + k_chain);
    state.insert(state.end(), chain_.velocity, chain_.velocity + k_chain);
    return state;
  }

  void restore(const std::vector<double>& state) override {
    require(state.size() == 2 * k_chain,
            "Nose-Hoover state has {} numbers (a chain of {} has {}); the "
            "checkpoint belongs to another thermostat",
            state.size(), k_chain, 2 * k_chain);
    for (int k = 0; k < k_chain; ++k) {
      chain_.position[k] = state[k];
      chain_.velocity[k] = state[k_chain + k];
    }
  }

 private:
  void half_step(const MovingAtoms& moving) {
    if (chain_.degrees_of_freedom <= 0) return;
    moving.scale_velocities(nose_hoover_half_step(chain_, dt_, moving.kinetic_energy()));
  }

  NoseHooverChain chain_;
  double dt_;  ///< [ps]
};

}  // namespace

std::unique_ptr<Thermostat> make_nose_hoover(const ThermostatOptions& options) {
  return std::make_unique<NoseHoover>(options);
}

}  // namespace nanoday
