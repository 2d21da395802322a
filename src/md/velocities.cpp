// Initial velocities from the counter random numbers.
// SPDX-License-Identifier: Apache-2.0
#include "md/velocities.hpp"

#include "core/units.hpp"
#include "exact_reduce.hpp"
#include "math/counter_rng.hpp"
#include "md/observables.hpp"

#include <array>
#include <cmath>

namespace nanoday {
namespace {

// A step number no run reaches, so that no bath sees these deviates again.
constexpr std::uint64_t k_start_step = ~std::uint64_t{0};

double kinetic_energy(const Atoms& atoms, Transport& ranks) {
  constexpr double k_finer = 0x1p20;  // a single slow atom's energy is few units of 2^-44 eV
  AtomSum sum{true, 0, {}};
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    sum.add(k_finer * 0.5 * atoms.mass[i] * dot(xyz(atoms.velocity[i]), xyz(atoms.velocity[i])) *
            units::k_mass_velocity2);
  return total(ranks, sum) / k_finer;
}

/// v −= Σ m v / Σ m.
void remove_momentum(Atoms& atoms, Transport& ranks) {
  std::array<ExactSum, 4> sum;  // momentum along x, y, z; mass
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const Vec3 p = atoms.mass[i] * xyz(atoms.velocity[i]);
    sum[0].add(p.x);
    sum[1].add(p.y);
    sum[2].add(p.z);
    sum[3].add(atoms.mass[i]);
  }
  all_reduce_sum(ranks, View<ExactSum>(sum.data(), sum.size()));
  const Vec3 momentum{sum[0].value(), sum[1].value(), sum[2].value()};
  for (std::int64_t i = 0; i < atoms.nlocal; ++i)
    atoms.velocity[i] = padded(xyz(atoms.velocity[i]) - (1 / sum[3].value()) * momentum);
}

}  // namespace

void draw_velocities(Atoms& atoms, double temperature, std::uint64_t seed, Transport& ranks) {
  std::int64_t natoms = atoms.nlocal;
  ranks.all_reduce_sum(View<std::int64_t>(&natoms, 1));
  const double kT = units::k_boltzmann * temperature;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    const double width = std::sqrt(kT / (atoms.mass[i] * units::k_mass_velocity2));
    atoms.velocity[i] = padded(width * normal3(seed, k_start_step, static_cast<std::uint64_t>(atoms.id[i])));
  }
  if (natoms > 1) remove_momentum(atoms, ranks);
  const double now = temperature_of(kinetic_energy(atoms, ranks), degrees_of_freedom(natoms, true));
  const double factor = now > 0 ? std::sqrt(temperature / now) : 0;
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) atoms.velocity[i] = padded(factor * xyz(atoms.velocity[i]));
}

void draw_velocities(Atoms& atoms, double temperature, std::uint64_t seed) {
  draw_velocities(atoms, temperature, seed, *make_self_transport());
}

}  // namespace nanoday
