// Heat baths as formulas: how a bath's own numbers advance, and what it does to velocities.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"
#include "core/units.hpp"
#include "core/vec3.hpp"
#include "math/counter_rng.hpp"

#include <cmath>
#include <cstdint>

namespace nanoday {

/// Links of a Nose-Hoover chain.
inline constexpr int k_chain = 3;

/// Fourth-order Suzuki-Yoshida weights: w, 1 − 2w, w with w = 1/(2 − 2^(1/3)). Yoshida, Phys. Lett. A 150,
/// 262 (1990).
inline constexpr double k_outer_weight = 0x1.59e8b6eb96339p+0;

/// Martyna, Tuckerman, Tobias & Klein, Mol. Phys. 87, 1117 (1996), section 4.
struct NoseHooverChain {
  double kT = 0;  ///< [eV]
  double degrees_of_freedom = 0;
  double mass[k_chain] = {};      ///< [eV ps²]
  double position[k_chain] = {};  ///< [–]
  double velocity[k_chain] = {};  ///< [1/ps]
};

/// A chain at rest; masses Q1 = N_f kT τ², Q2 = Q3 = kT τ² (eq. 2.13 of Martyna, Klein & Tuckerman, J. Chem.
/// Phys. 97, 2635 (1992)).
/// \param tau  period scale [ps]
NANODAY_HD inline NoseHooverChain nose_hoover_chain(double kT, double degrees_of_freedom, double tau) {
  NoseHooverChain chain;
  chain.kT = kT;
  chain.degrees_of_freedom = degrees_of_freedom;
  for (double& mass : chain.mass) mass = kT * tau * tau;
  chain.mass[0] *= degrees_of_freedom;
  return chain;
}

NANODAY_HD inline double link_force(const NoseHooverChain& c, int k, double twice_kinetic) {
  if (k == 0) return (twice_kinetic - c.degrees_of_freedom * c.kT) / c.mass[0];
  return (c.mass[k - 1] * c.velocity[k - 1] * c.velocity[k - 1] - c.kT) / c.mass[k];
}

/// Quarter-step friction of link k + 1 on link k around its half-step force.
NANODAY_HD inline void pull_link(NoseHooverChain& c, int k, double h, double twice_kinetic) {
  const double friction = std::exp(-c.velocity[k + 1] * h / 4);
  c.velocity[k] = (c.velocity[k] * friction + link_force(c, k, twice_kinetic) * h / 2) * friction;
}

/// Chain from its end to the atoms and back over time h; returns the factor for the atoms' velocities.
NANODAY_HD inline double nose_hoover_sub_step(NoseHooverChain& c, double h, double twice_kinetic) {
  c.velocity[2] += link_force(c, 2, twice_kinetic) * h / 2;
  pull_link(c, 1, h, twice_kinetic);
  pull_link(c, 0, h, twice_kinetic);
  const double factor = std::exp(-c.velocity[0] * h);
  for (int k = 0; k < k_chain; ++k) c.position[k] += c.velocity[k] * h;
  pull_link(c, 0, h, twice_kinetic * factor * factor);
  pull_link(c, 1, h, twice_kinetic);
  c.velocity[2] += link_force(c, 2, twice_kinetic) * h / 2;
  return factor;
}

/// Half a step of the bath; returns the factor for the atoms' velocities.
/// \param kinetic  Σ ½mv² of the atoms before it [eV]
NANODAY_HD inline double nose_hoover_half_step(NoseHooverChain& chain, double dt, double kinetic) {
  if (chain.degrees_of_freedom <= 0) return 1;
  double twice_kinetic = 2 * kinetic, scale = 1;
  const double weights[3] = {k_outer_weight, 1 - 2 * k_outer_weight, k_outer_weight};
  for (const double weight : weights) {
    const double factor = nose_hoover_sub_step(chain, weight * dt / 2, twice_kinetic);
    twice_kinetic *= factor * factor;
    scale *= factor;
  }
  return scale;
}

/// Bath energy [eV].
NANODAY_HD inline double nose_hoover_energy(const NoseHooverChain& c) {
  double sum = c.degrees_of_freedom * c.kT * c.position[0];
  for (int k = 1; k < k_chain; ++k) sum += c.kT * c.position[k];
  for (int k = 0; k < k_chain; ++k) sum += 0.5 * c.mass[k] * c.velocity[k] * c.velocity[k];
  return sum;
}

/// Draws of one step, numbered: the same whoever asks, whatever was asked before.
class BathDraws {
 public:
  NANODAY_HD BathDraws(std::uint64_t seed, std::uint64_t step) : seed_(seed ^ k_bath_seed), step_(step) {}
  // normal3(id) takes the counters 2 id and 2 id + 1; uniform deviates take the upper half.
  NANODAY_HD double uniform() { return nanoday::uniform(seed_, step_, (std::uint64_t{1} << 63) + next_++); }
  NANODAY_HD double normal() { return normal3(seed_, step_, next_++).x; }

 private:
  // Keeps the bath's random numbers apart from those of atoms with the same seed.
  static constexpr std::uint64_t k_bath_seed = 0x6e616e6f64617921u;
  std::uint64_t seed_, step_, next_ = 0;
};

/// Gamma deviate of shape a ≥ 1 and scale 1. Marsaglia & Tsang, ACM Trans. Math. Softw. 26, 363 (2000).
NANODAY_HD inline double gamma_deviate_above_one(double a, BathDraws& draws) {
  const double d = a - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = draws.normal();
    const double cube = (1 + c * x) * (1 + c * x) * (1 + c * x);
    const double u = draws.uniform();
    if (cube > 0 && std::log(u) < 0.5 * x * x + d - d * cube + d * std::log(cube)) return d * cube;
  }
}

/// The same for a ≥ 1/2; shapes below 1 through Γ(a) = Γ(a + 1) u^(1/a).
NANODAY_HD inline double gamma_deviate(double a, BathDraws& draws) {
  if (a >= 1) return gamma_deviate_above_one(a, draws);
  const double u = draws.uniform();
  return gamma_deviate_above_one(a + 1, draws) * std::pow(u, 1 / a);
}

/// Sum of the squares of n independent normal deviates.
NANODAY_HD inline double chi_square(double n, BathDraws& draws) {
  return n > 0 ? 2 * gamma_deviate(n / 2, draws) : 0;
}

/// Velocity kept over a step by baths that forget exponentially, exp(−dt/τ) [–].
NANODAY_HD inline double bath_memory(double dt, double tau) { return std::exp(-dt / tau); }

/// A bath that multiplies all velocities by one random number per step.
struct RescalingBath {
  double target = 0;  ///< mean kinetic energy [eV]
  double degrees_of_freedom = 0;
  double memory = 0;  ///< bath_memory()
  std::uint64_t seed = 1;
};

/// What velocities are multiplied by, and the energy this gives to the atoms [eV].
struct Rescaling {
  double factor = 1, heat = 0;
};

/// Bussi, Donadio & Parrinello, J. Chem. Phys. 126, 014101 (2007), eq. A7:
/// α² = c + (1 − c) K̄/(N_f K) (R₁² + ΣR²) + 2 R₁ sqrt(c (1 − c) K̄/(N_f K)); sign of α after A8.
/// \param kinetic  K, Σ ½mv² of the atoms before it [eV]
NANODAY_HD inline Rescaling rescale(const RescalingBath& bath, std::uint64_t step, double kinetic) {
  if (!(kinetic > 0) || bath.degrees_of_freedom <= 0) return {};  // at rest: no direction to be pushed in
  BathDraws draws(bath.seed, step);
  const double r = draws.normal();
  const double rest = chi_square(bath.degrees_of_freedom - 1, draws);
  const double ratio = (1 - bath.memory) * bath.target / (bath.degrees_of_freedom * kinetic);
  const double along = std::sqrt(bath.memory) + r * std::sqrt(ratio);
  const double factor2 = along * along + ratio * rest;
  return {std::copysign(std::sqrt(factor2), along), (factor2 - 1) * kinetic};
}

/// Variance of the noise, times the mass: (1 − c²) kT [u Å²/ps²].
NANODAY_HD inline double langevin_width2(double c, double kT) {
  return (1 - c * c) * kT * units::k_force_to_acceleration;
}

/// Leimkuhler & Matthews, Appl. Math. Res. Express 2013, 34: v ← c v + sqrt((1 − c²) kT/m) ξ, exact for the
/// bath part of a step; ξ from the counter (seed, step, id).
/// \param width2  langevin_width2(c, kT)
NANODAY_HD inline Vec3 langevin_velocity(Vec3 v, double c, double width2, double mass, std::uint64_t seed,
                                         std::uint64_t step, std::uint64_t id) {
  return c * v + std::sqrt(width2 / mass) * normal3(seed, step, id);
}

}  // namespace nanoday
