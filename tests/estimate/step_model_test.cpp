// The parts of `nanoday estimate`: geometry against counting, memory, and what must hold whatever the
// machine. SPDX-License-Identifier: Apache-2.0
#include "estimate/step_model.hpp"

#include "core/error.hpp"
#include "estimate/mesh_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace nanoday {
namespace {

RepeatedCell random_cell(const Box& box, int atoms, std::array<std::int64_t, 3> copies, unsigned seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(0, 1);
  RepeatedCell cell{box, {}, copies};
  for (int i = 0; i < atoms; ++i)
    cell.fraction.push_back({uniform(random), uniform(random), uniform(random)});
  return cell;
}

Workload copper(double atoms) {
  Workload work;
  work.cell.box = Box::orthorhombic(3.634, 3.634, 3.634);
  work.cell.fraction = {{0.25, 0.25, 0.25}, {0.25, 0.75, 0.75}, {0.75, 0.25, 0.75}, {0.75, 0.75, 0.25}};
  const auto side = static_cast<std::int64_t>(std::llround(std::cbrt(atoms / 4)));
  work.cell.copies = {side, side, side};
  work.atoms = 4 * side * side * side;
  work.cutoff = 8;
  work.neighbors = 181;
  work.multiply_adds = 0.43e6;  // performance.md: low rank, folded and pruned
  return work;
}

/// Ghosts of every rank of a grid, counted: images of all atoms within `reach` of its domain, without its
/// own.
double mean_ghosts(const RepeatedCell& cell, const std::array<int, 3>& grid, double reach) {
  const Vec3 heights = cell.whole().heights();
  const std::array<double, 3> height{heights.x, heights.y, heights.z};
  double sum = 0;
  const double domains = double(grid[0]) * grid[1] * grid[2];
  for (int a = 0; a < grid[0]; ++a)
    for (int b = 0; b < grid[1]; ++b)
      for (int c = 0; c < grid[2]; ++c) {
        const std::array<int, 3> place{a, b, c};
        for (const Vec3& f : cell.fraction) {
          const std::array<double, 3> fraction{f.x, f.y, f.z};
          double within = 1, own = 1;
          for (int d = 0; d < 3; ++d) {
            const double low = double(place[d]) / grid[d], high = double(place[d] + 1) / grid[d];
            const double margin = reach / height[d];
            int count = 0;
            for (int image = -3; image <= 3; ++image) {
              const double x = fraction[d] + image;
              count += x >= low - margin && x < high + margin;
            }
            within *= count;
            own *= fraction[d] >= low && fraction[d] < high;
          }
          sum += within - own;
        }
      }
  return sum / domains;
}

TEST(Divide, ghosts_are_those_that_counting_finds) {
  const Box boxes[] = {Box::orthorhombic(40, 30, 20),
                       Box::triclinic({Vec3{30, 0, 0}, {8, 28, 0}, {-5, 6, 25}})};
  for (Box box : boxes) {
    box.periodic = {true, true, true};
    const RepeatedCell cell = random_cell(box, 20000, {1, 1, 1}, 1);
    for (const int ranks : {1, 2, 4, 12}) {
      const Division rank = divide(box, 20000, ranks, 1, 6).rank;
      EXPECT_NEAR(rank.ghosts / mean_ghosts(cell, rank.grid, 6), 1, 0.02) << ranks;  // 1/√20000, a few times
      EXPECT_DOUBLE_EQ(rank.atoms, 20000.0 / ranks);
    }
  }
}

TEST(Divide, knows_neighbors_layers_and_what_is_sent) {
  const Box box = Box::orthorhombic(90, 90, 90);
  const Divisions one = divide(box, 72900, 1, 1, 8);
  EXPECT_EQ(one.rank.neighbors, 0);
  EXPECT_EQ(one.rank.sent, 0) << "images of its own atoms travel nowhere";
  EXPECT_GT(one.rank.ghosts, 0);
  const Divisions eight = divide(box, 72900, 8, 1, 8);
  EXPECT_EQ(eight.node.grid, (std::array<int, 3>{2, 2, 2}));
  EXPECT_EQ(eight.node.neighbors, 7);
  EXPECT_DOUBLE_EQ(eight.node.sent, eight.node.ghosts);
  const Divisions many = divide(box, 72900, 27, 8, 8);
  EXPECT_EQ(many.node.neighbors, 26);
  EXPECT_EQ(many.rank.grid, (std::array<int, 3>{6, 6, 6}));
  EXPECT_EQ(many.rank.layers, 1);
  EXPECT_EQ(divide(box, 72900, 27, 64, 8).rank.layers, 2) << "domains of 7.5 Å";
}

TEST(FullestShare, is_that_of_counting_atoms_in_every_domain) {
  const RepeatedCell cell = random_cell(Box::orthorhombic(11, 13, 17), 150, {5, 4, 3}, 2);
  for (const int ranks : {2, 7, 12, 60, 96}) {
    const Division rank = divide(cell.whole(), 150.0 * 60, ranks, 1, 8).rank;
    std::vector<int> counts(static_cast<std::size_t>(ranks), 0);
    for (const Vec3& f : cell.fraction)
      for (int a = 0; a < 5; ++a)
        for (int b = 0; b < 4; ++b)
          for (int c = 0; c < 3; ++c) {
            const int i = static_cast<int>((f.x + a) / 5 * rank.grid[0]);
            const int j = static_cast<int>((f.y + b) / 4 * rank.grid[1]);
            const int k = static_cast<int>((f.z + c) / 3 * rank.grid[2]);
            ++counts[static_cast<std::size_t>((i * rank.grid[1] + j) * rank.grid[2] + k)];
          }
    EXPECT_NEAR(fullest_share(cell, rank), *std::max_element(counts.begin(), counts.end()) / rank.atoms,
                1e-12);
  }
}

TEST(FullestShare, is_one_where_cells_fit_into_domains) {
  Workload work = copper(4 * 27 * 64);
  work.cell.copies = {12, 12, 12};
  EXPECT_EQ(fullest_share(work.cell, divide(work.cell.whole(), 4 * 1728, 27, 1, 10).rank), 1);
  EXPECT_GT(fullest_share(work.cell, divide(work.cell.whole(), 4 * 1728, 125, 1, 10).rank), 1.1);
}

TEST(PaperMultiplyAdds, are_those_counted_in_the_design) {
  EXPECT_NEAR(paper_multiply_adds(90, 128, 16, {240, 240, 240}), 1.53e6, 0.01e6);
  EXPECT_NEAR(paper_multiply_adds(181, 128, 16, {240, 240, 240}), 1.84e6, 0.01e6);
}

TEST(ReductionRounds, are_those_counted_in_the_design) {
  EXPECT_NEAR(reduction_rounds(32, 8), 14, 0.5);
  EXPECT_NEAR(reduction_rounds(80, 20), 36, 0.5);
}

TEST(EstimateStep, more_nodes_are_faster_and_the_same_atoms_per_node_take_the_same_time) {
  for (const std::string& name : machine_names()) {
    const MachineModel m = find_machine(name);
    const int ranks = m.devices_per_node * m.ranks_per_device;
    double before = 0;
    for (const int nodes : {1, 8, 64, 512}) {
      const double now = estimate_step(copper(4e8), m, {nodes, ranks, true}, Algorithm::nanoday).step.total();
      if (nodes > 1) {
        EXPECT_LT(now, before) << name << " " << nodes;
        EXPECT_GT(now, before / 8.5) << name << " " << nodes;
      }
      before = now;
      // Work moves only where it helps.
      EXPECT_LE(now, estimate_step(copper(4e8), m, {nodes, ranks, false}, Algorithm::nanoday).step.total());
    }
    const double few = estimate_step(copper(8e7), m, {8, ranks, true}, Algorithm::nanoday).step.total();
    const double many = estimate_step(copper(8e9), m, {800, ranks, true}, Algorithm::nanoday).step.total();
    EXPECT_NEAR(many / few, 1, 0.1) << name;
  }
}

TEST(EstimateStep, counts_beyond_32_bits) {
  const Workload work = copper(1e12);
  EXPECT_NEAR(static_cast<double>(work.atoms), 1e12, 1e9);
  const Estimate e = estimate_step(work, find_machine("h200"), {20000, 8, true}, Algorithm::nanoday);
  EXPECT_NEAR(e.divisions.rank.atoms, 1e12 / 160000, 1e4);
  EXPECT_GT(e.memory.total(), 1e9);
  EXPECT_TRUE(std::isfinite(e.step.total()));
}

TEST(FewestNodes, is_where_memory_just_suffices) {
  for (const std::string& name : machine_names()) {
    const MachineModel m = find_machine(name);
    const int ranks = m.devices_per_node * m.ranks_per_device;
    const Workload work = copper(1e10);
    const int nodes = fewest_nodes(work, m, ranks);
    ASSERT_GT(nodes, 1);
    const auto fits = [&](int n) {
      const Estimate e = estimate_step(work, m, {n, ranks, true}, Algorithm::nanoday);
      return e.memory.total() < e.memory_limit;
    };
    EXPECT_TRUE(fits(nodes)) << name;
    EXPECT_FALSE(fits(nodes - 1)) << name;
  }
  EXPECT_EQ(fewest_nodes(copper(1e15), find_machine("summit"), 6), 0);
}

TEST(EstimateStep, a_mesh_hides_behind_the_nets_and_its_transform_is_the_cheapest) {
  Workload work = copper(1e6);
  work.mesh = {4.0 / 3, {256, 256, 256}, 5, 4};
  work.wannier_share = 0.2;
  const MachineModel m = find_machine("h200");
  const Estimate one = estimate_step(work, m, {1, 1, true}, Algorithm::nanoday);
  EXPECT_EQ(one.mesh_method, "local");
  EXPECT_GT(one.mesh_hidden, 0);
  EXPECT_LE(one.mesh_hidden, 0.8 * one.step.nets * (1 + 1e-12));
  const Estimate many = estimate_step(work, m, {64, 8, true}, Algorithm::nanoday);
  EXPECT_EQ(many.mesh_method, "pencil") << "134 MB of mesh on every rank cost more";
  work.mesh.points = {32, 32, 32};
  EXPECT_EQ(estimate_step(work, m, {64, 8, true}, Algorithm::nanoday).mesh_method, "replicated");
  EXPECT_LT(many.memory.mesh, one.memory.mesh);
}

TEST(EstimateStep, measured_times_replace_the_machine_s) {
  MachineModel m = find_machine("h200");
  m.measured = {2e-6, 1e-6, 1e-8, 0};
  const Workload work = copper(4000);
  const Estimate e = estimate_step(work, m, {1, 8, true}, Algorithm::nanoday);
  EXPECT_DOUBLE_EQ(e.step.nets, 2e-6 * e.divisions.rank.atoms);
  EXPECT_DOUBLE_EQ(e.step.neighbor, 1e-6 * e.divisions.rank.atoms / 50);
  // Half a device per rank takes twice as long.
  EXPECT_DOUBLE_EQ(estimate_step(work, m, {1, 16, true}, Algorithm::nanoday).step.nets, e.step.nets);
}

TEST(FindMachine, refuses_what_it_does_not_know) { EXPECT_THROW(find_machine("frontier"), InputError); }

}  // namespace
}  // namespace nanoday
