// Charges for long-range tests, stored reference sums, and solvers run on them.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/long_range.hpp"
#include "cpu/long_range_team.hpp"
#include "oracle/direct_sum.hpp"
#include "reference/compare.hpp"
#include "reference/vectors.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <barrier>
#include <fstream>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace nanoday::reference {

/// C of the training programs [eV·Å].
inline constexpr double k_training_coulomb = 14.39964535475696995;
inline constexpr Needs k_all_long_range{true, true, true, true};

/// One stored direct sum (layout dplr-direct-1).
struct ChargeCase {
  std::string name;
  LongRangePlan plan;
  Array<Vec4> charge;  ///< real atoms, then Wannier centroids
  double energy = 0;
  Numbers forces;  ///< on charges, flat; empty when not stored
};

inline LongRangePlan direct_plan(const Box& box, double beta, double spacing) {
  LongRangePlan plan;
  plan.method = LongRangeMethod::direct;
  plan.box = box;
  plan.beta = beta;
  plan.spacing = spacing;
  plan.coulomb = k_training_coulomb;
  return plan;
}

/// The cases of a file; β and h are rounded to float as the producer does. Throws when it is absent.
inline std::vector<ChargeCase> read_charge_cases(const std::string& path) {
  std::ifstream stream(path);
  if (!stream) throw std::runtime_error("cannot open " + path);
  const auto json = nlohmann::json::parse(stream);
  const auto ion = json.at("charges").at("system").get<Numbers>();
  const double wannier = json.at("charges").at("wannier").at(0);
  const double beta = json.at("ewald").at("beta").get<float>(), h = json.at("ewald").at("h").get<float>();
  std::vector<ChargeCase> cases;
  for (const auto& stored : json.at("cases")) {
    const VectorCase system = read_case(stored);
    ChargeCase c;
    c.name = system.name;
    c.plan = direct_plan(system.system.box, beta, h);
    for (std::size_t i = 0; i < system.system.position.size(); ++i) {
      const Vec3 x = system.system.position[i];
      c.charge.push_back({x.x, x.y, x.z, ion.at(static_cast<std::size_t>(system.system.type[i]))});
    }
    const auto displacement = rows_of(numbers_at(stored, "wannier_displacements"));
    for (std::size_t n = 0; n < system.selected.size(); ++n) {
      const Vec3 w =
          system.system.position.at(static_cast<std::size_t>(system.selected[n])) + displacement.at(n);
      c.charge.push_back({w.x, w.y, w.z, wannier});
    }
    c.energy = stored.at("energy_el");
    if (!stored.at("forces_on_charges_el").is_null()) c.forces = numbers_at(stored, "forces_on_charges_el");
    cases.push_back(c);
  }
  return cases;
}

/// n charges of −2 … 2 e at random places, some outside the box; not neutral unless n is a multiple of 5.
inline Array<Vec4> random_charges(const Box& box, int n, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-0.3, 1.4);
  Array<Vec4> charge;
  for (int i = 0; i < n; ++i) {
    const Vec3 x = box.cartesian({uniform(random), uniform(random), uniform(random)});
    charge.push_back({x.x, x.y, x.z, double(i % 5 - 2)});
  }
  return charge;
}

/// Forces as a flat array, without the padding.
inline Numbers flat_forces(const LongRangeResult& result) {
  Numbers numbers;
  for (const Vec4& f : result.force) numbers.insert(numbers.end(), {f.x, f.y, f.z});
  return numbers;
}

inline Numbers flat_atom_virial(const LongRangeResult& result) {
  Numbers numbers;
  for (const auto& row : result.atom_virial) numbers.insert(numbers.end(), row.begin(), row.end());
  return numbers;
}

/// Runs a team solver on `size` threads; what a member throws comes out here once.
inline void solve_on(cpu::LongRangeTeam& solver, const LongRangeArgs& args, int size,
                     LongRangeResult& result) {
  std::barrier<> meeting(size);
  std::vector<std::exception_ptr> failures(size);
  std::vector<std::thread> threads;
  for (int me = 0; me < size; ++me)
    threads.emplace_back([&, me] {
      try {
        solver.solve(args, result, {me, size, &meeting});
      } catch (...) {
        failures[me] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

/// One evaluation of a fresh direct sum on a team.
inline LongRangeResult direct_on(const LongRangePlan& plan, View<const Vec4> charge, int size,
                                 bool reproducible = false,
                                 const cpu::InstructionSet& set = cpu::instruction_set("auto")) {
  LongRangeResult result;
  solve_on(*cpu::make_direct_sum(plan, size, reproducible, set), {charge, k_all_long_range}, size, result);
  return result;
}

/// One evaluation of a fresh oracle.
inline LongRangeResult oracle_on(const LongRangePlan& plan, View<const Vec4> charge) {
  const auto solver = make_oracle_sum(plan);
  solver->start({charge, k_all_long_range});
  return solver->finish();
}

/// Everything two solvers give, relative to the second.
inline void expect_equal(const LongRangeResult& a, const LongRangeResult& b, double limit) {
  EXPECT_NEAR(a.energy / b.energy, 1, limit);
  EXPECT_LT(relative_error(flat_forces(a), flat_forces(b)), limit);
  EXPECT_LT(relative_error(flat(a.virial), flat(b.virial)), limit);
  EXPECT_LT(relative_error({a.atom_energy.begin(), a.atom_energy.end()},
                           {b.atom_energy.begin(), b.atom_energy.end()}),
            limit);
  EXPECT_LT(relative_error(flat_atom_virial(a), flat_atom_virial(b)), limit);
}

inline void expect_same_bits(const LongRangeResult& a, const LongRangeResult& b) {
  EXPECT_EQ(a.energy, b.energy);
  EXPECT_EQ(a.virial, b.virial);
  EXPECT_EQ(flat_forces(a), flat_forces(b));
  EXPECT_EQ(a.atom_energy, b.atom_energy);
  EXPECT_EQ(flat_atom_virial(a), flat_atom_virial(b));
}

/// The box and the charges in it, both strained: x → (1 + strain) x.
inline Vec3 strained(Vec3 x, const std::array<double, 9>& s) {
  return x + Vec3{s[0] * x.x + s[1] * x.y + s[2] * x.z, s[3] * x.x + s[4] * x.y + s[5] * x.z,
                  s[6] * x.x + s[7] * x.y + s[8] * x.z};
}
inline Box strained(Box box, const std::array<double, 9>& s) {
  for (Vec3& side : box.cell) side = strained(side, s);
  return box;
}
inline Array<Vec4> strained(const Array<Vec4>& charge, const std::array<double, 9>& s) {
  Array<Vec4> moved;
  for (const Vec4& c : charge) {
    const Vec3 x = strained(xyz(c), s);
    moved.push_back({x.x, x.y, x.z, c.w});
  }
  return moved;
}

}  // namespace nanoday::reference
