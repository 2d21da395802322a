// How many atoms of each type there are.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "transport.hpp"

#include <cstdint>
#include <vector>

namespace nanoday {

/// Atoms of every type on all ranks, (n_types). Collective.
inline std::vector<std::int64_t> count_types(Transport& ranks, const Atoms& atoms, std::size_t n_types) {
  std::vector<std::int64_t> count(n_types, 0);
  for (std::int64_t i = 0; i < atoms.nlocal; ++i) ++count[static_cast<std::size_t>(atoms.type[i])];
  ranks.all_reduce_sum(View<std::int64_t>(count));
  return count;
}

}  // namespace nanoday
