// The model of `nanoday estimate` against every scaling figure the two papers' texts state: each with where
// it stands. SPDX-License-Identifier: Apache-2.0
#include "estimate/step_model.hpp"

#include "io/structure_file.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <utility>

namespace nanoday {
namespace {

// "10 billion": Guo et al., PPoPP '22, doi 10.1145/3503221.3508425; "51 ns/day": Li et al., SC '25 (DPLR).
constexpr double k_bound = 0.25;  // relative

void expect_figure(double model, double stated, const char* where) {
  const double off = model / stated - 1;
  std::printf("  %-84s stated %10.4g  model %10.4g  %+6.1f %%\n", where, stated, model, 100 * off);
  EXPECT_LE(std::abs(off), k_bound) << where;
}

/// The papers' nets, section 4: embedding 32 x 64 x 128, fitting 240 x 240 x 240; axis 16 of the models.
double papers_nets(double neighbors) { return paper_multiply_adds(neighbors, 128, 16, {240, 240, 240}); }

RepeatedCell repeated(const Structure& structure, std::int64_t a, std::int64_t b, std::int64_t c) {
  RepeatedCell cell;
  cell.box = structure.box;
  cell.copies = {a, b, c};
  for (const Vec3& x : structure.position) {
    const Vec3 f = structure.box.fractional(x);
    cell.fraction.push_back({f.x - std::floor(f.x), f.y - std::floor(f.y), f.z - std::floor(f.z)});
  }
  return cell;
}

Workload workload(RepeatedCell cell, double cutoff, int types, double neighbors) {
  Workload work;
  work.cell = std::move(cell);
  work.atoms = static_cast<std::int64_t>(work.cell.fraction.size()) * work.cell.copies[0] *
               work.cell.copies[1] * work.cell.copies[2];
  work.cutoff = cutoff;
  work.centre_types = types;
  work.neighbors = neighbors;
  work.multiply_adds = papers_nets(neighbors);
  return work;
}

/// "10 billion" section 4: replicas of an equilibrated cell of 192 atoms, cutoff 6 Å; 90 real neighbors at
/// this density.
Workload water(std::int64_t a, std::int64_t b, std::int64_t c) {
  const Structure cell = read_structures(NANODAY_SOURCE_DIR "/examples/structures/water192.data").front();
  return workload(repeated(cell, a, b, c), 6, 2, 90);
}

/// Same: perfect fcc lattice of 3.634 Å, cutoff 8 Å; 181 real neighbors.
Workload copper(std::int64_t a, std::int64_t b, std::int64_t c) {
  RepeatedCell cell;
  cell.box = Box::orthorhombic(3.634, 3.634, 3.634);
  // A quarter off, so that no plane of atoms lies on a face of the cell.
  cell.fraction = {{0.25, 0.25, 0.25}, {0.25, 0.75, 0.75}, {0.75, 0.25, 0.75}, {0.75, 0.75, 0.25}};
  cell.copies = {a, b, c};
  return workload(cell, 8, 1, 181);
}

Estimate paper_run(const Workload& work, const char* machine, int nodes) {
  const MachineModel m = find_machine(machine);
  return estimate_step(work, m, {nodes, m.devices_per_node * m.paper_ranks_per_device, false},
                       Algorithm::paper);
}

/// One device, without the fixed time per step: with it copper on an A64FX (2,592 atoms) would be missed, by
/// 34 %.
double time_per_atom(const Workload& work, const char* machine) {
  const MachineModel m = find_machine(machine);
  return work.multiply_adds / (0.5 * m.peak_double * m.efficiency);
}

double efficiency(const Workload& work, const char* machine, int nodes) {
  constexpr int k_first = 20;  // "ranging from 20 to 4,560 computing nodes"
  return paper_run(work, machine, k_first).step.total() * k_first /
         (paper_run(work, machine, nodes).step.total() * nodes);
}

/// At the time step both systems' figures agree with (see stated_speeds_of_copper below).
double speed(const Workload& work, const char* machine) {
  return ns_per_day(paper_run(work, machine, 4560).step.total(), 0.0005);
}

TEST(PaperFigures, time_per_atom_of_one_device) {
  const Workload w = water(1, 1, 1), c = copper(1, 1, 1);
  expect_figure(1e6 * time_per_atom(w, "summit"), 2.58,
                "10 billion, table 2: V100, water, us/step/atom (fitted)");
  expect_figure(1e6 * time_per_atom(c, "summit"), 2.87,
                "10 billion, table 2: V100, copper, us/step/atom (fitted)");
  expect_figure(1e6 * time_per_atom(w, "fugaku"), 4.47,
                "10 billion, table 2: A64FX, water, us/step/atom (fitted)");
  expect_figure(1e6 * time_per_atom(c, "fugaku"), 5.78,
                "10 billion, table 2: A64FX, copper, us/step/atom (fitted)");
}

TEST(PaperFigures, strong_scaling) {
  // Section 6.4.1. How the replicas lie side by side is not stated; their numbers are.
  const Workload summit_water = water(60, 60, 60), fugaku_water = water(30, 36, 40);
  const Workload summit_copper = copper(150, 150, 150), fugaku_copper = copper(81, 84, 80);
  ASSERT_EQ(summit_water.atoms, 41472000);
  ASSERT_EQ(fugaku_water.atoms, 8294400);
  ASSERT_EQ(summit_copper.atoms, 13500000);
  ASSERT_EQ(fugaku_copper.atoms, 2177280);
  expect_figure(efficiency(summit_water, "summit", 4560), 0.4699,
                "10 billion, 6.4.1: Summit, water, 4,560 nodes, efficiency (fitted)");
  expect_figure(efficiency(fugaku_water, "fugaku", 4560), 0.4120,
                "10 billion, 6.4.1: Fugaku, water, 4,560 nodes, efficiency (fitted)");
  expect_figure(efficiency(summit_copper, "summit", 4560), 0.3596,
                "10 billion, 6.4.1: Summit, copper, 4,560 nodes, efficiency");
  expect_figure(efficiency(fugaku_copper, "fugaku", 4560), 0.3276,
                "10 billion, 6.4.1: Fugaku, copper, 4,560 nodes, efficiency");
  expect_figure(speed(summit_water, "summit"), 6.0, "10 billion, 6.4.1: Summit, water, 4,560 nodes, ns/day");
  expect_figure(speed(fugaku_water, "fugaku"), 2.1, "10 billion, 6.4.1: Fugaku, water, 4,560 nodes, ns/day");
  expect_figure(speed(summit_copper, "summit"), 11.2,
                "10 billion, 6.4.1: Summit, copper, 4,560 nodes, ns/day, read at 0.5 fs");
  expect_figure(speed(fugaku_copper, "fugaku"), 4.7,
                "10 billion, 6.4.1: Fugaku, copper, 4,560 nodes, ns/day, read at 0.5 fs");
  // "nearly perfect scaling on up to 570 [water] and 285 [copper] computing nodes": no number to compare
  // with.
  EXPECT_GT(efficiency(summit_water, "summit", 570), 0.8);
  EXPECT_GT(efficiency(fugaku_water, "fugaku", 570), 0.8);
  EXPECT_GT(efficiency(summit_copper, "summit", 285), 0.8);
  EXPECT_GT(efficiency(fugaku_copper, "fugaku", 285), 0.75);
}

// Section 4 gives copper a time step of 1 fs. Table 2, the efficiencies and the numbers of atoms and devices
// (all the paper's own) then give twice the speeds of section 6.4.1; with 0.5 fs, which water has, they give
// these speeds. Read at 1 fs the two figures are missed, by the model as by the paper's other figures.
TEST(PaperFigures, stated_speeds_of_copper_fit_the_other_figures_at_half_a_femtosecond_only) {
  const double summit = 2.87e-6 * 13.5e6 / (4560 * 6) / 0.3596, fugaku = 5.78e-6 * 2177280 / 4560 / 0.3276;
  EXPECT_NEAR(ns_per_day(summit, 0.0005) / 11.2, 1, 0.1);
  EXPECT_NEAR(ns_per_day(fugaku, 0.0005) / 4.7, 1, 0.1);
  EXPECT_GT(ns_per_day(summit, 0.001) / 11.2, 1.9);
  EXPECT_GT(ns_per_day(fugaku, 0.001) / 4.7, 1.9);
}

TEST(PaperFigures, ghosts_per_rank) {
  // "113 atoms, and its ghost region is 1,735 … on Summit is 1,515 and 7,520": said of copper, but these are
  // the numbers of atoms per rank of the water system (8,294,400 / 72,960 and 41,472,000 / 27,360).
  const Division rank = paper_run(water(30, 36, 40), "fugaku", 4560).divisions.rank;
  expect_figure(rank.atoms, 113, "10 billion, 6.4.1: Fugaku, atoms per rank");
  expect_figure(rank.ghosts, 1735, "10 billion, 6.4.1: Fugaku, ghosts per rank");
  const Division summit = paper_run(water(60, 60, 60), "summit", 4560).divisions.rank;
  expect_figure(summit.atoms, 1515, "10 billion, 6.4.1: Summit, atoms per rank");
  // Missed: 7,520 ghosts are those within 10 Å of such a domain, copper's reach; water's 8 Å make 5,500.
  EXPECT_LT(summit.ghosts / 7520, 0.75);
  const double reach = 10, edge = std::cbrt(1515 / water(60, 60, 60).density());
  expect_figure(1515 * (std::pow(1 + 2 * reach / edge, 3) - 1), 7520,
                "10 billion, 6.4.1: Summit, ghosts per rank, if copper's reach of 10 A is meant");
}

/// Floating-point operations per second of all nets, a multiply-add counting two.
double flops(const Workload& work, const Estimate& estimate) {
  return 2 * work.multiply_adds * static_cast<double>(work.atoms) / estimate.step.total();
}

TEST(PaperFigures, weak_scaling) {
  const Workload summit = copper(943, 943, 944);     // 122,779 atoms per rank (section 4)
  const Workload fugaku = copper(1625, 1626, 1628);  // 6,804 per rank
  EXPECT_NEAR(static_cast<double>(summit.atoms) / (4560 * 6), 122779, 300);
  EXPECT_NEAR(static_cast<double>(fugaku.atoms) / (157986.0 * 16), 6804, 20);
  const Estimate s = paper_run(summit, "summit", 4560), f = paper_run(fugaku, "fugaku", 157986);
  const auto per_atom = [](const Workload& w, const Estimate& e) {
    return e.step.total() / static_cast<double>(w.atoms);
  };
  expect_figure(per_atom(summit, s), 1.1e-10,
                "10 billion, 6.4.2 and table 1: Summit, 3.4 billion copper, s/step/atom");
  expect_figure(per_atom(fugaku, f), 4.1e-11,
                "10 billion, 6.4.2 and table 1: Fugaku, 17 billion copper, s/step/atom");
  expect_figure(flops(summit, s), 43.7e15, "10 billion, 6.4.2 and table 1: Summit, FLOP/s");
  expect_figure(flops(fugaku, f), 119e15, "10 billion, 6.4.2 and table 1: Fugaku, FLOP/s");
  expect_figure(100 * flops(summit, s) / (4560 * 6 * 7e12), 22.8,
                "10 billion, 6.4.2: Summit, percent of peak");
  expect_figure(100 * flops(fugaku, f) / (157986 * 3.38e12), 22.17,
                "10 billion, 6.4.2: Fugaku, percent of peak");
  // "both systems show perfect scaling": the same atoms per rank on 1/256 of the machine take the same time.
  const Estimate small = paper_run(copper(148, 149, 149), "summit", 18);
  EXPECT_NEAR(small.step.total() / s.step.total(), 1, 0.05);
}

/// "51 ns/day" gives speeds and numbers of atoms only. 47 atoms per node, 4³ mesh points per node and one
/// core per node for the mesh are those of that paper; nets as the spec's examples have them.
Estimate dplr_run(std::array<std::int64_t, 3> copies, int nodes) {
  const Structure cell = read_structures(NANODAY_SOURCE_DIR "/examples/structures/water188.data").front();
  Workload work = workload(repeated(cell, copies[0], copies[1], copies[2]), 6, 2, 90);
  const double wannier = paper_multiply_adds(90, 100, 16, {100, 100, 100}) / 3;  // oxygen only
  work.wannier_share = wannier / (work.multiply_adds + wannier);
  work.multiply_adds += wannier;
  work.mesh.charges_per_atom = 4.0 / 3;
  const auto grid = divide(work.cell.whole(), static_cast<double>(work.atoms), nodes, 4, 8).node.grid;
  for (int d = 0; d < 3; ++d) work.mesh.points[d] = 4 * grid[d];
  return estimate_step(work, find_machine("fugaku"), {nodes, 4, true}, Algorithm::paper);
}

TEST(PaperFigures, long_range_on_fugaku) {
  constexpr double k_dt = 0.0005;
  const Estimate small = dplr_run({1, 1, 1}, 12), large = dplr_run({5, 11, 13}, 8400);
  expect_figure(ns_per_day(small.step.total(), k_dt), 51, "51 ns/day, abstract: 564 atoms, ns/day (fitted)");
  expect_figure(ns_per_day(large.step.total(), k_dt), 32, "51 ns/day, summary: 403k atoms, ns/day");
  EXPECT_EQ(large.mesh_method, "reduction");
  // "an overlapping strategy that hides long-range force computations"
  EXPECT_EQ(small.step.mesh, 0);
}

TEST(PaperFigures, hardly_depend_on_what_the_network_is_taken_for) {
  for (const auto& [work, name] : {std::pair{water(60, 60, 60), "summit"}, {copper(81, 84, 80), "fugaku"}}) {
    MachineModel m = find_machine(name);
    const Layout layout{4560, m.devices_per_node * m.paper_ranks_per_device, false};
    const double as_it_is = estimate_step(work, m, layout, Algorithm::paper).step.total();
    m.latency *= 2;
    m.bandwidth /= 2;
    EXPECT_LT(estimate_step(work, m, layout, Algorithm::paper).step.total() / as_it_is, 1.03);
  }
}

}  // namespace
}  // namespace nanoday
