// Stochastic velocity rescaling: one random factor per step gives the canonical kinetic energy.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "core/units.hpp"
#include "math/thermostats.hpp"
#include "md/thermostat.hpp"

namespace nanoday {
namespace {

class VelocityRescaling final : public Thermostat {
 public:
  explicit VelocityRescaling(const ThermostatOptions& options)
      : Thermostat(bath_settings(BathKind::rescaling, options)),
        bath_{0.5 * options.degrees_of_freedom * units::k_boltzmann * options.temperature,
              options.degrees_of_freedom, bath_memory(options.dt, options.tau), options.seed} {}

  void after(const MovingAtoms& moving, std::int64_t step) override {
    const Rescaling rescaling = rescale(bath_, static_cast<std::uint64_t>(step), moving.kinetic_energy());
    moving.scale_velocities(rescaling.factor);
    heat_ += rescaling.heat;
  }

  double energy() const override { return -heat_; }
  std::vector<double> state() const override { return {heat_}; }

  void restore(const std::vector<double>& state) override {
    require(state.size() == 1,
            "velocity-rescaling state has {} numbers (it has 1); the checkpoint belongs to "
            "another thermostat",
            state.size());
    heat_ = state[0];
  }

 private:
  RescalingBath bath_;
  double heat_ = 0;  ///< energy given to the atoms so far [eV]
};

}  // namespace

std::unique_ptr<Thermostat> make_velocity_rescaling(const ThermostatOptions& options) {
  return std::make_unique<VelocityRescaling>(options);
}

}  // namespace nanoday
