// The mesh solver against its own approximation without a mesh, stored energies and itself.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "reference/charges.hpp"
#include "reference/instruction_sets.hpp"
#include "reference/long_range_cases.hpp"
#include "reference/mesh_sum.hpp"
#include "reference/paths.hpp"
#include "tolerance.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <limits>

namespace nanoday {
namespace {

using namespace reference;

LongRangeResult mesh_on(const LongRangePlan& plan, View<const Vec4> charge, int team = 1,
                        bool reproducible = false,
                        const cpu::InstructionSet& set = cpu::instruction_set("auto")) {
  LongRangeResult result;
  solve_on(*cpu::make_pppm(plan, team, reproducible, set), {charge, k_all_long_range}, team, result);
  return result;
}

class PppmCoarse : public testing::TestWithParam<MeshCase> {};
INSTANTIATE_TEST_SUITE_P(boxes, PppmCoarse, testing::ValuesIn(coarse_meshes()),
                         [](const auto& info) { return info.param.name; });

TEST_P(PppmCoarse, equals_the_same_approximation_summed_without_a_mesh_for_every_order) {
  const MeshCase& c = GetParam();
  const auto charge = random_charges(c.box, 9, 11);
  for (int order = 2; order <= 7; ++order) {
    SCOPED_TRACE(order);
    const auto plan = mesh_plan(c.box, c.beta, c.mesh, order, c.differentiation);
    const auto expected = MeshSum(plan).evaluate({charge.begin(), charge.end()});
    for (const cpu::InstructionSet& set : every_instruction_set()) {
      SCOPED_TRACE(set.name);
      expect_equal(mesh_on(plan, charge, 1, false, set), expected, tolerance::k_mesh_sum);
      expect_equal(mesh_on(plan, charge, 2, true, set), expected, tolerance::k_mesh_sum_fixed);
    }
  }
}

TEST_P(PppmCoarse, atom_energies_and_virials_sum_to_the_totals) {
  const MeshCase& c = GetParam();
  const auto result =
      mesh_on(mesh_plan(c.box, c.beta, c.mesh, 5, c.differentiation), random_charges(c.box, 30, 5));
  double energy = 0;
  std::array<double, 9> virial{};
  for (const double e : result.atom_energy) energy += e;
  for (const auto& w : result.atom_virial)
    for (int k = 0; k < 9; ++k) virial[k] += w[k];
  EXPECT_NEAR(energy / result.energy, 1, tolerance::k_mesh_sum);
  EXPECT_LT(relative_error(flat(virial), flat(result.virial)), tolerance::k_mesh_sum);
}

TEST_P(PppmCoarse, teams_of_any_size_give_the_same_bits) {
  const MeshCase& c = GetParam();
  const auto charge = random_charges(c.box, 75, 3);
  const auto plan = mesh_plan(c.box, c.beta, c.mesh, 5, c.differentiation);
  for (const cpu::InstructionSet& set : every_instruction_set())
    for (const bool reproducible : {false, true}) {
      SCOPED_TRACE(set.name);
      const auto one = mesh_on(plan, charge, 1, reproducible, set);
      for (const int team : {2, 3, 4, 7, 20})
        expect_same_bits(mesh_on(plan, charge, team, reproducible, set), one);
    }
}

TEST_P(PppmCoarse, in_fixed_point_the_order_of_the_charges_changes_no_bit) {
  const MeshCase& c = GetParam();
  const auto charge = random_charges(c.box, 75, 3);
  const Array<Vec4> reversed(charge.rbegin(), charge.rend());
  const auto plan = mesh_plan(c.box, c.beta, c.mesh, 6, c.differentiation);
  for (const cpu::InstructionSet& set : every_instruction_set()) {
    SCOPED_TRACE(set.name);
    auto forward = mesh_on(plan, charge, 3, true, set);
    std::reverse(forward.force.begin(), forward.force.end());
    std::reverse(forward.atom_energy.begin(), forward.atom_energy.end());
    std::reverse(forward.atom_virial.begin(), forward.atom_virial.end());
    expect_same_bits(forward, mesh_on(plan, reversed, 2, true, set));
  }
}

/// Cases of a file of stored runs (layout dplr-vectors-1) with a long-range term.
class PppmVectors : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(files, PppmVectors,
                         testing::Values("dplr_lammps", "dplr_water_lammps", "dplr_water_compressed_lammps"),
                         [](const auto& info) { return info.param; });

Array<Vec4> stored_charges(const nlohmann::json& c, const nlohmann::json& step) {
  Array<Vec4> charge;
  const auto add = [&](Vec3 x, double q) { charge.push_back({x.x, x.y, x.z, q}); };
  const auto position = rows_of(step.at("coords_unwrapped").get<Numbers>());
  const auto wannier = rows_of(step.at("wannier_coords").get<Numbers>());
  for (std::size_t i = 0; i < position.size(); ++i)
    add(position[i], c.at("charges_by_type").at(c.at("types").at(i).get<std::size_t>()));
  for (const Vec3& w : wannier) add(w, c.at("wc_charges").at(0));
  return charge;
}

LongRangePlan stored_plan(const nlohmann::json& c) {
  const auto h = c.at("box_hxx_hyy_hzz_xy_xz_yz").get<Numbers>(), lo = c.at("box_lo").get<Numbers>();
  Box box = Box::triclinic({Vec3{h[0], 0, 0}, Vec3{h[3], h[1], 0}, Vec3{h[4], h[5], h[2]}});
  box.origin = {lo[0], lo[1], lo[2]};
  const auto& k = c.at("kspace");
  auto plan = mesh_plan(box, k.at("gewald"), k.at("mesh").get<std::array<int, 3>>(), k.at("order"),
                        k.at("diff") == "ad" ? Differentiation::ad : Differentiation::ik);
  plan.coulomb = k.at("qqrd2e");
  return plan;
}

TEST_P(PppmVectors, reproduces_the_stored_energy_of_every_step) {
  const std::string path = spec_path("vectors/" + GetParam() + ".json");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no reference numbers at " << path;
  std::ifstream stream(path);
  const auto json = nlohmann::json::parse(stream);
  int steps = 0;
  for (const auto& c : json.at("cases")) {
    if (c.at("kspace").is_null()) continue;
    for (const auto& step : c.at("steps")) {
      SCOPED_TRACE(c.at("name").get<std::string>());
      const auto result = mesh_on(stored_plan(c), stored_charges(c, step));
      EXPECT_NEAR(result.energy / step.at("e_long").get<double>(), 1, tolerance::k_golden_mesh);
      ++steps;
    }
  }
  EXPECT_GT(steps, 0);
}

TEST(Pppm, computes_only_what_is_needed_and_forces_do_not_depend_on_it) {
  const auto plan = mesh_plan(skewed_box(), 0.4, {12, 12, 12}, 5);
  const auto charge = random_charges(plan.box, 20, 7);
  const auto all = mesh_on(plan, charge);
  LongRangeResult result;
  const auto solver = cpu::make_pppm(plan, 2, false);
  solve_on(*solver, {charge, {}}, 2, result);
  EXPECT_EQ(flat_forces(result), flat_forces(all));
  EXPECT_TRUE(result.atom_energy.empty());
  EXPECT_TRUE(result.atom_virial.empty());
  solve_on(*solver, {charge, {.energy = true, .virial = true}}, 2, result);
  EXPECT_EQ(result.energy, all.energy);
  EXPECT_EQ(result.virial, all.virial);
}

TEST(Pppm, one_solver_serves_growing_and_shrinking_numbers_of_charges) {
  const auto plan = mesh_plan(shifted_box(), 0.4, {9, 9, 9}, 4);
  const auto solver = cpu::make_pppm(plan, 2, true);
  for (const int n : {5, 200, 0, 40}) {
    const auto charge = random_charges(plan.box, n, 9);
    LongRangeResult result;
    solve_on(*solver, {charge, k_all_long_range}, 2, result);
    EXPECT_EQ(result.force.size(), charge.size());
    expect_same_bits(result, mesh_on(plan, charge, 1, true));
    EXPECT_EQ(result.energy > 0, n > 0);
  }
}

TEST(Pppm, refuses_plans_that_no_mesh_can_serve) {
  const auto good = mesh_plan(shifted_box(), 0.4, {9, 9, 9}, 5);
  const auto refused = [&](auto change) {
    LongRangePlan plan = good;
    change(plan);
    EXPECT_THROW(cpu::make_pppm(plan, 1, false), InputError);
  };
  EXPECT_NO_THROW(cpu::make_pppm(good, 1, false));
  refused([](auto& p) { p.beta = 0; });
  refused([](auto& p) { p.beta = std::numeric_limits<double>::quiet_NaN(); });
  refused([](auto& p) { p.order = 1; });
  refused([](auto& p) { p.order = 8; });
  refused([](auto& p) { p.mesh = {9, 4, 9}; });
  refused([](auto& p) { p.mesh = {9, 0, 9}; });
  refused([](auto& p) { p.mesh = {9, -9, 9}; });
  refused([](auto& p) { p.mesh = {20000, 20000, 20000}; });
  refused([](auto& p) { p.mesh = {2147483647, 2147483647, 2147483647}; });
  refused([](auto& p) { p.box.periodic[1] = false; });
  refused([](auto& p) { p.box = Box::open(); });
  refused([](auto& p) { p.box.cell[2] = p.box.cell[0]; });
  refused([](auto& p) { p.box = skewed_box(), p.differentiation = Differentiation::ad; });
  EXPECT_THROW(cpu::instruction_set("sse9"), InputError);
}

TEST(Pppm, every_member_reports_charges_that_have_no_place_on_the_mesh) {
  const auto plan = mesh_plan(shifted_box(), 0.4, {9, 9, 9}, 5);
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (const Vec4 bad : {Vec4{nan, 0, 0, 1}, Vec4{0, inf, 0, 1}, Vec4{0, 0, 1e300, 1}, Vec4{0, 0, 0, nan}}) {
    auto charge = random_charges(plan.box, 20, 1);
    charge[7] = bad;
    for (const int team : {1, 3}) EXPECT_THROW(mesh_on(plan, charge, team), RunError);
  }
}

TEST(Pppm, fixed_point_reports_charges_it_cannot_hold) {
  const auto plan = mesh_plan(shifted_box(), 0.4, {9, 9, 9}, 5);
  auto charge = random_charges(plan.box, 20, 1);
  charge[3].w = 1000;
  for (const int team : {1, 3}) EXPECT_THROW(mesh_on(plan, charge, team, true), RunError);
  EXPECT_NO_THROW(mesh_on(plan, charge, 3, false));
}

}  // namespace
}  // namespace nanoday
