// What the long-range solver costs on many ranks.
// SPDX-License-Identifier: Apache-2.0
#include "estimate/mesh_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace nanoday {
namespace {

constexpr double k_interfaces = 6;  // of a Tofu node

double points_of(const MeshWork& mesh) { return double(mesh.points[0]) * mesh.points[1] * mesh.points[2]; }

/// 5 N log2 N operations per complex transform (FFTW's own count), as multiply-adds.
double transform_work(double points) { return 2.5 * points * std::log2(points); }

/// Every charge touches order³ points on the way in and, with each field component, on the way out.
double charge_work(const MeshWork& mesh, double charges) {
  return charges * std::pow(mesh.order, 3) * (1 + mesh.transforms - 1);
}

/// Sum of a whole mesh over all ranks: reduce and scatter, then gather.
double all_reduce_time(const MachineModel& machine, const Layout& layout, double bytes) {
  const double n = layout.nodes;
  if (n == 1) return 0;
  return 2 * std::log2(n) * machine.latency + 2 * bytes * (n - 1) / n / machine.bandwidth;
}

/// Redistribution between pencils, twice per transform: every rank sends to about √ranks others.
double pencil_time(const Workload& work, const MachineModel& machine, const Layout& layout) {
  const double ranks = double(layout.nodes) * layout.ranks_per_node;
  const double bytes = 16 * points_of(work.mesh) / layout.nodes;  // complex doubles of a node
  return 2 * (std::sqrt(ranks) * machine.latency + bytes / machine.bandwidth);
}

/// One transform along all axes: rings of nodes sum packed words, stage by stage (log2 P of them per
/// operation).
double reduction_time(const Workload& work, const MachineModel& machine, const std::array<int, 3>& nodes) {
  double time = 0;
  for (int d = 0; d < 3; ++d) {
    if (nodes[d] == 1) continue;
    double block = 1;  // mesh points of a node
    for (int k = 0; k < 3; ++k) block *= double(work.mesh.points[k]) / nodes[k];
    const double rounds = 2 * block * nodes[d] / 12 / k_interfaces;
    time += std::max(1.0, rounds) * machine.reduction_hop * std::ceil(std::log2(nodes[d]));
  }
  return time;
}

}  // namespace

double reduction_rounds(double points, double nodes) {
  return 2 * std::pow(points / nodes, 3) * nodes / 12 / k_interfaces;
}

MeshTime mesh_time(const Workload& work, const MachineModel& machine, const Layout& layout, double rate,
                   Algorithm algorithm) {
  constexpr double k_share_of_rate = 0.1;  // scattered additions and transforms against dense products
  const MeshWork& mesh = work.mesh;
  const double ranks = double(layout.nodes) * layout.ranks_per_node;
  const double points = points_of(mesh), slow = k_share_of_rate * rate;
  const double charges = mesh.charges_per_atom * static_cast<double>(work.atoms) / ranks;
  const double own =
      machine.measured.mesh > 0 ? machine.measured.mesh * charges : charge_work(mesh, charges) / slow;
  const double whole = machine.measured.mesh > 0 ? 0 : mesh.transforms * transform_work(points) / slow;
  const double mesh_bytes = 8 * points * (2 + mesh.transforms);
  if (ranks == 1) return {own + whole, mesh_bytes, "local"};

  const auto nodes = divide(work.cell.whole(), static_cast<double>(work.atoms), layout.nodes,
                            layout.ranks_per_node, work.cutoff + work.skin)
                         .node.grid;
  const double shared = whole / ranks;
  const MeshTime replicated{own + whole + all_reduce_time(machine, layout, 8 * points), mesh_bytes,
                            "replicated"};
  const MeshTime pencil{own + shared + mesh.transforms * pencil_time(work, machine, layout),
                        mesh_bytes / ranks, "pencil"};
  const MeshTime reduction{own + mesh.transforms * reduction_time(work, machine, nodes), mesh_bytes / ranks,
                           "reduction"};
  if (algorithm == Algorithm::paper) return reduction;
  MeshTime best = replicated.seconds <= pencil.seconds ? replicated : pencil;
  if (machine.reduction_hop > 0 && reduction.seconds < best.seconds) best = reduction;
  return best;
}

}  // namespace nanoday
