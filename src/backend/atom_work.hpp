// What evaluating an atom costs, as far as a neighbor list tells.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/neighbor_list.hpp"

namespace nanoday {

/// Work of an atom's fitting net, in candidates of its neighbor list (`nanoday bench`, stages, on AVX-512).
inline constexpr std::int64_t k_fitting_work = 400;

/// Work of the first n atoms of a list, in candidates.  \pre n ≤ nlocal
inline std::int64_t work_before(const NeighborList& list, std::int64_t n) {
  return list.offset[n * list.n_types] + k_fitting_work * n;
}

/// Work of one atom.
inline std::int64_t atom_work(const NeighborList& list, std::int64_t i) {
  return work_before(list, i + 1) - work_before(list, i);
}

}  // namespace nanoday
