// Atoms lent to other ranks: nodes come to equal numbers of atoms, the ranks of a node to their shares of its
// work. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "domain_grid.hpp"
#include "transport.hpp"

#include <memory>
#include <vector>

namespace nanoday {

/// How ranks come to equal work: by lending whenever that saves a few percent, never, or always.
enum class Balance { automatic, off, ring };

/// What a lending did. Unevenness: the larger of two numbers, atoms of the fullest node over the mean of all
/// nodes, minus one; and what the busiest rank has beyond its share of its node's work, over an equal share.
struct Lending {
  std::int64_t moved = 0;  ///< atoms that another rank than the owner of their place works on
  double before = 0;       ///< unevenness
  double after = 0;
};

/// Nodes here are those of DomainGrid: where nodes have different numbers of ranks, every rank is one.
class Lender {
 public:
  /// Collective. `transport` must outlive it.
  explicit Lender(Transport& transport);
  /// Ranks of a node.
  int members() const { return team_->size(); }

  /// Collective, after migrate(). Between nodes: those with too many atoms lend those nearest a face to the
  /// node beyond it, in passes along a, b and c (comm/ring_balance.hpp). Inside a node: all its atoms are cut
  /// into slabs along a, these into columns along b, these along c, so that every rank gets its share of the
  /// work, to within one atom per cut. Who borrows an atom does everything for it until the next list build,
  /// where it goes back to the owner of its place: no force has to be sent home in between. Nothing is lent
  /// across the faces of the box itself. The grid's extents are widened to what ranks then hold.
  /// \param tolerance  nothing is done while the unevenness is less than this
  /// \param share  (ranks of the node, in order) parts of the node's work, summing to 1; empty: equal ones
  /// \param work  (nlocal) x: the work of each atom, in whole numbers ≥ 1 of any unit, as large as the work
  /// of
  ///   one neighbor or so; the other components are not used. It travels with the atoms.
  /// \pre positions are wrapped
  Lending lend(DomainGrid& grid, double tolerance, View<const double> share, Atoms& atoms,
               Array<Vec4>& work) const;
  /// Collective: unevenness of what ranks hold.
  double unevenness(const DomainGrid& grid, View<const double> share, View<const Vec4> work) const;

 private:
  Transport& transport_;
  std::unique_ptr<Transport> team_;  ///< ranks of this one's node
};

}  // namespace nanoday
