// Nose-Hoover chain of three: a deterministic bath that samples the canonical ensemble.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "core/units.hpp"
#include "md/thermostat.hpp"

#include <array>
#include <cmath>

namespace nanoday {
namespace {

constexpr int k_chain = 3;
// Fourth-order Suzuki-Yoshida weights: w, 1 − 2w, w with w = 1/(2 − 2^(1/3)). Yoshida, Phys. Lett. A 150, 262
// (1990).
const double k_outer_weight = 1 / (2 - std::cbrt(2.0));

/// Martyna, Tuckerman, Tobias & Klein, Mol. Phys. 87, 1117 (1996), section 4; masses Q1 = N_f kT τ²,
/// Q2 = Q3 = kT τ² (eq. 2.13 of Martyna, Klein & Tuckerman, J. Chem. Phys. 97, 2635 (1992)).
class NoseHoover final : public Thermostat {
 public:
  explicit NoseHoover(const ThermostatOptions& options)
      : kT_(units::k_boltzmann * options.temperature), dof_(options.degrees_of_freedom), dt_(options.dt) {
    mass_.fill(kT_ * options.tau * options.tau);
    mass_[0] *= dof_;
  }

  void before(Backend& backend, Atoms& atoms, std::int64_t) override { half_step(backend, atoms); }
  void after(Backend& backend, Atoms& atoms, std::int64_t) override { half_step(backend, atoms); }

  double energy() const override {
    double sum = dof_ * kT_ * position_[0];
    for (int k = 1; k < k_chain; ++k) sum += kT_ * position_[k];
    for (int k = 0; k < k_chain; ++k) sum += 0.5 * mass_[k] * velocity_[k] * velocity_[k];
    return sum;
  }

  std::vector<double> state() const override {
    std::vector<double> state(position_.begin(), position_.end());
    state.insert(state.end(), velocity_.begin(), velocity_.end());
    return state;
  }

  void restore(const std::vector<double>& state) override {
    require(state.size() == 2 * k_chain,
            "Nose-Hoover state has {} numbers (a chain of {} has {}); the "
            "checkpoint belongs to another thermostat",
            state.size(), k_chain, 2 * k_chain);
    for (int k = 0; k < k_chain; ++k) {
      position_[k] = state[k];
      velocity_[k] = state[k_chain + k];
    }
  }

 private:
  void half_step(Backend& backend, Atoms& atoms) {
    if (dof_ <= 0) return;
    double twice_kinetic = 2 * backend.kinetic_energy(atoms.velocity, atoms.mass);
    double scale = 1;
    for (const double weight : {k_outer_weight, 1 - 2 * k_outer_weight, k_outer_weight}) {
      const double factor = sub_step(weight * dt_ / 2, twice_kinetic);
      twice_kinetic *= factor * factor;
      scale *= factor;
    }
    backend.scale_velocities(atoms.velocity, scale);
  }

  /// Chain from its end to the atoms and back over time h; returns the factor for the atoms' velocities.
  double sub_step(double h, double twice_kinetic) {
    velocity_[2] += force(2, twice_kinetic) * h / 2;
    pull(1, h, twice_kinetic);
    pull(0, h, twice_kinetic);
    const double factor = std::exp(-velocity_[0] * h);
    for (int k = 0; k < k_chain; ++k) position_[k] += velocity_[k] * h;
    pull(0, h, twice_kinetic * factor * factor);
    pull(1, h, twice_kinetic);
    velocity_[2] += force(2, twice_kinetic) * h / 2;
    return factor;
  }

  /// Quarter-step friction of link k + 1 on link k around its half-step force.
  void pull(int k, double h, double twice_kinetic) {
    const double friction = std::exp(-velocity_[k + 1] * h / 4);
    velocity_[k] = (velocity_[k] * friction + force(k, twice_kinetic) * h / 2) * friction;
  }

  double force(int k, double twice_kinetic) const {
    if (k == 0) return (twice_kinetic - dof_ * kT_) / mass_[0];
    return (mass_[k - 1] * velocity_[k - 1] * velocity_[k - 1] - kT_) / mass_[k];
  }

  double kT_;  ///< [eV]
  double dof_;
  double dt_;                               ///< [ps]
  std::array<double, k_chain> mass_{};      ///< [eV ps²]
  std::array<double, k_chain> position_{};  ///< [–]
  std::array<double, k_chain> velocity_{};  ///< [1/ps]
};

}  // namespace

std::unique_ptr<Thermostat> make_nose_hoover(const ThermostatOptions& options) {
  return std::make_unique<NoseHoover>(options);
}

}  // namespace nanoday
