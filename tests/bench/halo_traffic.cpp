// Table of messages and bytes of halos per step and node: ours, LAMMPS's exchange between bricks, and the
// bound. SPDX-License-Identifier: Apache-2.0
//
// Question: what travels between nodes per step, positions out and forces home?
// Use: nanoday_halo_traffic [--json FILE]
// "planned" rows look at one node of many: its atoms are random at the density of the liquid, their lists are
// those of a run. "measured" rows run 8 and 108 ranks as threads on 12,288 atoms of water and read the
// transport's counters.
#include "comm/rank_systems.hpp"
#include "halo.hpp"
#include "halo_choice.hpp"
#include "halo_lists.hpp"
#include "in_process.hpp"
#include "io/structure_file.hpp"

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <mutex>
#include <set>

namespace nanoday {
namespace {

constexpr double k_row = 24;  ///< bytes: three doubles, or three integers of a fixed-point force

struct Job {
  std::string name;
  double density;  ///< [1/Å³]
  double cutoff;   ///< with skin [Å]
};

/// Per step and node, positions and forces together.
struct Count {
  double messages = 0, bytes = 0;
};

nlohmann::json to_json(const Count& c) { return {{"messages", c.messages}, {"bytes", c.bytes}}; }

std::array<double, 3> edges(const Box& box) { return {box.cell[0].x, box.cell[1].y, box.cell[2].z}; }

/// Cubic box of all nodes, cut as a run would cut it.
DomainGrid grid_of(const Job& job, double atoms_per_node, int nodes, int ranks_per_node) {
  const double edge = std::cbrt(atoms_per_node * nodes / job.density);
  const DomainFrame frame{Box::orthorhombic(edge, edge, edge), {0, 0, 0}, {1, 1, 1}};
  return {frame, nodes_in_order(nodes * ranks_per_node, ranks_per_node)};
}

// ------------------------------------------------------------------------------------------------
// LAMMPS: along x, y, z in turn with the ranks before and behind, ghosts of earlier stages included, as many
// layers as the cutoff is thick; both ways once more for the forces (newton on).

/// One rank's messages along an axis and the rows in them.
struct Stage {
  double messages = 0, rows = 0;
};

std::array<Stage, 3> bricks(const DomainGrid& grid, const Job& job) {
  const auto edge = edges(grid.frame().box);
  std::array<double, 3> width;
  for (std::size_t d = 0; d < 3; ++d) width[d] = edge[d] / grid.shape()[d];
  std::array<Stage, 3> stage;
  for (std::size_t d = 0; d < 3; ++d) {
    double area = 1;  // what earlier stages brought is wider than the brick
    for (std::size_t e = 0; e < 3; ++e)
      if (e != d) area *= e < d ? width[e] + 2 * job.cutoff : width[e];
    if (grid.shape()[d] == 1) continue;  // copies inside the rank
    stage[d].messages = 2 * (std::floor(job.cutoff / width[d]) + 1);
    stage[d].rows = 2 * job.cutoff * area * job.density;
  }
  return stage;
}

/// All messages of a node's ranks.
Count bricks_of_node(const DomainGrid& grid, const Job& job, int ranks_per_node) {
  Count count;
  for (const Stage& s : bricks(grid, job)) {
    count.messages += 2 * ranks_per_node * s.messages;
    count.bytes += 2 * ranks_per_node * s.rows * k_row;
  }
  return count;
}

/// Those that leave the node, when its ranks are neighbors in space: only ranks at its faces send any.
Count bricks_between_nodes(const DomainGrid& grid, const Job& job, int ranks_per_node) {
  Count count;
  const auto stage = bricks(grid, job);
  for (std::size_t d = 0; d < 3; ++d) {
    if (grid.nodes()[d] == 1) continue;
    const double at_faces = double(ranks_per_node) * grid.nodes()[d] / grid.shape()[d];
    count.messages += 2 * at_faces * stage[d].messages;
    count.bytes += 2 * at_faces * stage[d].rows * k_row;
  }
  return count;
}

// ------------------------------------------------------------------------------------------------
// Ours, from the lists of a run.

struct Planned {
  Count by_node, staged, inside;  ///< inside: rows copied through shared memory, no messages
  Count direct;                   ///< one message per pair of ranks, those between nodes
  double bound = 0;               ///< bytes: every atom once per node that needs it
  double most_messages = 0;       ///< by_node: of one rank of the node, one way
  HaloWork stages;                ///< staged
};

/// Atoms of node 0 at random places, by rank.
std::map<int, Array<Vec4>> random_node(const DomainGrid& grid, int atoms, std::mt19937_64& random) {
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto region = grid.node_region(0);
  std::map<int, Array<Vec4>> by_rank;
  for (int i = 0; i < atoms; ++i) {
    std::array<double, 3> f;
    for (std::size_t d = 0; d < 3; ++d)
      f[d] = region.low[d] + uniform(random) * (region.high[d] - region.low[d]);
    const Vec3 x = grid.frame().box.cartesian({f[0], f[1], f[2]});
    by_rank[grid.owner(x)].push_back(padded(x));
  }
  return by_rank;
}

/// Ranks of node 0 along all axes.
std::set<int> ranks_of_node(const DomainGrid& grid) {
  const HaloGeometry geometry(grid, HaloRoute::by_node, 1e-6, 1, 0);
  return {geometry.team().begin(), geometry.team().end()};
}

/// What a rank of node 0 knows of its surroundings, once for all draws.
struct Member {
  int rank;
  HaloGeometry by_node, direct, staged;
};

/// Nodes within reach of a position of node 0, itself not among them: by looking at all along each axis.
double nodes_near(const DomainGrid& grid, const Job& job, Vec3 position) {
  const auto edge = edges(grid.frame().box);
  const Vec3 f = grid.frame().box.fractional(position);
  const double fraction[3] = {f.x, f.y, f.z};
  double near = 1;
  for (std::size_t d = 0; d < 3; ++d) {
    const int n = grid.nodes()[d];
    int along = 0;
    for (int k = 0; k < n; ++k) {
      // From the middle of a node to the nearest image of the position.
      const double apart = fraction[d] - (k + 0.5) / n;
      along += std::fabs(apart - std::round(apart)) * edge[d] <= job.cutoff + edge[d] / (2 * n);
    }
    near *= along;
  }
  return near - 1;
}

/// Adds the rows of one rank's lists. \param rows (neighbors) of the node, added to
void add_rank(const Member& member, const std::set<int>& node, View<const Vec4> local,
              std::vector<double>& rows, Planned& sum) {
  const Box& box = member.by_node.grid().frame().box;
  const HaloLists lists = halo_lists(member.by_node, box, local);
  for (std::size_t b = 0; b < rows.size(); ++b) rows[b] += double(lists.to_neighbor[b].size());
  for (const GhostRows& list : lists.to_member) sum.inside.bytes += 2 * k_row * double(list.size());
  const HaloLists direct = halo_lists(member.direct, box, local);
  for (std::size_t b = 0; b < direct.to_neighbor.size(); ++b) {
    const auto n = double(direct.to_neighbor[b].size());
    if (n == 0 || node.contains(member.direct.neighbors()[b].peer)) continue;
    sum.direct.messages += 2;
    sum.direct.bytes += 2 * n * k_row;
  }
}

void add_node(const std::vector<Member>& members, const std::set<int>& node, std::map<int, Array<Vec4>> atoms,
              const Job& job, Planned& sum) {
  const HaloGeometry& geometry = members.front().by_node;
  std::vector<double> rows(geometry.neighbors().size());
  for (const Member& member : members) {
    add_rank(member, node, atoms[member.rank], rows, sum);
    for (const Vec4& x : atoms[member.rank])
      sum.bound += 2 * k_row * nodes_near(geometry.grid(), job, xyz(x));
  }
  std::map<int, int> messages;
  for (std::size_t b = 0; b < rows.size(); ++b) {
    if (rows[b] == 0) continue;
    sum.by_node.messages += 2;
    sum.by_node.bytes += 2 * rows[b] * k_row;
    ++messages[geometry.neighbors()[b].contact];
  }
  int most = 0;
  for (const auto& [contact, n] : messages) most = std::max(most, n);
  sum.most_messages += most;
}

Planned planned(const DomainGrid& grid, const Job& job, int atoms_per_node, std::int64_t natoms) {
  std::mt19937_64 random(17);
  const int draws = std::max(1, 4000 / atoms_per_node);
  const std::set<int> node = ranks_of_node(grid);
  std::vector<Member> members;
  for (const int rank : node)
    members.push_back({rank, HaloGeometry(grid, HaloRoute::by_node, job.cutoff, natoms, rank),
                       HaloGeometry(grid, HaloRoute::direct, job.cutoff, natoms, rank),
                       HaloGeometry(grid, HaloRoute::staged, job.cutoff, natoms, rank)});
  Planned sum;
  for (int draw = 0; draw < draws; ++draw)
    add_node(members, node, random_node(grid, atoms_per_node, random), job, sum);
  for (Count* c : {&sum.by_node, &sum.inside, &sum.direct}) {
    c->messages /= draws;
    c->bytes /= draws;
  }
  sum.bound /= draws;
  sum.most_messages /= draws;
  // Where all nodes are alike, the rows that leave a node are as many as the rows that come to it: every atom
  // once to every node that needs it, whether from its owner or forwarded.
  sum.staged = {2.0 * double(members.front().staged.neighbors().size()), sum.bound};
  sum.stages = halo_work(members.front().staged, natoms);
  return sum;
}

nlohmann::json planned_row(const Job& job, int atoms_per_node, int nodes, int ranks_per_node) {
  const DomainGrid grid = grid_of(job, atoms_per_node, nodes, ranks_per_node);
  // LAMMPS knows no nodes: its grid is the best one for all ranks alike.
  const DomainGrid flat = grid_of(job, double(atoms_per_node) / ranks_per_node, nodes * ranks_per_node, 1);
  const Planned ours = planned(grid, job, atoms_per_node, std::int64_t(atoms_per_node) * nodes);
  const Count all = bricks_of_node(flat, job, ranks_per_node);
  const Count between = bricks_between_nodes(grid, job, ranks_per_node);
  fmt::print(
      "| {} | {} | {} x {} | {:.0f} ({:.0f}) | {:.0f} | {:.0f} | {:.0f} | {} | {:.0f}, {} | {:.0f} ({:.0f}) "
      "| "
      "{:.0f} | {:.0f} | {:.0f} | {:.0f} | {:.1f} ({:.1f}) | {:.1f} ({:.1f}) | {:.1f} ({:.1f}) |\n",
      job.name, atoms_per_node, nodes, ranks_per_node, all.messages, between.messages, ours.direct.messages,
      ours.by_node.messages, ours.staged.messages, ours.stages.stages, ours.most_messages,
      ours.stages.messages, all.bytes / 1e3, between.bytes / 1e3, ours.direct.bytes / 1e3,
      ours.by_node.bytes / 1e3, ours.staged.bytes / 1e3, ours.bound / 1e3,
      all.messages / ours.by_node.messages, between.messages / ours.by_node.messages,
      all.messages / ours.staged.messages, between.messages / ours.staged.messages,
      all.bytes / ours.staged.bytes, between.bytes / ours.staged.bytes);
  std::fflush(stdout);
  return {{"system", job.name},
          {"cutoff_and_skin", job.cutoff},
          {"atoms_per_node", atoms_per_node},
          {"nodes", nodes},
          {"node_grid", grid.nodes()},
          {"ranks_per_node", ranks_per_node},
          {"lammps", to_json(all)},
          {"lammps_between_nodes", to_json(between)},
          {"by_node", to_json(ours.by_node)},
          {"by_node_most_messages_of_a_rank_one_way", ours.most_messages},
          {"staged", to_json(ours.staged)},
          {"staged_stages_one_way", ours.stages.stages},
          {"staged_most_messages_of_a_rank_one_way", ours.stages.messages},
          {"bound_bytes", ours.bound},
          {"shared_memory_bytes", ours.inside.bytes},
          {"direct_between_nodes", to_json(ours.direct)}};
}

// ------------------------------------------------------------------------------------------------
// Eight ranks for real.

rank_systems::Case water(const Structure& liquid, Atoms& all) {
  all.nlocal = static_cast<std::int64_t>(liquid.natoms());
  for (std::size_t i = 0; i < liquid.natoms(); ++i) {
    Vec3 x = liquid.position[i];
    all.image.push_back(wrap(liquid.box, x));
    all.position.push_back(padded(x));
    all.type.push_back(liquid.species[i]);
    all.id.push_back(static_cast<std::int64_t>(i));
    all.velocity.push_back({});
    all.mass.push_back(1);
  }
  return {"water", liquid.box, 8.0, static_cast<int>(all.nlocal)};
}

/// Sums over the ranks of a world, then per node.
struct Sums {
  double messages = 0, bytes = 0, node_messages = 0, ghosts = 0, plan_bytes = 0, build_messages = 0,
         build_bytes = 0;
};

nlohmann::json measured_row(const Structure& liquid, int ranks, int per_node, HaloRoute route) {
  Atoms all;
  const auto c = water(liquid, all);
  Sums sums;
  std::mutex mutex;
  run_ranks(
      ranks,
      [&](Transport& transport) {
        Atoms atoms = rank_systems::dealt(all, transport);
        const DomainGrid grid = rank_systems::settle(c.box, transport, atoms);
        Halo halo(transport, route);
        const Traffic start = transport.traffic();
        halo.build(grid, c.box, c.cutoff, atoms);
        const Traffic built = transport.traffic();
        Forces forces;
        forces.fixed_point = true;
        forces.fixed.resize(static_cast<std::size_t>(atoms.nall()));
        halo.update(atoms);
        halo.reverse(forces, atoms.nlocal);
        const Traffic& end = transport.traffic();
        const std::lock_guard lock(mutex);
        sums.messages += double(end.messages - built.messages);
        sums.bytes += double(end.bytes - built.bytes);
        sums.node_messages += double(end.node_messages - built.node_messages);
        sums.build_messages += double(built.messages - start.messages);
        sums.build_bytes += double(built.bytes - start.bytes);
        sums.ghosts += double(atoms.nghost);
        sums.plan_bytes += double(halo.bytes());
      },
      per_node);
  const double nodes = double(ranks) / per_node;
  fmt::print(
      "{} ranks, {} per node, {}: {:.0f} messages and {:.0f} bytes per step and node, {:.0f} messages "
      "inside; "
      "a build {:.0f} and {:.0f}; {:.0f} ghosts per rank, {:.1f} bytes of the halo per ghost, {:.1f} per "
      "atom\n",
      ranks, per_node, halo_name(route), sums.messages / nodes, sums.bytes / nodes,
      sums.node_messages / nodes, sums.build_messages / nodes, sums.build_bytes / nodes, sums.ghosts / ranks,
      sums.plan_bytes / sums.ghosts, sums.plan_bytes / double(all.nlocal));
  const Job job{"water", double(all.nlocal) / liquid.box.volume(), c.cutoff};
  const Count lammps = bricks_of_node(grid_of(job, double(all.nlocal) / ranks, ranks, 1), job, per_node);
  fmt::print("  LAMMPS by its formula {:.0f} and {:.0f}\n", lammps.messages, lammps.bytes);
  return {{"ranks", ranks},
          {"lammps_by_formula", to_json(lammps)},
          {"ranks_per_node", per_node},
          {"route", halo_name(route)},
          {"messages", sums.messages / nodes},
          {"bytes", sums.bytes / nodes},
          {"messages_inside_node", sums.node_messages / nodes},
          {"messages_of_a_build", sums.build_messages / nodes},
          {"bytes_of_a_build", sums.build_bytes / nodes},
          {"ghosts_per_rank", sums.ghosts / ranks},
          {"halo_bytes_per_ghost", sums.plan_bytes / sums.ghosts},
          {"halo_bytes_per_atom", sums.plan_bytes / double(all.nlocal)}};
}

nlohmann::json measured() {
  const auto frames = read_structures(NANODAY_SOURCE_DIR "/examples/structures/water192.data");
  const Structure liquid = replicate(frames.front(), 4, 4, 4);
  nlohmann::json rows;
  for (const auto& [ranks, per_node] : {std::pair{8, 1}, {8, 4}, {8, 8}, {27 * 4, 4}})
    for (const HaloRoute route : {HaloRoute::by_node, HaloRoute::staged, HaloRoute::direct})
      rows.push_back(measured_row(liquid, ranks, per_node, route));
  return rows;
}

int run(const std::string& out) {
  const std::vector<Job> jobs{{"water", 0.1003, 6 + 2}, {"copper", 0.0847, 8 + 2}};
  nlohmann::json result;
  result["measured"] = measured();
  fmt::print(
      "\nper step and node: messages of LAMMPS (between nodes), pairs of ranks, by node, staged, stages, "
      "most of "
      "one rank one way (by node, staged); kB of LAMMPS (between nodes), pairs, by node, staged, bound; "
      "times "
      "fewer messages by node, staged, bytes\n");
  for (const Job& job : jobs)
    for (const int ranks_per_node : {4, 48})
      for (const int atoms_per_node : {47, 1000, 20000})
        for (const int nodes : {2, 8, 96, 768, 8400, 12000})
          result["planned"].push_back(planned_row(job, atoms_per_node, nodes, ranks_per_node));
  if (!out.empty()) std::ofstream(out) << result.dump(1) << '\n';
  return 0;
}

}  // namespace
}  // namespace nanoday

int main(int argc, char** argv) {
  try {
    return nanoday::run(argc == 3 && std::string(argv[1]) == "--json" ? argv[2] : "");
  } catch (const std::exception& error) {
    fmt::print(stderr, "nanoday_halo_traffic: {}\n", error.what());
    return 1;
  }
}
