// What the mesh solver must obey whatever its mesh: the direct sum as limit, derivatives, symmetries.
// SPDX-License-Identifier: Apache-2.0
#include "reference/charges.hpp"
#include "reference/instruction_sets.hpp"
#include "tolerance.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

namespace nanoday {
namespace {

using namespace reference;

/// Energy, forces and virial from their definition (spec dplr.md 1.2, 1.3), all k with e^{−k²/4β²} ≥ 1e-18.
LongRangeResult definition(const LongRangePlan& plan, const Array<Vec4>& charge) {
  LongRangeResult result;
  result.force.assign(charge.size(), {});
  const auto& [a, b, c] = plan.box.cell;
  const double det = dot(a, cross(b, c)), volume = std::fabs(det);
  const Vec3 ra = (1 / det) * cross(b, c), rb = (1 / det) * cross(c, a), rc = (1 / det) * cross(a, b);
  const double m_max = plan.beta / M_PI * std::sqrt(18 * std::log(10.0));
  const int na = int(m_max * norm(a)), nb = int(m_max * norm(b)), nc = int(m_max * norm(c));
  for (int i = -na; i <= na; ++i)
    for (int j = -nb; j <= nb; ++j)
      for (int k = -nc; k <= nc; ++k) {
        const Vec3 m = double(i) * ra + double(j) * rb + double(k) * rc;
        const double m2 = dot(m, m), inverse = M_PI * M_PI / (plan.beta * plan.beta);
        if (m2 == 0 || m2 > m_max * m_max) continue;
        const double w = std::exp(-inverse * m2) / m2;
        double cosines = 0, sines = 0;
        for (const Vec4& q : charge) {
          cosines += q.w * std::cos(2 * M_PI * dot(m, xyz(q)));
          sines += q.w * std::sin(2 * M_PI * dot(m, xyz(q)));
        }
        const double share = plan.coulomb / (2 * M_PI * volume) * w * (cosines * cosines + sines * sines);
        result.energy += share;
        const double mv[3] = {m.x, m.y, m.z};
        for (int r = 0; r < 3; ++r)
          for (int s = 0; s < 3; ++s)
            result.virial[3 * r + s] += share * ((r == s) - 2 * mv[r] * mv[s] * (1 / m2 + inverse));
        for (std::size_t n = 0; n < charge.size(); ++n) {
          const double phase = 2 * M_PI * dot(m, xyz(charge[n]));
          const double f = 2 * plan.coulomb / volume * charge[n].w * w *
                           (cosines * std::sin(phase) - sines * std::cos(phase));
          result.force[n] = padded(xyz(result.force[n]) + f * m);
        }
      }
  return result;
}

LongRangeResult mesh_on(const LongRangePlan& plan, View<const Vec4> charge,
                        const cpu::InstructionSet& set = cpu::instruction_set("auto")) {
  LongRangeResult result;
  solve_on(*cpu::make_pppm(plan, 1, false, set), {charge, k_all_long_range}, 1, result);
  return result;
}

/// A box of about 7 Å whose mesh of about 0.17 Å leaves errors near 1e-10.
struct Fine {
  std::string name;
  Box box;
  std::array<int, 3> mesh;
  Differentiation differentiation;
};
void PrintTo(const Fine& f, std::ostream* out) { *out << f.name; }

std::vector<Fine> fine() {
  using enum Differentiation;
  Box shifted = Box::orthorhombic(7, 6.5, 8);
  shifted.origin = {-3, 20, 0.7};
  const Box skewed = Box::triclinic({Vec3{7, 0, 0}, Vec3{2.9, 6.5, 0}, Vec3{-2.2, 3.1, 6}});
  const Box turned = Box::triclinic({Vec3{1, 7, 0.5}, Vec3{6.2, -1, 2}, Vec3{0.3, -1.5, 7}});
  return {{"orthorhombic_ik", shifted, {48, 45, 54}, ik},
          {"orthorhombic_ad", shifted, {48, 45, 54}, ad},
          {"skewed_odd_mesh", skewed, {49, 51, 47}, ik},
          {"turned_left_handed", turned, {50, 49, 51}, ik}};
}

LongRangePlan plan_of(const Fine& f) {
  LongRangePlan plan;
  plan.box = f.box;
  plan.mesh = f.mesh;
  plan.order = 7;
  plan.beta = 0.3;
  plan.coulomb = k_training_coulomb;
  plan.influence_4pi = 4 * M_PI;
  plan.differentiation = f.differentiation;
  return plan;
}

class PppmFine : public testing::TestWithParam<Fine> {};
INSTANTIATE_TEST_SUITE_P(boxes, PppmFine, testing::ValuesIn(fine()),
                         [](const auto& info) { return info.param.name; });

TEST_P(PppmFine, converges_to_the_definition) {
  const auto plan = plan_of(GetParam());
  const auto charge = random_charges(plan.box, 12, 21);
  const auto exact = definition(plan, charge);
  for (const cpu::InstructionSet& set : every_instruction_set()) {
    SCOPED_TRACE(set.name);
    const auto mesh = mesh_on(plan, charge, set);
    const double energy = std::fabs(mesh.energy / exact.energy - 1);
    const double force = relative_error(flat_forces(mesh), flat_forces(exact));
    const double virial = relative_error(flat(mesh.virial), flat(exact.virial));
    EXPECT_LT(energy, tolerance::k_mesh_converged);
    EXPECT_LT(force, tolerance::k_mesh_converged);
    EXPECT_LT(virial, tolerance::k_mesh_converged);
    RecordProperty(set.name, fmt::format("energy {:.1e} force {:.1e} virial {:.1e}", energy, force, virial));
  }
}

TEST_P(PppmFine, forces_are_the_slope_of_the_exact_energy) {
  const auto plan = plan_of(GetParam());
  auto charge = random_charges(plan.box, 6, 22);
  const auto result = mesh_on(plan, charge);
  const double step = 1e-4;
  Numbers slope;
  for (Vec4& q : charge)
    for (double Vec4::*axis : {&Vec4::x, &Vec4::y, &Vec4::z}) {
      const double middle = q.*axis;
      q.*axis = middle + step;
      const double above = definition(plan, charge).energy;
      q.*axis = middle - step;
      const double below = definition(plan, charge).energy;
      q.*axis = middle;
      slope.push_back((below - above) / (2 * step));
    }
  EXPECT_LT(relative_error(flat_forces(result), slope), tolerance::k_finite_difference);
}

TEST_P(PppmFine, the_virial_is_the_slope_of_the_exact_energy_under_strain) {
  const auto plan = plan_of(GetParam());
  const auto charge = random_charges(plan.box, 6, 23);
  const auto result = mesh_on(plan, charge);
  const double step = 1e-4;
  std::array<double, 9> slope{};
  for (int k = 0; k < 9; ++k) {
    std::array<double, 9> strain{};
    double energy[2];
    for (const int side : {0, 1}) {
      strain[k] = side ? step : -step;
      LongRangePlan moved = plan;
      moved.box = strained(plan.box, strain);
      energy[side] = definition(moved, strained(charge, strain)).energy;
    }
    slope[k] = (energy[0] - energy[1]) / (2 * step);
  }
  EXPECT_LT(relative_error(flat(result.virial), flat(slope)), tolerance::k_finite_difference);
}

TEST_P(PppmFine, a_shift_of_all_charges_changes_nothing_beyond_the_mesh_error) {
  const auto plan = plan_of(GetParam());
  auto charge = random_charges(plan.box, 12, 24);
  const auto before = mesh_on(plan, charge);
  for (Vec4& q : charge) q = {q.x + 0.07, q.y - 11.3, q.z + 0.031, q.w};
  const auto after = mesh_on(plan, charge);
  EXPECT_NEAR(after.energy / before.energy, 1, tolerance::k_mesh_converged);
  EXPECT_LT(relative_error(flat_forces(after), flat_forces(before)), tolerance::k_mesh_converged);
}

TEST_P(PppmFine, a_lattice_shift_of_one_charge_changes_nothing) {
  const auto plan = plan_of(GetParam());
  auto charge = random_charges(plan.box, 12, 25);
  const auto before = mesh_on(plan, charge);
  const Vec3 moved = xyz(charge[4]) + plan.box.translation(-3, 2, 5);
  charge[4] = {moved.x, moved.y, moved.z, charge[4].w};
  const auto after = mesh_on(plan, charge);
  EXPECT_NEAR(after.energy / before.energy, 1, tolerance::k_symmetry);
  EXPECT_LT(relative_error(flat_forces(after), flat_forces(before)), tolerance::k_symmetry);
}

TEST_P(PppmFine, the_total_force_vanishes) {
  const auto plan = plan_of(GetParam());
  const auto result = mesh_on(plan, random_charges(plan.box, 25, 26));
  Vec3 total;
  for (const Vec4& f : result.force) total = total + xyz(f);
  const double limit =
      plan.differentiation == Differentiation::ik ? tolerance::k_symmetry : tolerance::k_mesh_converged;
  EXPECT_LT(norm(total) / largest(flat_forces(result)), limit);
}

TEST(Pppm, gives_the_madelung_constant_of_rock_salt) {
  // Gaussians narrow beside their distance d = 1 interact as point charges: E = Σ_i q_i²·C·β/√π − 8·1.74756
  // C/2d.
  LongRangePlan plan;
  plan.box = Box::orthorhombic(2, 2, 2);
  plan.mesh = {64, 64, 64};
  plan.order = 7;
  plan.beta = 4.5;
  plan.coulomb = 1;
  plan.influence_4pi = 4 * M_PI;
  Array<Vec4> charge;
  for (int i = 0; i < 8; ++i)
    charge.push_back({0.13 + (i & 1), 0.27 + (i >> 1 & 1), 0.41 + (i >> 2 & 1),
                      ((i & 1) + (i >> 1 & 1) + (i >> 2 & 1)) % 2 ? -1.0 : 1.0});
  const double self = 8 * plan.beta / std::sqrt(M_PI);
  EXPECT_NEAR((self - mesh_on(plan, charge).energy) / 4, 1.74756459463318, 1e-6);
}

}  // namespace
}  // namespace nanoday
