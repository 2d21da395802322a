// From a structure and a model to atoms ready for an Evaluator.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/atoms.hpp"
#include "atoms/structure.hpp"

namespace nanoday {

/// Local atoms in input order: positions as given, ids 0…n−1, masses from the structure (0 when unknown:
/// callers that move atoms fill them in), velocities and images where the structure has them, else zero.
/// \param first_id  of the first atom, when the structure is a part of a larger one
Atoms make_atoms(const Structure& structure, const std::vector<std::int32_t>& model_type,
                 std::int64_t first_id = 0);

}  // namespace nanoday
