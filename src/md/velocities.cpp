// Initial velocities from the counter random numbers.
// SPDX-License-Identifier: Apache-2.0
#include "md/velocities.hpp"

#include "core/units.hpp"
#include "math/counter_rng.hpp"
#include "md/observables.hpp"

#include <cmath>

namespace nanoday {
namespace {

// A step number no run reaches, so that no bath sees these deviates again.
constexpr std::uint64_t k_start_step = ~std::uint64_t{0};

double kinetic_energy(const Atoms& atoms) {
  double twice = 0;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    twice += atoms.mass[i] * dot(xyz(atoms.velocity[i]), xyz(atoms.velocity[i]));
  return 0.5 * twice * units::k_mass_velocity2;
}

}  // namespace

void remove_momentum(Atoms& atoms) {
  Vec3 momentum;
  double mass = 0;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    momentum = momentum + atoms.mass[i] * xyz(atoms.velocity[i]);
    mass += atoms.mass[i];
  }
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    atoms.velocity[i] = padded(xyz(atoms.velocity[i]) - (1 / mass) * momentum);
}

void draw_velocities(Atoms& atoms, double temperature, std::uint64_t seed) {
  const double kT = units::k_boltzmann * temperature;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const double width = std::sqrt(kT / (atoms.mass[i] * units::k_mass_velocity2));
    atoms.velocity[i] = padded(width * normal3(seed, k_start_step, static_cast<std::uint64_t>(atoms.id[i])));
  }
  if (atoms.nlocal > 1) remove_momentum(atoms);
  const double now = temperature_of(kinetic_energy(atoms), degrees_of_freedom(atoms.nlocal, true));
  const double factor = now > 0 ? std::sqrt(temperature / now) : 0;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) atoms.velocity[i] = padded(factor * xyz(atoms.velocity[i]));
}

}  // namespace nanoday
