// One axis of a grid of blocks: intervals and their translations.
// SPDX-License-Identifier: Apache-2.0
#include "block_axis.hpp"

#include <cmath>
#include <limits>
#include <utility>

namespace nanoday {
namespace {

/// Rounding may put contents this little outside their block; candidates are only looked at, so more is
/// harmless.
constexpr double k_slack = 1e-9;

}  // namespace

BlockAxis::BlockAxis(const std::vector<Extent>& extents, bool periodic, double reach)
    : layers_(periodic ? static_cast<int>(std::floor(reach)) + 1 : 0), reach_(reach) {
  for (const Extent& extent : extents) {
    low_.push_back(extent.low);
    high_.push_back(extent.high);
  }
  if (periodic) return;
  low_.front() = -std::numeric_limits<double>::infinity();
  high_.back() = std::numeric_limits<double>::infinity();
}

// Both sides of a pair must come to the same answer whatever rounding does, so one of them is always asked.
bool BlockAxis::may_touch(int from, int to, int shift) const {
  if (shift < 0 || (shift == 0 && from > to)) {
    std::swap(from, to);
    shift = -shift;
  }
  const auto a = static_cast<std::size_t>(from), b = static_cast<std::size_t>(to);
  return low_[a] + shift <= high_[b] + reach_ + k_slack && high_[a] + shift >= low_[b] - reach_ - k_slack;
}

std::vector<BlockAxis::Target> BlockAxis::targets(int from) const {
  std::vector<Target> found;
  for (int to = 0; to < blocks(); ++to)
    for (int shift = -layers_; shift <= layers_; ++shift)
      if (may_touch(from, to, shift)) found.push_back({to, shift});
  return found;
}

std::vector<int> BlockAxis::neighbors(int from) const {
  std::vector<int> found;
  for (const Target& target : targets(from))
    if (found.empty() || found.back() != target.block) found.push_back(target.block);
  return found;
}

}  // namespace nanoday
