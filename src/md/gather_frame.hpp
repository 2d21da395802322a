// Atoms of all ranks as a frame: every rank gets the rows of its share of the ids.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "atoms/forces.hpp"
#include "io/frame.hpp"
#include "transport.hpp"

namespace nanoday {

/// Puts local atoms, which lie on any rank and in memory in any order, into the input's order and into the
/// box. Collective. Step, time and energy are left to the caller. \param natoms of all ranks; ids are 0 …
/// natoms − 1 \param forces (nlocal or more) forces.force in the atoms' order; read only when parts.force
Frame gather_frame(Transport& ranks, std::int64_t natoms, const Box& box, const Atoms& atoms,
                   const Forces& forces, FrameParts parts);

}  // namespace nanoday
