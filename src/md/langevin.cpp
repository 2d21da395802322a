// Langevin bath (BAOAB): friction and noise in the middle of the drift.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "core/units.hpp"
#include "math/thermostats.hpp"
#include "md/thermostat.hpp"

namespace nanoday {
namespace {

/// Leimkuhler & Matthews (2013): v ← c v + sqrt((1 − c²) kT/m) ξ with c = exp(−dt/τ), exact for the bath
/// part.
class Langevin final : public Thermostat {
 public:
  explicit Langevin(const ThermostatOptions& options)
      : Thermostat(bath_settings(BathKind::langevin, options)),
        kT_(units::k_boltzmann * options.temperature),
        c_(bath_memory(options.dt, options.tau)),
        seed_(options.seed) {}

  bool splits_drift() const override { return true; }

  void middle(const MovingAtoms& moving, std::int64_t step) override {
    const Atoms& atoms = moving.atoms;
    const double before = moving.kinetic_energy();
    moving.backend.ornstein_uhlenbeck(moving.atoms.velocity, atoms.mass,
                                      View<const std::int64_t>(atoms.id).subview(0, atoms.nlocal), c_, kT_,
                                      seed_, static_cast<std::uint64_t>(step));
    heat_ += moving.kinetic_energy() - before;
  }

  double energy() const override { return -heat_; }
  std::vector<double> state() const override { return {heat_}; }

  void restore(const std::vector<double>& state) override {
    require(state.size() == 1,
            "Langevin state has {} numbers (it has 1); the checkpoint belongs to another "
            "thermostat",
            state.size());
    heat_ = state[0];
  }

 private:
  double kT_;  ///< [eV]
  double c_;   ///< velocity kept over one step [–]
  std::uint64_t seed_;
  double heat_ = 0;  ///< energy given to the atoms so far [eV]
};

}  // namespace

std::unique_ptr<Thermostat> make_langevin(const ThermostatOptions& options) {
  return std::make_unique<Langevin>(options);
}

}  // namespace nanoday
