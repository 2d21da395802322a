// A mesh in bricks, one per rank: margins, sums and the transform behind one interface for the solvers.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/mesh_ranks.hpp"
#include "brick_grid.hpp"
#include "reduction_fft.hpp"
#include "transport.hpp"

#include <array>
#include <memory>

namespace nanoday {

/// Collective: the mesh of one rank, cut as the domains are. Margins: see mesh_margin() of brick_grid.hpp.
/// `transport` is used by all operations and must outlive the result. Throws InputError when the box does not
/// repeat along every direction.
///
/// By the reduction FFT: the same bits on any number of ranks with options.block = 1.
std::unique_ptr<MeshRanks> make_reduction_mesh(Transport& transport, const DomainGrid& domains,
                                               std::array<int, 3> mesh, std::array<int, 3> margin,
                                               ReductionOptions options);
/// By redistribution to pencils: the same bits on any number of ranks.
std::unique_ptr<MeshRanks> make_pencil_mesh(Transport& transport, const DomainGrid& domains,
                                            std::array<int, 3> mesh, std::array<int, 3> margin);

/// Collective: rings of ranks along a, b, c, as the reduction FFT needs them.
std::array<std::unique_ptr<RingSum>, 3> make_rings(Transport& transport, const BrickGrid& grid);

}  // namespace nanoday
