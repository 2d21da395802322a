// What surrounds an atom: written out when a run stops because of it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "forces/evaluator.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace nanoday {

/// An atom near another.
struct NearAtom {
  std::int64_t atom = 0;  ///< index in memory, (nall)
  double distance = 0;    ///< [Å]
};

/// Name and 1-based input id of an atom: "atom 12 (O)". \param atom index in memory
std::string atom_label(const Evaluator& evaluator, std::int64_t atom);

/// Atoms (periodic images and other ranks' too) within `radius` [Å] of an atom, nearest first, itself left
/// out.
std::vector<NearAtom> neighborhood(const Evaluator& evaluator, std::int64_t atom, double radius);

/// The neighborhood as lines of text: the atom with its speed and force, then one neighbor per line.
std::string describe_neighborhood(const Evaluator& evaluator, std::int64_t atom, double radius);

/// The neighborhood as an extxyz frame; the atom itself comes first.
std::string neighborhood_extxyz(const Evaluator& evaluator, std::int64_t atom, double radius);

/// Writes the neighborhood to neighborhood.extxyz in `folder` and returns its path. The rank that owns the
/// atom does this alone; when several do at the same moment, one whole file stays. Throws RunError when the
/// disk refuses.
std::string write_neighborhood(const std::string& folder, const Evaluator& evaluator, std::int64_t atom,
                               double radius);

}  // namespace nanoday
