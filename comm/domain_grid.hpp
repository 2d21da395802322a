// Which part of the box each rank owns.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "block_axis.hpp"
#include "core/box.hpp"
#include "core/view.hpp"

#include <array>
#include <vector>

namespace nanoday {

class Transport;

/// Coordinates in which domains are boxes: fractions of the cell, or lengths along x, y, z for open space;
/// along directions that do not repeat, domains at the ends reach to infinity.
struct DomainFrame {
  Box box;                      ///< a cell with volume also where `box` of the run has none
  std::array<double, 3> low{};  ///< extent of the atoms along each direction (0 … 1 where it repeats)
  std::array<double, 3> high{};
};

/// Collective when there are several ranks: the frame of a box and all atoms in it; the same bits on every
/// rank. \pre positions are finite and wrapped along periodic directions Throws InputError for a periodic box
/// without volume.
DomainFrame domain_frame(const Box& box, View<const Vec4> local_position, Transport& transport);

/// A grid of domains; every rank has one (it may be empty of atoms).
class DomainGrid {
 public:
  /// Pure: chooses the grid that gives the smallest surface between nodes first, inside nodes second. Nodes
  /// with equal numbers of ranks get a box each, cut among their ranks; otherwise every rank counts as a
  /// node. \param node_of (ranks)
  DomainGrid(const DomainFrame& frame, const std::vector<int>& node_of);

  struct Region {
    std::array<double, 3> low{}, high{};  ///< fractions; ±infinity at the ends of open directions
  };
  /// The one rank whose region holds the position: low ≤ fraction < high. What rounding put beyond 0 … 1 of a
  /// periodic direction belongs to the first or the last domain.
  int owner(Vec3 position) const;
  /// \param rank 0 … ranks − 1
  Region region(int rank) const;
  /// The smallest box of all ranks of the node `rank` belongs to.
  Region node_region(int rank) const;
  int ranks() const { return static_cast<int>(place_.size()); }
  const std::array<int, 3>& shape() const { return shape_; }  ///< domains along a, b, c
  const std::array<int, 3>& nodes() const { return nodes_; }  ///< nodes along a, b, c; each divides shape()
  const DomainFrame& frame() const { return frame_; }
  /// (shape + 1) where domains begin and end along an axis, without the infinities of open directions.
  const std::vector<double>& cuts(int axis) const { return cuts_[static_cast<std::size_t>(axis)]; }
  /// (shape) what the atoms that ranks hold span along an axis: the domains, or more where atoms are lent.
  const std::vector<BlockAxis::Extent>& extents(int axis) const {
    return extents_[static_cast<std::size_t>(axis)];
  }
  /// Collective: widens the extents to what these local atoms span. \pre positions are wrapped
  void span(View<const Vec4> local_position, Transport& transport);
  /// Place of a rank in the grid and back.
  std::array<int, 3> place(int rank) const { return place_[static_cast<std::size_t>(rank)]; }
  int rank_at(std::array<int, 3> place) const;

 private:
  /// Domains begin … end − 1 along each axis.
  Region region_of(std::array<int, 3> begin, std::array<int, 3> end) const;

  DomainFrame frame_;
  std::array<int, 3> shape_{1, 1, 1}, nodes_{1, 1, 1};
  std::array<std::vector<double>, 3> cuts_;
  std::array<std::vector<BlockAxis::Extent>, 3> extents_;
  std::vector<std::array<int, 3>> place_;  ///< (ranks)
  std::vector<int> rank_;                  ///< (domains)
};

}  // namespace nanoday
