// Machines as numbers: what a device computes, what it remembers, and how fast words pass between nodes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nanoday {

/// Measured seconds per atom and step of one rank; all 0 where nothing was measured.
struct AtomTimes {
  double nets = 0;       ///< descriptor to forces [s]
  double neighbor = 0;   ///< one list build [s per atom and build]
  double integrate = 0;  ///< both halves of velocity Verlet [s]
  double mesh = 0;       ///< one solve of the long-range term, per charge [s]
};

/// A kind of node. A device is a GPU, or a whole processor where there is none.
struct MachineModel {
  std::string name;   ///< as typed
  std::string words;  ///< for people
  bool gpu = false;
  int devices_per_node = 1;
  int ranks_per_device = 1;        ///< nanoday's
  int paper_ranks_per_device = 1;  ///< of the papers' program
  double peak_double = 0;          ///< of a device [FLOP/s]
  double peak_single = 0;          ///< of a device [FLOP/s]
  double efficiency = 0;           ///< share of the peak that the nets of a large system reach
  std::string efficiency_source;   ///< where that comes from
  double memory = 0;               ///< of a device [B]
  double memory_bandwidth = 0;     ///< of a device [B/s]
  double step_overhead = 0;        ///< launches or forks of one step of ours, whatever the size [s]
  double paper_overhead = 0;       ///< fixed time per step and centre type of the papers' program [s]
  double paper_dplr_overhead = 0;  ///< fixed time per step of the 51 ns/day program [s]
  double latency = 0;              ///< of a message between nodes, sending to receiving program [s]
  double bandwidth = 0;            ///< of a node into the network [B/s]
  double inner_latency = 0;        ///< of a message inside a node [s]
  double inner_bandwidth = 0;      ///< between devices of a node [B/s]
  double reduction_hop = 0;  ///< one stage of a reduction done by the network itself [s]; 0: there is none
  AtomTimes measured;        ///< set for the machine the program runs on
};

/// summit, fugaku, h200. Throws InputError for another name ("this" is made by the caller).
MachineModel find_machine(std::string_view name);

/// Names find_machine() knows.
std::vector<std::string> machine_names();

}  // namespace nanoday
