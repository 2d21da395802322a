// For tests of runs on the device: a system with its machine, advanced and compared with another one.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "machines.hpp"
#include "md/simulation.hpp"
#include "md/velocities.hpp"
#include "reference/dplr.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <utility>

namespace nanoday::reference {

inline constexpr double k_dt = 0.0005;

/// A backend, its evaluator and simulation of one system.
struct Running {
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Evaluator> evaluator;
  std::unique_ptr<Simulation> simulation;
};

inline std::unique_ptr<Thermostat> bath(BathKind kind, std::int64_t natoms) {
  const ThermostatOptions options{350, 0.02, k_dt, degrees_of_freedom(natoms, kind != BathKind::langevin), 5};
  switch (kind) {
    case BathKind::nose_hoover:
      return make_nose_hoover(options);
    case BathKind::langevin:
      return make_langevin(options);
    case BathKind::rescaling:
      return make_velocity_rescaling(options);
    case BathKind::none:
      break;
  }
  return make_no_thermostat();
}

inline Atoms moving(const System& system) {
  Atoms atoms = atoms_of(system);
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) atoms.mass[i] = atoms.type[i] == 0 ? 15.999 : 1.008;
  draw_velocities(atoms, 330, 11);
  return atoms;
}

inline Running running(std::unique_ptr<Backend> backend, const Plan& plan, const Box& box, Atoms atoms,
                       BathKind kind, EvaluatorOptions options = {0.5, 0}) {
  Running r;
  r.backend = std::move(backend);
  const std::int64_t n = atoms.nlocal;
  r.evaluator = std::make_unique<Evaluator>(*r.backend, plan, box, std::move(atoms), options);
  r.simulation = std::make_unique<Simulation>(*r.evaluator, bath(kind, n), k_dt,
                                              degrees_of_freedom(n, kind != BathKind::langevin));
  return r;
}

inline constexpr Needs k_row{true, true, false, false};

inline void advance(Running& r, int steps) {
  for (int k = 0; k < steps; ++k) r.simulation->step(k + 1 == steps ? k_row : Needs{});
  r.simulation->show();
}

/// Position of the atom with that input index.
inline Vec4 position_of(const Running& r, std::int64_t id) {
  const Atoms& atoms = r.evaluator->atoms();
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) {
    if (atoms.id[i] != id) continue;
    const auto& m = atoms.image[i];
    return padded(xyz(atoms.position[i]) + r.evaluator->box().translation(m[0], m[1], m[2]));
  }
  ADD_FAILURE() << "atom " << id << " is lost";
  return {};
}

inline void expect_same_trajectory(const Running& a, const Running& b, double limit) {
  for (std::int64_t id = 0; id < a.evaluator->atoms().nlocal; ++id) {
    const Vec3 d = xyz(position_of(a, id)) - xyz(position_of(b, id));
    EXPECT_LT(norm(d), limit) << "atom " << id;
  }
  const Observables x = a.simulation->observe(), y = b.simulation->observe();
  EXPECT_EQ(x.step, y.step);
  EXPECT_NEAR(x.potential, y.potential, 10 * limit);
  EXPECT_NEAR(x.kinetic, y.kinetic, 10 * limit);
  EXPECT_NEAR(x.conserved, y.conserved, 10 * limit);
  EXPECT_NEAR(x.pressure, y.pressure, 1e6 * limit);
}

}  // namespace nanoday::reference
