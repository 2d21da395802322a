// Atoms lent to the rank next door, so that all ranks have the same number to evaluate.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "domain_grid.hpp"
#include "transport.hpp"

namespace nanoday {

/// How ranks come to equal numbers of atoms: by lending whenever that saves a few percent, never, or always.
enum class Balance { automatic, off, ring };

/// What a lending did.
struct Lending {
  std::int64_t moved = 0;  ///< atoms that another rank than the owner of their place works on
  double before = 0;       ///< largest number of atoms on a rank, minus the mean
  double after = 0;
};

/// Collective, after migrate(): ranks with too many atoms lend those nearest a face to the rank beyond it, in
/// passes along a, b and c (comm/ring_balance.hpp). Who borrows an atom does everything for it until the next
/// list build, where it goes back to the owner of its place: no force has to be sent home in between. Nothing
/// is lent across the faces of the box itself. The grid's extents are widened to what ranks then hold. \param
/// tolerance  nothing is done while the largest number exceeds the mean by less than this fraction \pre
/// positions are wrapped
Lending lend_atoms(DomainGrid& grid, Transport& transport, double tolerance, Atoms& atoms);

}  // namespace nanoday
