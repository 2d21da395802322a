// The atoms among which an analysis looks for pairs: this rank's, and those of others near its domain.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "core/box.hpp"
#include "transport.hpp"

#include <cstdint>
#include <vector>

namespace nanoday {

/// Every atom once, whatever its periodic images: own ones first, then all that lie within reach of this
/// rank's domain.
struct NearAtoms {
  std::size_t n_own = 0;
  std::vector<Vec3> position;  ///< in their owners' bits, maybe outside the box
  std::vector<std::int32_t> type;
  std::vector<std::int64_t> id;

  std::size_t size() const { return position.size(); }
  /// Of all ranks that see a pair, one is to count it: the owner of the atom with the lower id.
  bool counts(std::size_t i, std::size_t j) const { return (id[i] < id[j] ? i : j) < n_own; }
};

/// Collective. Atoms are dealt to ranks by where they are now, so that an own one is not always one of
/// `atoms`. \param rows  (nlocal, may be null) further numbers of the local atoms; become those of the own
/// ones \pre the box repeats in all directions; reach is at most half its smallest height
NearAtoms near_atoms(Transport& ranks, const Box& box, const Atoms& atoms, double reach,
                     Array<Vec4>* rows = nullptr);

}  // namespace nanoday
