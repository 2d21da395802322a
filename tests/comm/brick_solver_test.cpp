// Tests of the mesh solver on bricks with both transforms: the bits of one rank on any number of ranks.
// SPDX-License-Identifier: Apache-2.0
#include "backend/backend.hpp"
#include "brick_mesh.hpp"
#include "in_process.hpp"
#include "machines.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <random>

namespace nanoday {
namespace {

constexpr double k_reach = 1.0;  // how far charges lie beyond their ranks' regions [Å]

LongRangePlan plan_of(const Box& box, int order, Differentiation differentiation) {
  LongRangePlan plan;
  plan.box = box;
  plan.beta = 0.4;
  plan.coulomb = 14.399645;
  plan.influence_4pi = 12.5663706;
  plan.order = order;
  plan.differentiation = differentiation;
  plan.mesh = {18, 15, 20};
  return plan;
}

Array<Vec4> random_charges(const Box& box) {
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> fraction(0, 1), charge(-1, 1);
  Array<Vec4> charges;
  for (int k = 0; k < 120; ++k) {
    const Vec3 x = box.cartesian({fraction(random), fraction(random), fraction(random)});
    charges.push_back({x.x, x.y, x.z, charge(random)});
  }
  return charges;
}

using MakeMesh =
    std::function<std::unique_ptr<MeshRanks>(Transport&, const DomainGrid&, const LongRangePlan&)>;

struct Result {
  double energy = 0;
  std::array<double, 9> virial{};
  std::vector<std::array<double, 3>> force;
  bool operator==(const Result&) const = default;
};

Result solve(const LongRangePlan& plan, const Array<Vec4>& charges, int n_ranks, const MakeMesh& make) {
  Result result;
  result.force.resize(charges.size());
  run_ranks(n_ranks, [&](Transport& t) {
    const DomainGrid domains({plan.box, {0, 0, 0}, {1, 1, 1}}, t.node_of());
    std::vector<std::size_t> mine;
    Array<Vec4> own;
    for (std::size_t i = 0; i < charges.size(); ++i) {
      // Owners are those of places a little aside: charges lie beyond the faces of regions.
      const Vec3 aside = xyz(charges[i]) + Vec3{0.5 * k_reach, -0.5 * k_reach, 0.3 * k_reach};
      Vec3 place = aside;
      wrap(plan.box, place);
      if (domains.owner(place) != t.rank()) continue;
      mine.push_back(i);
      own.push_back(charges[i]);
    }
    const auto backend = make_backend({.device = "cpu", .threads = 1, .reproducible = true});
    const auto ranks = make(t, domains, plan);
    const auto solver = backend->make_long_range(plan, ranks.get());
    solver->start({own, {.energy = true, .virial = true}});
    const LongRangeResult got = solver->finish();
    for (std::size_t k = 0; k < mine.size(); ++k)
      result.force[mine[k]] = {got.force[k].x, got.force[k].y, got.force[k].z};
    if (t.rank() == 0) {
      result.energy = got.energy;
      result.virial = got.virial;
    }
  });
  return result;
}

std::unique_ptr<MeshRanks> by_pencils(Transport& t, const DomainGrid& domains, const LongRangePlan& plan) {
  return make_pencil_mesh(t, domains, plan.mesh, mesh_margin(plan.box, plan.mesh, plan.order, k_reach));
}
std::unique_ptr<MeshRanks> by_reduction(Transport& t, const DomainGrid& domains, const LongRangePlan& plan) {
  return make_reduction_mesh(t, domains, plan.mesh, mesh_margin(plan.box, plan.mesh, plan.order, k_reach),
                             {1e7, 1});
}

double largest_force_difference(const Result& a, const Result& b) {
  double most = 0;
  for (std::size_t i = 0; i < a.force.size(); ++i)
    for (int d = 0; d < 3; ++d) most = std::max(most, std::fabs(a.force[i][d] - b.force[i][d]));
  return most;
}

TEST(BrickSolver, has_the_bits_of_one_rank_on_any_number_of_ranks) {
  const Box straight = Box::orthorhombic(9, 8, 10);
  const Box skewed = Box::triclinic({Vec3{9, 0, 0}, Vec3{2, 8, 0}, Vec3{-1, 3, 10}});
  for (const LongRangePlan& plan :
       {plan_of(straight, 5, Differentiation::ik), plan_of(straight, 4, Differentiation::ad),
        plan_of(skewed, 3, Differentiation::ik)}) {
    const Array<Vec4> charges = random_charges(plan.box);
    for (const MakeMesh& make : {MakeMesh(by_reduction), MakeMesh(by_pencils)}) {
      const Result one = solve(plan, charges, 1, make);
      for (const int n_ranks : {2, 3, 4, 7, 8}) EXPECT_EQ(solve(plan, charges, n_ranks, make), one);
    }
  }
}

TEST(BrickSolver, agrees_with_the_mesh_of_one_rank) {
  const LongRangePlan plan = plan_of(Box::orthorhombic(9, 8, 10), 5, Differentiation::ik);
  const Array<Vec4> charges = random_charges(plan.box);
  const Result whole = solve(plan, charges, 1, [](Transport&, const DomainGrid&, const LongRangePlan&) {
    return std::unique_ptr<MeshRanks>();
  });
  const Result pencils = solve(plan, charges, 4, by_pencils),
               reduction = solve(plan, charges, 4, by_reduction);
  EXPECT_LT(largest_force_difference(pencils, whole), 1e-12);   // rounding of double precision
  EXPECT_LT(largest_force_difference(reduction, whole), 1e-5);  // rounding of integers: 1.1e-6 measured
  EXPECT_NEAR(pencils.energy, whole.energy, 1e-11 * std::fabs(whole.energy));
  EXPECT_NEAR(reduction.energy, whole.energy, 1e-6 * std::fabs(whole.energy));
  EXPECT_GT(largest_force_difference(whole, {0, {}, std::vector<std::array<double, 3>>(charges.size())}),
            0.1);
}

}  // namespace
}  // namespace nanoday
