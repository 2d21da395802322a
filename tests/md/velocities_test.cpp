// Initial velocities: temperature, momentum, distribution, independence of order.
// SPDX-License-Identifier: Apache-2.0
#include "md/velocities.hpp"
#include "core/units.hpp"
#include "md/observables.hpp"
#include "md/toy_backend.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace nanoday {
namespace {

double kinetic(const Atoms& atoms) {
  toy::ToyBackend backend({});
  return backend.kinetic_energy(atoms.velocity, atoms.mass).value();
}

TEST(InitialVelocities, have_exactly_the_temperature_and_no_momentum) {
  Atoms atoms = toy::atoms(50, 10);
  draw_velocities(atoms, 330, 12);
  EXPECT_NEAR(temperature_of(kinetic(atoms), 147), 330, 1e-9);
  Vec3 momentum;
  for (int i = 0; i < 50; ++i) momentum = momentum + atoms.mass[i] * xyz(atoms.velocity[i]);
  EXPECT_LT(norm(momentum), 1e-10);
}

TEST(InitialVelocities, of_a_single_atom_have_the_temperature) {
  Atoms atoms = toy::atoms(1, 10);
  draw_velocities(atoms, 330, 12);
  EXPECT_NEAR(temperature_of(kinetic(atoms), 3), 330, 1e-9);
}

TEST(InitialVelocities, at_zero_temperature_are_zero) {
  Atoms atoms = toy::atoms(5, 10);
  draw_velocities(atoms, 0, 12);
  EXPECT_EQ(kinetic(atoms), 0);
}

TEST(InitialVelocities, belong_to_the_input_id_and_the_seed) {
  Atoms atoms = toy::atoms(9, 10), turned = atoms, other = atoms;
  std::reverse(turned.id.begin(), turned.id.end());
  std::reverse(turned.mass.begin(), turned.mass.end());
  draw_velocities(atoms, 330, 12);
  draw_velocities(turned, 330, 12);
  draw_velocities(other, 330, 13);
  for (int i = 0; i < 9; ++i) {
    EXPECT_NEAR(atoms.velocity[i].x, turned.velocity[8 - i].x, 1e-12);
    EXPECT_NE(atoms.velocity[i].x, other.velocity[i].x);
  }
}

TEST(InitialVelocities, are_maxwellian_for_every_mass) {
  Atoms atoms = toy::atoms(30000, 10);
  draw_velocities(atoms, 300, 1);
  for (int type = 0; type < 3; ++type) {
    double second = 0, fourth = 0;
    for (int i = type; i < 30000; i += 3) {
      const double v = atoms.velocity[i].x *
                       std::sqrt(atoms.mass[i] * units::k_mass_velocity2 / (units::k_boltzmann * 300));
      second += v * v / 10000;
      fourth += v * v * v * v / 10000;
    }
    EXPECT_NEAR(second, 1, 0.06);  // standard error sqrt(2/10000) = 0.014
    EXPECT_NEAR(fourth, 3, 0.4);   // standard error sqrt(96/10000) = 0.098
  }
}

}  // namespace
}  // namespace nanoday
