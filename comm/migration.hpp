// Atoms move to the ranks that own their places.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "domain_grid.hpp"
#include "transport.hpp"

namespace nanoday {

/// Collective: sends every local atom with all it has (position, velocity, type, id, mass, image) to the
/// owner of its position; ghosts are dropped. Any distance: a rank need not be a neighbor. Atoms are
/// afterwards ordered by id, so that what follows does not depend on where they came from. \param rows
/// further arrays with one row per local atom that travel with them (list reference positions) \pre positions
/// are wrapped
void migrate(const DomainGrid& grid, Transport& transport, Atoms& atoms,
             const std::vector<Array<Vec4>*>& rows = {});

/// Collective: the same to any destinations. \param destination (nlocal) ranks
void move_atoms(Transport& transport, const std::vector<int>& destination, Atoms& atoms,
                const std::vector<Array<Vec4>*>& rows = {});

}  // namespace nanoday
