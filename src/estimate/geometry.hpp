// How a box falls into domains: ghosts, messages, and the fullest domain.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/box.hpp"
#include "core/vec3.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace nanoday {

/// A repeated cell: what a large system is a crystal of.
struct RepeatedCell {
  Box box;                     ///< of one copy; periodic directions repeat `copies` times
  std::vector<Vec3> fraction;  ///< (natoms) in [0, 1); empty where only the density is known
  std::array<std::int64_t, 3> copies{1, 1, 1};

  /// The whole system's box.
  Box whole() const;
};

/// Domains of one kind (ranks, or nodes) in the whole box.
struct Division {
  std::array<int, 3> grid{1, 1, 1};
  std::array<double, 3> edge{};  ///< distance between opposite faces of a domain [Å]
  double atoms = 0;              ///< mean per domain
  double ghosts = 0;             ///< within the halo's reach of a domain, mean; periodic images included
  double sent = 0;               ///< ghosts that come from other domains, mean
  double neighbors = 0;          ///< other domains within reach
  int layers = 1;                ///< of domains within reach, the most along any direction
};

struct Divisions {
  Division rank, node;
};

/// The grid nanoday would choose (comm/domain_grid). \param atoms of the whole box; \param reach cutoff +
/// skin [Å] \pre nodes, ranks_per_node ≥ 1
Divisions divide(const Box& whole, double atoms, int nodes, int ranks_per_node, double reach);

/// Atoms of the fullest domain over the mean. Counted in the repeated cell as it is, in up to about 10^5
/// domains; without positions, what the largest of normal deviates with a liquid's variance would be.
double fullest_share(const RepeatedCell& cell, const Division& division);

}  // namespace nanoday
