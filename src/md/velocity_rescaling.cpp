// Stochastic velocity rescaling: one random factor per step gives the canonical kinetic energy.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "core/units.hpp"
#include "math/counter_rng.hpp"
#include "md/thermostat.hpp"

#include <cmath>

namespace nanoday {
namespace {

// Keeps the bath's random numbers apart from those of atoms with the same seed.
constexpr std::uint64_t k_bath_seed = 0x6e616e6f64617921u;

/// Draws of one step, numbered: the same whoever asks, whatever was asked before.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint64_t step) : seed_(seed ^ k_bath_seed), step_(step) {}
  // normal3(id) takes the counters 2 id and 2 id + 1; uniform deviates take the upper half.
  double uniform() { return nanoday::uniform(seed_, step_, (std::uint64_t{1} << 63) + next_++); }
  double normal() { return normal3(seed_, step_, next_++).x; }

 private:
  std::uint64_t seed_, step_, next_ = 0;
};

/// Gamma deviate of shape a ≥ 1/2 and scale 1. Marsaglia & Tsang, ACM Trans. Math. Softw. 26, 363 (2000);
/// shapes below 1 through Γ(a) = Γ(a + 1) u^(1/a).
double gamma_deviate(double a, Draws& draws) {
  if (a < 1) {
    const double u = draws.uniform();
    return gamma_deviate(a + 1, draws) * std::pow(u, 1 / a);
  }
  const double d = a - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = draws.normal();
    const double cube = (1 + c * x) * (1 + c * x) * (1 + c * x);
    const double u = draws.uniform();
    if (cube > 0 && std::log(u) < 0.5 * x * x + d - d * cube + d * std::log(cube)) return d * cube;
  }
}

/// Sum of the squares of n independent normal deviates.
double chi_square(double n, Draws& draws) { return n > 0 ? 2 * gamma_deviate(n / 2, draws) : 0; }

class VelocityRescaling final : public Thermostat {
 public:
  explicit VelocityRescaling(const ThermostatOptions& options)
      : target_(0.5 * options.degrees_of_freedom * units::k_boltzmann * options.temperature),
        dof_(options.degrees_of_freedom),
        c_(std::exp(-options.dt / options.tau)),
        seed_(options.seed) {}

  void after(Backend& backend, Atoms& atoms, std::int64_t step) override {
    const double kinetic = backend.kinetic_energy(atoms.velocity, atoms.mass);
    if (!(kinetic > 0) || dof_ <= 0) return;  // atoms at rest have no direction to be pushed in
    Draws draws(seed_, static_cast<std::uint64_t>(step));
    const double r = draws.normal();
    const double rest = chi_square(dof_ - 1, draws);
    // Eq. A7: α² = c + (1 − c) K̄/(N_f K) (R₁² + ΣR²) + 2 R₁ sqrt(c (1 − c) K̄/(N_f K)); sign of α after A8.
    const double ratio = (1 - c_) * target_ / (dof_ * kinetic);
    const double along = std::sqrt(c_) + r * std::sqrt(ratio);
    const double factor2 = along * along + ratio * rest;
    backend.scale_velocities(atoms.velocity, std::copysign(std::sqrt(factor2), along));
    heat_ += (factor2 - 1) * kinetic;
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
  double target_;  ///< mean kinetic energy [eV]
  double dof_;
  double c_;  ///< memory of one step, exp(−dt/τ) [–]
  std::uint64_t seed_;
  double heat_ = 0;  ///< energy given to the atoms so far [eV]
};

}  // namespace

std::unique_ptr<Thermostat> make_velocity_rescaling(const ThermostatOptions& options) {
  return std::make_unique<VelocityRescaling>(options);
}

}  // namespace nanoday
