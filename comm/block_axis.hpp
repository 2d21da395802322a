// One axis of a grid of blocks: which blocks, moved by which lattice translations, come near which others.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

namespace nanoday {

/// Blocks (of ranks or of nodes) along one axis, in fractions of the cell.
class BlockAxis {
 public:
  /// What the contents of a block span; neighbors may overlap.
  struct Extent {
    double low, high;
  };
  /// \param extents (blocks) ascending; \param reach how far a block looks beyond its extent
  BlockAxis(const std::vector<Extent>& extents, bool periodic, double reach);

  /// A block and the translation that brings another block's contents near it.
  struct Target {
    int block, shift;
    friend bool operator==(const Target&, const Target&) = default;
  };
  /// All that the contents of block `from` may come near (its own place with shift 0 too), ordered by block
  /// and shift. If (to, n) is a target of `from`, then (from, −n) is one of `to`.
  std::vector<Target> targets(int from) const;
  /// The same without shifts: every block once.
  std::vector<int> neighbors(int from) const;
  /// True when a fraction lies within reach of a block, its faces included.
  bool near(int block, double fraction) const {
    const auto b = static_cast<std::size_t>(block);
    return fraction >= low_[b] - reach_ && fraction <= high_[b] + reach_;
  }
  double reach() const { return reach_; }
  int blocks() const { return static_cast<int>(low_.size()); }

 private:
  bool may_touch(int from, int to, int shift) const;

  std::vector<double> low_, high_;  ///< (blocks); infinite at the ends of an axis that does not repeat
  int layers_;                      ///< translations go from −layers to layers
  double reach_;
};

}  // namespace nanoday
