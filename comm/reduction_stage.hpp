// Arithmetic of one dimension of the reduction FFT on one rank: partial transforms as integers, and back.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"

#include <cstdint>
#include <vector>

namespace nanoday {

/// Values of some lines of the mesh: (points, lines), real and imaginary parts apart, so that loops over
/// lines vectorise.
struct LineValues {
  std::size_t points = 0, lines = 0;
  Array<double> re, im;
  void resize(std::size_t n_points, std::size_t n_lines);
};

enum class TransformSign { forward, backward };

/// Pure: nothing here communicates. Ranks of a ring hold points of the same lines; each transforms its own
/// points to all N frequencies, as integers that are summed over the ring; then each takes its own
/// frequencies.
///
/// Integers are round(S·X) with a scale S per line. S comes from a bound of the line, Σ_j |x_j|, that is
/// itself a sum of integers: hence S, and with block = 1 all results, are the same for any number of ranks.
class ReductionStage {
 public:
  /// \param n points of a line; this rank has begin … end − 1
  /// \param block points whose sum is rounded once, counted from 0; 0: all points of this rank
  /// Throws InputError when a block would lie on two ranks.
  ReductionStage(int n, int begin, int end, int block);

  std::size_t points() const { return static_cast<std::size_t>(end_ - begin_); }
  std::size_t frequencies() const { return static_cast<std::size_t>(n_); }

  /// This rank's share of Σ_j |x_j| in units of 2^−32, rounded up. \param bound (lines), replaced
  void bound_share(const LineValues& x, View<std::uint64_t> bound) const;
  /// S of every line such that |Σ q| < 2^31: `largest` or, where that is too much, `largest`/2^m with the
  /// smallest m that serves; `largest` may be infinite, then the largest power of two that serves. \param
  /// bound (lines) summed over the ring \param scale (lines), replaced Throws RunError when no S serves:
  /// values too large, or not numbers.
  void choose_scales(View<const std::uint64_t> bound, double largest, View<double> scale) const;
  /// Multiplies x by the scales and fills this rank's share of all frequencies. \param words (N, lines),
  /// replaced; real parts in the high half, imaginary parts in the low half (packed_pair.hpp)
  void partial_transform(LineValues& x, View<const double> scale, TransformSign sign,
                         View<std::uint64_t> words) const;
  /// The own frequencies out of the totals. \param x replaced
  void take_own(View<const std::uint64_t> words, View<const double> scale, LineValues& x) const;

 private:
  int n_, begin_, end_;
  std::vector<int> piece_;       ///< bounds of what is rounded at once, relative to begin
  Array<double> cosine_, sine_;  ///< (N) of 2πm/N
};

}  // namespace nanoday
