// What a step costs on many nodes, part by part.
// SPDX-License-Identifier: Apache-2.0
#include "estimate/step_model.hpp"

#include "estimate/mesh_model.hpp"

#include <algorithm>
#include <cmath>

namespace nanoday {
namespace {

constexpr double k_position_bytes =
    24;  // three doubles; forces come home as three 64-bit integers or doubles
constexpr double k_sphere = 4.1887902047863905;  // 4π/3

/// What one rank computes with.
struct RankRates {
  double nets = 0;     ///< multiply-adds per second
  double memory = 0;   ///< [B/s]
  double devices = 1;  ///< what of a device it has; measured times are a whole one's
};

RankRates rates_of(const Workload& work, const MachineModel& machine, const Layout& layout) {
  const double share = double(machine.devices_per_node) / layout.ranks_per_node;
  const double peak = work.single_precision ? machine.peak_single : machine.peak_double;
  return {0.5 * peak * machine.efficiency * share, machine.memory_bandwidth * share, share};
}

/// Seconds of the nets per atom.
double net_time(const Workload& work, const MachineModel& machine, const RankRates& rates) {
  return machine.measured.nets > 0 ? machine.measured.nets / rates.devices : work.multiply_adds / rates.nets;
}

/// One message per neighbor node and way; its ranks share the work of sending.
double our_halo_time(const MachineModel& machine, const Layout& layout, Estimate& estimate) {
  const Division& node = estimate.divisions.node;
  const Division& rank = estimate.divisions.rank;
  estimate.halo_messages = 2 * node.neighbors;
  estimate.halo_bytes = 2 * k_position_bytes * node.sent;
  const double between = estimate.halo_messages / layout.ranks_per_node * machine.latency +
                         estimate.halo_bytes / machine.bandwidth;
  if (layout.ranks_per_node == 1) return between;
  const double inside_bytes = 2 * k_position_bytes * rank.sent * layout.ranks_per_node;
  return between + 2 * machine.inner_latency + inside_bytes / machine.inner_bandwidth;
}

/// The papers' program sends like LAMMPS: along x, y, z in turn, both ways, as many times as there are
/// layers; every rank for itself, a node's ranks through the same adapters.
double staged_halo_time(const MachineModel& machine, const Layout& layout, Estimate& estimate) {
  const Division& rank = estimate.divisions.rank;
  const double messages = 2 * 6 * rank.layers;
  estimate.halo_messages = messages * layout.ranks_per_node;
  estimate.halo_bytes = 2 * k_position_bytes * rank.sent * layout.ranks_per_node;
  if (layout.nodes * layout.ranks_per_node == 1) return 0;
  return messages * machine.latency + estimate.halo_bytes / machine.bandwidth;
}

/// Distances looked at per atom and build: cells as wide as the reach, 27 of them; ten operations each.
double build_time(const Workload& work, const MachineModel& machine, const RankRates& rates) {
  if (machine.measured.neighbor > 0) return machine.measured.neighbor / rates.devices;
  constexpr double k_operations = 10;
  return 27 / k_sphere * work.candidates() * k_operations / rates.nets;
}

/// Positions, velocities, forces and masses pass through memory in both halves.
double integrate_time(const MachineModel& machine, const RankRates& rates) {
  constexpr double k_bytes = 2 * (3 * 32 + 2 * 32 + 8);
  return machine.measured.integrate > 0 ? machine.measured.integrate / rates.devices : k_bytes / rates.memory;
}

/// Arrays of one rank. Counts are those of src/atoms and of the evaluator (cuda/atoms.hpp on GPUs).
MemoryParts memory_of(const Workload& work, const MachineModel& machine, const Divisions& divisions) {
  // position, velocity, force, fixed-point force, list reference: 32 each; id, mass 8; image 12; type 4
  constexpr double k_local = 5 * 32 + 2 * 8 + 12 + 4;
  // position, force, fixed-point force: 32 each; id 8; type 4; owner 4; translation 32
  constexpr double k_ghost = 3 * 32 + 8 + 2 * 4 + 32;
  // GPU: keys and orders of the spatial sort, one array at a time while permuting. CPU: cells' keys, order
  // and positions, and the threads' private forces.
  const double sorting = machine.gpu ? 2 * 8 + 2 * 4 + 32 : 8 + 4 + 32 + 32;
  const double lists = machine.gpu ? 1 : 2;  // the CPU's threads hold theirs until all are joined
  const Division& rank = divisions.rank;
  MemoryParts memory;
  memory.atoms = rank.atoms * (k_local + sorting);
  memory.ghosts = rank.ghosts * (k_ghost + sorting);
  memory.lists = rank.atoms * (lists * 4 * work.candidates() + 8 * work.centre_types);
  memory.model = work.model_bytes;
  return memory;
}

/// What is left of a rank's memory beside the system, the runtime's own context and buffers, and chunks of
/// fixed size.
double usable_memory(const MachineModel& machine, int ranks_per_node) {
  constexpr double k_usable = 0.9;
  return k_usable * machine.memory * machine.devices_per_node / ranks_per_node;
}

void estimate_paper(const Workload& work, const MachineModel& machine, const Layout& layout,
                    const RankRates& rates, Estimate& estimate) {
  const double nets = net_time(work, machine, rates) * estimate.divisions.rank.atoms;
  const bool dplr = work.mesh.charges_per_atom > 0;
  StepParts& step = estimate.step;
  step.nets = nets;
  // The DPLR program balances by its ring; the other's fullest rank holds up all.
  step.imbalance = dplr ? 0 : (estimate.fullest - 1) * nets;
  step.overhead = dplr ? machine.paper_dplr_overhead : work.centre_types * machine.paper_overhead;
  step.halo = staged_halo_time(machine, layout, estimate);
}

void estimate_ours(const Workload& work, const MachineModel& machine, const Layout& layout,
                   const RankRates& rates, Estimate& estimate) {
  const Division& rank = estimate.divisions.rank;
  StepParts& step = estimate.step;
  step.nets = net_time(work, machine, rates) * rank.atoms;
  const double fullest = layout.balanced ? std::ceil(rank.atoms) / rank.atoms : estimate.fullest;
  step.imbalance = (fullest - 1) * step.nets;
  step.overhead = machine.step_overhead;
  step.neighbor = build_time(work, machine, rates) * rank.atoms / work.rebuild_every;
  step.integrate = integrate_time(machine, rates) * rank.atoms;
  // Atoms whose neighbors are all at home are computed while positions travel; forces travel with nothing to
  // hide them.
  double inner = 1;
  for (const double edge : rank.edge) inner *= std::max(0.0, 1 - 2 * (work.cutoff + work.skin) / edge);
  const double one_way = our_halo_time(machine, layout, estimate) / 2;
  step.halo = one_way + std::max(0.0, one_way - inner * step.nets);
}

}  // namespace

double Workload::density() const { return static_cast<double>(atoms) / cell.whole().volume(); }

double Workload::candidates() const {
  const double reach = cutoff + skin;
  return neighbors > 0 ? neighbors * std::pow(reach / cutoff, 3) : density() * k_sphere * std::pow(reach, 3);
}

Estimate estimate_step(const Workload& work, const MachineModel& machine, const Layout& layout,
                       Algorithm algorithm) {
  Estimate estimate;
  estimate.divisions = divide(work.cell.whole(), static_cast<double>(work.atoms), layout.nodes,
                              layout.ranks_per_node, work.cutoff + work.skin);
  estimate.fullest = fullest_share(work.cell, estimate.divisions.rank);
  estimate.memory = memory_of(work, machine, estimate.divisions);
  estimate.memory_limit = usable_memory(machine, layout.ranks_per_node);
  const RankRates rates = rates_of(work, machine, layout);
  if (algorithm == Algorithm::paper)
    estimate_paper(work, machine, layout, rates, estimate);
  else
    estimate_ours(work, machine, layout, rates, estimate);
  if (work.mesh.charges_per_atom > 0) {
    const MeshTime mesh = mesh_time(work, machine, layout, rates.nets, algorithm);
    const double beside = estimate.step.nets * (1 - work.wannier_share);  // what does not wait for centroids
    estimate.mesh_method = mesh.method;
    estimate.mesh_hidden = std::min(mesh.seconds, beside);
    estimate.step.mesh = mesh.seconds - estimate.mesh_hidden;
    estimate.memory.mesh = mesh.bytes;
  }
  return estimate;
}

int fewest_nodes(const Workload& work, const MachineModel& machine, int ranks_per_node) {
  const auto fits = [&](int nodes) {
    const Divisions divisions = divide(work.cell.whole(), static_cast<double>(work.atoms), nodes,
                                       ranks_per_node, work.cutoff + work.skin);
    return memory_of(work, machine, divisions).total() < usable_memory(machine, ranks_per_node);
  };
  constexpr int k_most = k_most_nodes;
  int high = 1;
  while (!fits(high)) {
    if (high >= k_most) return 0;
    high = std::min(k_most, 2 * high);
  }
  int low = high / 2;
  while (high - low > 1) {
    const int middle = low + (high - low) / 2;
    (fits(middle) ? high : low) = middle;
  }
  return high;
}

double paper_multiply_adds(double neighbors, int columns, int axis, const std::vector<int>& hidden) {
  double dense = 0;
  int before = columns * axis;
  for (const int width : hidden) {
    dense += double(before) * width;
    before = width;
  }
  dense += before;  // the output
  return 27.0 * columns * neighbors + 2 * dense;
}

}  // namespace nanoday
