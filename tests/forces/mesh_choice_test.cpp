// The mesh chosen for a wanted error, against what LAMMPS chose.
// SPDX-License-Identifier: Apache-2.0
#include "forces/mesh_choice.hpp"

#include "core/error.hpp"
#include "core/timer.hpp"
#include "reference/paths.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace nanoday {
namespace {

using namespace reference;

/// 188 water molecules with their centroids, density of the liquid.
MeshProblem water188(int order, Differentiation differentiation) {
  const double length = 18.66594108;
  MeshProblem problem;
  problem.box = Box::orthorhombic(length, length, length);
  problem.beta = 0.4;
  problem.coulomb = 14.39964535475697;
  problem.sum_q2 = 188 * (36 + 1 + 1 + 64);
  problem.n_charges = 752;
  problem.order = order;
  problem.differentiation = differentiation;
  return problem;
}

TEST(ChooseMesh, takes_the_stored_meshes) {
  const std::string path = spec_path("vectors/pppm_mesh.json");
  std::ifstream stream(path);
  if (!stream) GTEST_SKIP() << "no reference numbers at " << path;
  const auto file = nlohmann::json::parse(stream);
  ASSERT_FALSE(file.at("cases").empty());
  for (const auto& stored : file.at("cases")) {
    SCOPED_TRACE(stored.dump());
    const auto h = stored.at("box_hxx_hyy_hzz_xy_xz_yz").get<std::array<double, 6>>();
    MeshProblem problem;
    problem.box = Box::triclinic({Vec3{h[0], 0, 0}, Vec3{h[3], h[1], 0}, Vec3{h[4], h[5], h[2]}});
    problem.beta = stored.at("gewald");
    problem.coulomb = 14.399645;
    problem.sum_q2 = stored.at("sum_q2");
    problem.n_charges = stored.at("n_charges");
    problem.order = stored.at("order");
    problem.differentiation = stored.at("diff") == "ad" ? Differentiation::ad : Differentiation::ik;
    const MeshChoice choice = choose_mesh(problem, stored.at("accuracy"));
    EXPECT_EQ(choice.mesh, (stored.at("grid").get<std::array<int, 3>>()));
    EXPECT_LT(choice.estimate, 1.3 * choice.target);
    // Turned in space the same cell gets the same mesh.
    MeshProblem turned = problem;
    for (Vec3& side : turned.box.cell) side = {side.y, side.z, side.x};
    if (problem.differentiation == Differentiation::ik && !problem.box.is_orthorhombic()) {
      EXPECT_EQ(choose_mesh(turned, stored.at("accuracy")).mesh, choice.mesh);
    }
  }
}

TEST(ChooseMesh, stays_below_its_target_and_is_not_much_finer_than_needed) {
  for (const auto differentiation : {Differentiation::ik, Differentiation::ad})
    for (int order = 3; order <= 7; ++order)
      for (const double wanted : {1e-3, 1e-4, 1e-5}) {
        const MeshProblem problem = water188(order, differentiation);
        if (order < 5 && wanted < 1e-4) continue;  // meshes beyond 200 points
        const MeshChoice choice = choose_mesh(problem, wanted);
        EXPECT_DOUBLE_EQ(choice.target, wanted * problem.coulomb);
        EXPECT_LE(choice.estimate, choice.target) << order << ' ' << wanted;
        const int coarser = static_cast<int>(0.8 * choice.mesh[0]);
        EXPECT_GT(estimate_mesh_error(problem, {coarser, coarser, coarser}), choice.target);
      }
}

TEST(EstimateMeshError, of_a_64_cubed_ad_mesh_takes_milliseconds) {
  const double begin = seconds_now();
  EXPECT_GT(estimate_mesh_error(water188(5, Differentiation::ad), {64, 64, 64}), 0);
  EXPECT_LT(seconds_now() - begin, 0.5) << "measured: 3 ms";
}

TEST(ChooseMesh, refuses_what_has_no_mesh) {
  const auto refused = [](MeshProblem problem, double wanted) {
    EXPECT_THROW(choose_mesh(problem, wanted), InputError);
  };
  const MeshProblem good = water188(5, Differentiation::ik);
  refused(good, 0);
  refused(good, 1e-30);
  MeshProblem bad = good;
  bad.order = 8;
  refused(bad, 1e-4);
  bad = good;
  bad.beta = 0;
  refused(bad, 1e-4);
  bad = good;
  bad.n_charges = 0;
  refused(bad, 1e-4);
  bad = good;
  bad.box = Box::open();
  refused(bad, 1e-4);
  bad = water188(5, Differentiation::ad);
  refused(bad, 1e-30);
  bad.box.cell[1].x = 2;
  refused(bad, 1e-4);
}

}  // namespace
}  // namespace nanoday
