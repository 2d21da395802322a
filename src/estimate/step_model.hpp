// What a step costs on many nodes, part by part, and what a rank must remember.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "estimate/geometry.hpp"
#include "estimate/machine.hpp"

#include <array>
#include <cstdint>
#include <string>

namespace nanoday {

/// Ours, or the programs of the two papers, whose figures the model has to meet.
enum class Algorithm { nanoday, paper };

/// The long-range part of a DPLR model.
struct MeshWork {
  double charges_per_atom = 0;  ///< ions and centroids
  std::array<int, 3> points{};
  int order = 5;
  int transforms = 4;  ///< 4 with "ik", 2 with "ad"
};

/// What is to be stepped, whatever the machine.
struct Workload {
  RepeatedCell cell;
  std::int64_t atoms = 0;
  double cutoff = 0, skin = 2;    ///< [Å]
  int rebuild_every = 50;         ///< steps between list builds
  int centre_types = 1;           ///< types with nets of their own
  bool single_precision = false;  ///< of nets and tables
  double neighbors = 0;           ///< within the cutoff, per atom
  double multiply_adds = 0;       ///< of all nets, per atom and step; fused ones count one
  double wannier_share = 0;       ///< of them: the Wannier net's
  double model_bytes = 0;         ///< tables and packed weights, once per rank
  MeshWork mesh;                  ///< charges_per_atom = 0: there is none
  double density() const;         ///< atoms per Å³
  double candidates() const;      ///< entries of the neighbor list per atom: within cutoff + skin
};

struct Layout {
  int nodes = 1;
  int ranks_per_node = 1;
  bool balanced = true;  ///< work moves until all nodes have the same number of atoms
};

/// Seconds of one step by part; those of the papers' programs hold list builds and integration in `nets`,
/// because their figure per atom does.
struct StepParts {
  double nets = 0;       ///< of a rank with the mean number of atoms
  double imbalance = 0;  ///< what the fullest rank needs more
  double overhead = 0;   ///< launches, forks, a framework: what does not shrink with the number of atoms
  double neighbor = 0;   ///< list builds, spread over the steps between them
  double halo = 0;       ///< positions out and forces home, as far as nothing hides it
  double mesh = 0;       ///< long-range solver, as far as the nets do not hide it
  double integrate = 0;
  double total() const { return nets + imbalance + overhead + neighbor + halo + mesh + integrate; }
};

/// Bytes of one rank by part.
struct MemoryParts {
  double atoms = 0, ghosts = 0, lists = 0, model = 0, mesh = 0;
  double total() const { return atoms + ghosts + lists + model + mesh; }
};

struct Estimate {
  Divisions divisions;
  double fullest = 1;        ///< atoms of the fullest rank over the mean, before balancing
  double halo_messages = 0;  ///< per node and step, both ways
  double halo_bytes = 0;     ///< per node and step, both ways
  double mesh_hidden = 0;    ///< seconds of the solver behind the nets
  std::string mesh_method;   ///< how the transform is shared; empty without a mesh
  StepParts step;
  MemoryParts memory;       ///< of a rank
  double memory_limit = 0;  ///< what a rank may use: nine tenths of what it has
};

/// \pre counts positive
Estimate estimate_step(const Workload& work, const MachineModel& machine, const Layout& layout,
                       Algorithm algorithm);

/// More than any machine has.
inline constexpr int k_most_nodes = 200000;

/// Fewest nodes whose memory suffices; 0 when k_most_nodes have too little.
int fewest_nodes(const Workload& work, const MachineModel& machine, int ranks_per_node);

/// Multiply-adds per atom of the papers' algorithm (tables of all columns, the first layer unfolded): forward
/// 5 for the table and 4 for the outer product per column and neighbor, backward 9, 4 and 5; dense layers
/// twice
/// ("10 billion", figure 1 and section 3; performance.md counts the same).
/// \param columns of the embedding, 128; \param axis 16; \param hidden widths of the fitting net
double paper_multiply_adds(double neighbors, int columns, int axis, const std::vector<int>& hidden);

/// [ns/day] of a step of `seconds` with time step `dt` [ps].
inline double ns_per_day(double seconds, double dt) { return 86400 * 1e-3 * dt / seconds; }

}  // namespace nanoday
