// Who is near whom: for each local atom its neighbor candidates, grouped by type.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/vec3.hpp"
#include "core/view.hpp"

#include <cstdint>

namespace nanoday {

/// Neighbor candidates within rcut + skin of every local atom, both directions (full list).
/// Candidates of atom i with type t are index[offset[i·n_types + t] … offset[i·n_types + t + 1]).
struct NeighborList {
  int n_types = 0;
  double cutoff = 0;           ///< rcut + skin [Å]
  std::int64_t version = 0;    ///< set anew by every build; machines key their own data on it
  Array<std::int64_t> offset;  ///< (nlocal · n_types + 1)
  Array<std::int32_t> index;   ///< positions in the (nall) arrays, then 64 spare zero entries
  std::int64_t n_pairs() const { return offset.empty() ? 0 : offset[offset.size() - 1]; }
};

}  // namespace nanoday
