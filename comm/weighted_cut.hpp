// Cuts of keyed, weighted items that lie on several ranks: a few rounds of histograms, nothing is gathered.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "transport.hpp"

#include <cstdint>
#include <vector>

namespace nanoday {

/// This rank's items; three columns of one length.
struct KeyedItems {
  std::vector<std::uint64_t> key;    ///< unique over all ranks within a group, < 2^64 − 1
  std::vector<std::int32_t> group;   ///< which cuts look at it
  std::vector<std::int64_t> weight;  ///< ≥ 0
};

/// A cut through one group, below which so much weight is wanted.
struct CutGoal {
  std::int32_t group = 0;
  std::int64_t weight = 0;
};

/// Collective: for every goal a key; the group's items with smaller keys weigh what is wanted, or as near to
/// it as whole items allow. With weights of one exactly. Same goals and results on all ranks. Every round
/// settles eight bits of the keys and is one all-reduce of 4 KiB per goal; it ends when one item is left to
/// decide on.
std::vector<std::uint64_t> find_cuts(Transport& transport, const KeyedItems& items,
                                     const std::vector<CutGoal>& goals);

}  // namespace nanoday
