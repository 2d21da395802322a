// Tests of meshes in bricks through the solvers' interface, on threads and, built for MPI, on processes.
// SPDX-License-Identifier: Apache-2.0
#include "brick_mesh.hpp"

#include "even_bricks.hpp"
#include "rank_worlds.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace nanoday {
namespace {

using namespace testing;
using Shape = std::array<int, 3>;

class BrickMesh : public ::testing::TestWithParam<RankWorld> {};
INSTANTIATE_TEST_SUITE_P(OfRanks, BrickMesh, ::testing::ValuesIn(rank_worlds()),
                         [](const auto& world) { return world.param.name; });

enum class Method { reduction, pencils };
const Shape k_mesh{8, 10, 9}, k_margin{3, 2, 4};

std::unique_ptr<MeshRanks> make_mesh(Method method, Transport& t) {
  const Box box = Box::triclinic({Vec3{10, 0, 0}, Vec3{3, 12, 0}, Vec3{-2, 4, 9}});
  const DomainGrid domains({box, {0, 0, 0}, {1, 1, 1}}, t.node_of());
  return method == Method::reduction ? make_reduction_mesh(t, domains, k_mesh, k_margin, {1e7, 1})
                                     : make_pencil_mesh(t, domains, k_mesh, k_margin);
}

/// What a solver does: shares to owners, forward, a factor for each frequency, backward, values to margins.
/// Returns brick and margins. Shares lie in bricks only, so that they are the same on any number of ranks.
std::vector<double> round_trip(MeshRanks& ranks) {
  const MeshBrick brick = ranks.brick();
  std::vector<std::int64_t> shares;
  for_margin_points(brick, k_margin, k_mesh, [&](std::size_t, std::size_t there, bool inside) {
    shares.push_back(inside ? static_cast<std::int64_t>((there * 2654435761u) % 1000) - 500 : 0);
  });
  ranks.fold(shares);
  Mesh values;
  for_margin_points(brick, k_margin, k_mesh, [&](std::size_t here, std::size_t, bool inside) {
    if (inside) values.push_back({static_cast<double>(shares[here]) / 256, 0});
  });
  ranks.forward(values);
  for_brick_points(brick, k_mesh, [&](std::size_t there, std::size_t here) {
    values[here] *= 1 / (1 + 0.01 * static_cast<double>(there));
  });
  ranks.backward(values);
  std::vector<double> potential(shares.size());
  std::size_t next = 0;
  for_margin_points(brick, k_margin, k_mesh, [&](std::size_t here, std::size_t, bool inside) {
    if (inside) potential[here] = values[next++].real();
  });
  ranks.expand(potential);
  return potential;
}

/// The same by one rank: values of the whole mesh.
std::vector<double> on_one_rank(Method method) {
  const auto self = make_self_transport();
  const auto ranks = make_mesh(method, *self);
  const std::vector<double> with_margins = round_trip(*ranks);
  std::vector<double> whole(ranks->brick().points());
  for_margin_points(ranks->brick(), k_margin, k_mesh, [&](std::size_t here, std::size_t there, bool inside) {
    if (inside) whole[there] = with_margins[here];
  });
  return whole;
}

TEST_P(BrickMesh, gives_the_bits_of_one_rank) {
  for (const Method method : {Method::reduction, Method::pencils}) {
    const std::vector<double> one = on_one_rank(method);
    GetParam().run([&](Transport& t) {
      const auto ranks = make_mesh(method, t);
      for (int round = 0; round < 2; ++round) {
        const std::vector<double> own = round_trip(*ranks);
        for_margin_points(ranks->brick(), k_margin, k_mesh, [&](std::size_t here, std::size_t there, bool) {
          ASSERT_EQ(own[here], one[there]);
        });
      }
    });
  }
}

TEST_P(BrickMesh, sums_shares_of_all_ranks) {
  GetParam().run([](Transport& t) {
    const auto ranks = make_mesh(Method::pencils, t);
    // Every rank adds 1 to all it can reach: each point counts the arrays, and places in them, that hold it.
    std::vector<std::int64_t> shares;
    for_margin_points(ranks->brick(), k_margin, k_mesh,
                      [&](std::size_t, std::size_t, bool) { shares.push_back(1); });
    std::int64_t sent = static_cast<std::int64_t>(shares.size()), arrived = 0;
    ranks->fold(shares);
    for (const std::int64_t share : shares) arrived += share;
    ranks->sum(View<std::int64_t>(&sent, 1));
    ranks->sum(View<std::int64_t>(&arrived, 1));
    EXPECT_EQ(sent, arrived);
  });
}

TEST(BrickMeshMethods, agree_within_the_rounding_of_the_reduction) {
  const std::vector<double> reduction = on_one_rank(Method::reduction),
                            pencils = on_one_rank(Method::pencils);
  double most = 0, size = 0;
  for (std::size_t k = 0; k < pencils.size(); ++k) {
    most = std::max(most, std::fabs(reduction[k] - pencils[k]));
    size = std::max(size, std::fabs(pencils[k]));
  }
  EXPECT_LT(most, 1e-6 * size);
  EXPECT_GT(size, 10);
}

TEST_P(BrickMesh, finds_the_largest_of_all_ranks_and_says_what_it_is) {
  GetParam().run([](Transport& t) {
    const auto ranks = make_mesh(Method::reduction, t);
    EXPECT_TRUE(ranks->bricks());
    EXPECT_EQ(ranks->rank(), t.rank());
    EXPECT_EQ(ranks->size(), t.size());
    EXPECT_EQ(ranks->margin(), k_margin);
    EXPECT_EQ(ranks->largest(-1.0 - t.rank()), -1);
    EXPECT_TRUE(std::isnan(ranks->largest(t.rank() == t.size() - 1 ? std::nan("") : 1.0)));
  });
}

}  // namespace
}  // namespace nanoday
