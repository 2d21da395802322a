// A mesh shared by ranks: what a long-range solver needs from the others, without knowing how bytes travel.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"

#include <array>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stdexcept>

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

/// A whole mesh in memory that the ranks of a node have in common. All put their charges on it; one of them,
/// the leader, adds up the meshes of all nodes and transforms the sum; all read its fields. Calls come in
/// this order on every rank, and none throws but RunError because another rank has failed.
class NodeMesh {
 public:
  virtual ~NodeMesh() = default;
  virtual int members() const = 0;  ///< ranks of the node
  virtual bool leads() const = 0;
  /// The same bytes on all ranks of the node, aligned as an Array, zero at first.
  virtual View<std::byte> memory() = 0;

  /// Others: what this rank wrote is complete, what it read is no longer needed. Does not wait.
  virtual void tell_leader() = 0;
  /// Leader: waits until all others have told.
  virtual void hear_others() = 0;
  /// Leader: what it wrote is complete; `word` goes to all others. Does not wait.
  virtual void tell_others(View<const std::byte> word) = 0;
  /// Others: waits for the leader's word.
  virtual void hear_leader(View<std::byte> word) = 0;
  /// Leader: sums over nodes, of fixed-point numbers.
  virtual void sum_over_nodes(View<std::int64_t> values) = 0;
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

  /// Collective, where not bricks(): one mesh of so many bytes per node, for a solver whose ranks share the
  /// work of their node. A solver that has each rank transform for itself adds up with sum() instead. Must
  /// not outlive this.
  virtual std::unique_ptr<NodeMesh> share_node(std::size_t) {
    throw std::logic_error("a mesh in bricks was asked for a node's whole mesh");
  }
  /// Ranks of a node transform one mesh: share_node() was called.
  virtual bool shares_nodes() const { return false; }

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
