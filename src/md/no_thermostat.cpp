// The absent bath of constant-energy runs.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "core/units.hpp"
#include "exact_reduce.hpp"
#include "md/thermostat.hpp"

namespace nanoday {
namespace {

class NoThermostat final : public Thermostat {
 public:
  double energy() const override { return 0; }
  std::vector<double> state() const override { return {}; }
  void restore(const std::vector<double>& state) override {
    require(state.empty(),
            "thermostat state has {} numbers (a constant-energy run has none); the checkpoint "
            "belongs to another ensemble",
            state.size());
  }
};

}  // namespace

double MovingAtoms::kinetic_energy() const {
  return total(ranks, backend.kinetic_energy(atoms.velocity, atoms.mass));
}

BathSettings bath_settings(BathKind kind, const ThermostatOptions& options) {
  return {kind, units::k_boltzmann * options.temperature, options.tau, options.degrees_of_freedom,
          options.seed};
}

std::unique_ptr<Thermostat> make_no_thermostat() { return std::make_unique<NoThermostat>(); }

}  // namespace nanoday
