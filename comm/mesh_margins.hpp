// Margins of mesh bricks: shares in them go to the points' owners, values come from there.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "brick_grid.hpp"
#include "transport.hpp"

#include <array>
#include <cstdint>
#include <vector>

namespace nanoday {

/// Arrays cover a brick and `margin` points on every side, c fastest. Margins may be wider than the
/// neighbors' bricks and than the mesh: then they hold points of several ranks, of this one too, some of them
/// several times. One message per pair of ranks that share points.
class MeshMargins {
 public:
  MeshMargins(const BrickGrid& grid, int rank, std::array<int, 3> margin);
  /// Collective: adds what margins hold to the owners' points, modulo 2^64; margins become zero.
  void fold(Transport& transport, View<std::int64_t> with_margins) const;
  /// Collective: margins take the owners' values.
  void expand(Transport& transport, View<double> with_margins) const;
  std::size_t size() const;  ///< of the arrays

 private:
  /// Rows along each direction; points are all combinations.
  struct Rows {
    std::array<std::vector<int>, 3> along;
    std::size_t points() const { return along[0].size() * along[1].size() * along[2].size(); }
  };
  struct Peer {
    int rank;
    Rows margin;  ///< of this rank's array that the peer owns
    Rows core;    ///< of this rank's brick that the peer's array holds, in the order of the peer's `margin`
  };
  template <class F>
  void for_points(const Rows& rows, F use) const;
  /// Calls use(margin point, own point) for points in the margin that this rank owns itself.
  template <class F>
  void for_own_images(F use) const;
  template <class T>
  void clear_margins(View<T> with_margins) const;
  bool inside(int a, int b, int c) const;

  int rank_;
  std::array<int, 3> brick_{}, margin_{}, shape_{};  ///< points of the brick, of a margin, of the array
  std::vector<Peer> peers_;                          ///< other ranks
  Rows own_margin_, own_core_;
};

}  // namespace nanoday
