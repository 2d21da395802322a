// Machines as numbers, each with its source.
// SPDX-License-Identifier: Apache-2.0
#include "estimate/machine.hpp"

#include "core/error.hpp"

#include <array>

namespace nanoday {
namespace {

// "10 billion": Guo et al., PPoPP '22, doi 10.1145/3503221.3508425.
// "51 ns/day": Li et al., SC '25, the DPLR paper.
//
// Peaks, memories and bandwidths are published; latencies and overheads of microseconds are usual values,
// which the figures below hardly feel. Five numbers are fitted:
//   efficiency of summit, fugaku: mean over water and copper of (operations / peak) / time, "10 billion"
//   table 2
//     (2.58 and 2.87 µs on a V100, 4.47 and 5.78 µs on an A64FX; left over: 4 %)
//   paper_overhead of summit, fugaku: parallel efficiency of water on 4,560 nodes, "10 billion" section 6.4.1
//     (46.99 % and 41.20 %). It stands for what does not shrink with the number of atoms: a framework's
//     session, nets that run at a small batch once per type of centre, waiting.
//   paper_dplr_overhead of fugaku: 51 ns/day for 564 atoms, "51 ns/day" abstract

MachineModel summit() {
  MachineModel m;
  m.name = "summit";
  m.words = "Summit: 6 V100 (16 GB) per node, dual-rail EDR InfiniBand";
  m.gpu = true;
  m.devices_per_node = 6;
  m.peak_double = 7.0e12;  // "10 billion" section 5
  m.peak_single = 14e12;   // twice that, NVIDIA V100 data sheet (SXM2: 7.8 and 15.7 at boost)
  m.efficiency = 0.176;
  m.efficiency_source = "what the papers' kernels reach on it (PPoPP'22, table 2)";
  m.memory = 16e9;             // "10 billion" section 5
  m.memory_bandwidth = 900e9;  // same
  m.step_overhead =
      60e-6;  // about 20 kernels of a graph at 2 to 3 µs, the gap between dependent small kernels
  m.paper_overhead = 1.95e-3;
  m.latency = 3e-6;    // MPI over EDR 1 to 2 µs, and a copy over NVLink; halo figures hardly feel it
  m.bandwidth = 25e9;  // "10 billion" section 5
  m.inner_latency = 3e-6;
  m.inner_bandwidth = 50e9;  // same, NVLink inside a group of three
  return m;
}

MachineModel fugaku() {
  MachineModel m;
  m.name = "fugaku";
  m.words = "Fugaku: A64FX (48 cores, 32 GB), Tofu interconnect D";
  m.ranks_per_device = 4;         // one per core memory group
  m.paper_ranks_per_device = 16;  // "10 billion" section 6.2.4: 16 x 3
  m.peak_double = 3.38e12;        // "10 billion" section 5, 2.2 GHz
  m.peak_single = 6.76e12;
  m.efficiency = 0.195;
  m.efficiency_source = "what the papers' kernels reach on it (PPoPP'22, table 2)";
  m.memory = 32e9;              // "10 billion" section 5
  m.memory_bandwidth = 1024e9;  // same
  m.step_overhead = 30e-6;      // a few forks and joins of 12 threads, 5 to 10 µs each
  m.paper_overhead = 5.6e-3;
  m.paper_dplr_overhead = 0.57e-3;
  m.latency = 1.0e-6;    // put 0.49 µs (Ajima et al., CLUSTER 2018), and what a program adds at both ends
  m.bandwidth = 40.8e9;  // same: six interfaces of 6.8 GB/s
  m.inner_latency = 0.5e-6;
  m.inner_bandwidth = 100e9;  // between core memory groups, a tenth of the memory's
  m.reduction_hop = 0.49e-6;  // barrier gates: one put per stage
  return m;
}

MachineModel h200() {
  MachineModel m;
  m.name = "h200";
  m.words = "8 H200 (141 GB) per node, 400 Gb/s NDR InfiniBand per GPU";
  m.gpu = true;
  m.devices_per_node = 8;
  m.peak_double = 67e12;  // NVIDIA H200 data sheet: FP64 on tensor cores, which the dense layers use
  m.peak_single = 67e12;  // same: FP32
  m.efficiency = 0.3;
  m.efficiency_source = "an assumption: no GPU has been measured; scripts/gpu-check measures one";
  m.memory = 141e9;             // same
  m.memory_bandwidth = 4.8e12;  // same
  m.step_overhead = 40e-6;      // about 20 kernels of a graph at 2 µs
  m.latency = 3e-6;             // MPI or NCCL over NDR, GPU to GPU
  m.bandwidth = 400e9;          // DGX H200 guide: eight adapters of 400 Gb/s
  m.inner_latency = 3e-6;
  m.inner_bandwidth = 3.6e12;  // same: 900 GB/s NVLink per GPU, in and out together: half of it, times eight
  return m;
}

constexpr std::array k_machines{summit, fugaku, h200};

}  // namespace

MachineModel find_machine(std::string_view name) {
  for (const auto make : k_machines)
    if (make().name == name) return make();
  throw InputError(fmt::format("machine '{}' is unknown (there are this, {}); choose one of these", name,
                               fmt::join(machine_names(), ", ")));
}

std::vector<std::string> machine_names() {
  std::vector<std::string> names;
  for (const auto make : k_machines) names.push_back(make().name);
  return names;
}

}  // namespace nanoday
