// Runs of one system on any number of ranks as threads, and what is compared of them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/error.hpp"
#include "in_process.hpp"
#include "md/simulation.hpp"
#include "md/velocities.hpp"
#include "reference/evaluate.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace nanoday::ranks {

inline constexpr double k_dt = 5e-4;

/// A system, how it is evaluated and moved.
struct Case {
  std::string name;
  reference::System system;
  reference::Plan plan;
  BathKind bath = BathKind::none;
  double skin = 1;
  int steps = 40;
  Balance balance = Balance::automatic;
  std::optional<HaloRoute> halo = {};
};

/// What is compared, in input order.
struct Trail {
  std::vector<Vec3> position, velocity;
  std::vector<std::array<std::int32_t, 3>> image;
  std::vector<double> observed;  ///< potential, conserved, pressure of every fifth step
  std::int64_t rebuilds = 0;
  std::vector<int> first_owner, last_owner;
  std::int64_t lent = 0, most = 0,
               fewest = 0;  ///< atoms lent at the last build, on the fullest and emptiest rank
  Lending lending;          ///< of the last build
};

inline std::unique_ptr<Thermostat> bath_of(BathKind kind, double freedom) {
  const ThermostatOptions options{330, 0.02, k_dt, freedom, 17};
  if (kind == BathKind::nose_hoover) return make_nose_hoover(options);
  if (kind == BathKind::langevin) return make_langevin(options);
  if (kind == BathKind::rescaling) return make_velocity_rescaling(options);
  return make_no_thermostat();
}

/// This rank's part of all atoms, dealt in turn: they find their owners by themselves.
inline Atoms dealt(const reference::System& system, const Transport& ranks) {
  const Atoms all = reference::atoms_of(system);
  Atoms mine;
  for (std::int64_t i = ranks.rank(); i < all.nlocal; i += ranks.size()) {
    mine.position.push_back(all.position[i]);
    mine.type.push_back(all.type[i]);
    mine.id.push_back(i);
    mine.mass.push_back(all.type[i] == 0 ? 15.999 : 1.008);
    ++mine.nlocal;
  }
  mine.velocity.resize(mine.nlocal);
  return mine;
}

using MakeMachine = std::function<std::unique_ptr<Backend>()>;

inline Trail trail_of(const Case& c, const MakeMachine& make_machine, int n_ranks, int ranks_per_node = 0) {
  Trail trail;
  const std::size_t n = c.system.position.size();
  trail.position.resize(n);
  trail.velocity.resize(n);
  trail.image.resize(n);
  trail.first_owner.resize(n);
  trail.last_owner.resize(n);
  const auto body = [&](Transport& transport) {
    const std::shared_ptr<Transport> ranks = transport.split(0);
    const auto backend = make_machine();
    Atoms atoms = dealt(c.system, *ranks);
    draw_velocities(atoms, 330, 5, *ranks);
    Evaluator evaluator(*backend, c.plan, c.system.box, std::move(atoms), {c.skin, 0, c.balance, c.halo},
                        ranks);
    const double freedom = degrees_of_freedom(evaluator.natoms(), c.bath != BathKind::langevin);
    Simulation simulation(evaluator, bath_of(c.bath, freedom), k_dt, freedom);
    constexpr Needs k_row{true, true, false, false};
    simulation.start(k_row);
    const auto note_owners = [&](std::vector<int>& owner) {
      simulation.show();
      for (std::int64_t i = 0; i < evaluator.atoms().nlocal; ++i)
        owner[evaluator.atoms().id[i]] = ranks->rank();
    };
    note_owners(trail.first_owner);
    for (int step = 1; step <= c.steps; ++step) {
      simulation.step(step % 5 == 0 ? k_row : Needs{});
      if (step % 5 != 0) continue;
      const Observables now = simulation.observe();
      if (ranks->rank() > 0) continue;
      trail.observed.insert(trail.observed.end(), {now.potential, now.conserved, now.pressure});
    }
    note_owners(trail.last_owner);
    for (std::int64_t i = 0; i < evaluator.atoms().nlocal; ++i) {
      const auto id = static_cast<std::size_t>(evaluator.atoms().id[i]);
      trail.position[id] = xyz(evaluator.atoms().position[i]);
      trail.velocity[id] = xyz(evaluator.atoms().velocity[i]);
      trail.image[id] = evaluator.atoms().image[i];
    }
    std::array<double, 2> extremes{double(evaluator.atoms().nlocal), -double(evaluator.atoms().nlocal)};
    ranks->all_reduce_max(View<double>(extremes.data(), extremes.size()));
    if (ranks->rank() > 0) return;
    trail.rebuilds = evaluator.rebuilds();
    trail.lending = evaluator.lending();
    trail.lent = evaluator.lending().moved;
    trail.most = std::int64_t(extremes[0]);
    trail.fewest = std::int64_t(-extremes[1]);
  };
  run_ranks(n_ranks, body, ranks_per_node);
  return trail;
}

inline void expect_same(const Trail& one, const Trail& many) {
  ASSERT_EQ(one.observed.size(), many.observed.size());
  for (std::size_t k = 0; k < one.observed.size(); ++k) {
    if (std::isnan(one.observed[k])) continue;  // pressure in open space
    ASSERT_EQ(one.observed[k], many.observed[k]) << "observable " << k;
  }
  for (std::size_t i = 0; i < one.position.size(); ++i) {
    ASSERT_EQ(one.position[i].x, many.position[i].x) << "atom " << i;
    ASSERT_EQ(one.position[i].y, many.position[i].y) << "atom " << i;
    ASSERT_EQ(one.position[i].z, many.position[i].z) << "atom " << i;
    ASSERT_EQ(one.velocity[i].x, many.velocity[i].x) << "atom " << i;
    ASSERT_EQ(one.image[i], many.image[i]) << "atom " << i;
  }
  EXPECT_EQ(one.rebuilds, many.rebuilds);
}

}  // namespace nanoday::ranks
