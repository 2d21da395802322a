// A mesh shared by ranks: what a long-range solver needs from the others, without knowing how bytes travel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"

#include <array>
#include <complex>
#include <cstdint>

namespace nanoday {

/// Points begin … end − 1 along a, b, c of a periodic mesh; may be empty.
struct MeshBrick {
  std::array<int, 3> begin{}, end{};
  std::array<int, 3> shape() const { return {end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]}; }
  std::size_t points() const {
    const auto n = shape();
    return static_cast<std::size_t>(n[0]) * static_cast<std::size_t>(n[1]) * static_cast<std::size_t>(n[2]);
  }
};

/// One rank's side of a mesh. All operations are collective and take the same order on all ranks.
class MeshRanks {
 public:
  virtual ~MeshRanks() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;

  /// Sums over ranks, of fixed-point numbers: independent of order. For replicated meshes and structure
  /// factors.
  virtual void sum(View<std::int64_t> values) = 0;
  /// Largest value of all ranks; a NaN wins.
  virtual double largest(double value) = 0;

  /// True when the mesh is cut into bricks, one per rank (the calls below); false when all ranks hold all of
  /// it.
  virtual bool bricks() const = 0;
  /// The mesh's points that this rank owns.
  virtual MeshBrick brick() const = 0;
  /// Points beyond the brick, on every side, that this rank's charges may touch.
  virtual std::array<int, 3> margin() const = 0;
  /// Array over brick and margins, c fastest: shares in margins are added to their owners' points (64-bit
  /// fixed point), margins become zero.
  virtual void fold(View<std::int64_t> with_margins) = 0;
  /// Margins are filled from their owners' points.
  virtual void expand(View<double> with_margins) = 0;

  /// x[j] → Σ_j x[j] e^{−2πi j·k/N} of the whole mesh, not normalised; in place, own brick in and own brick
  /// of frequencies out (same indices), c fastest.
  virtual void forward(View<std::complex<double>> brick) = 0;
  /// The same with e^{+2πi j·k/N}.
  virtual void backward(View<std::complex<double>> brick) = 0;
};

}  // namespace nanoday
