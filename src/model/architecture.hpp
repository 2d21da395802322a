// Whether two models differ in nothing but their numbers, so that one machine can evaluate both at once.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/model.hpp"

namespace nanoday {

/// Throws InputError naming both files and the first thing in which the models differ: kind, elements, form
/// (nets or tables), cutoff, sel, excluded pairs, layer sizes, types with an output, long-range part (whose
/// Wannier nets are compared likewise). Weights, statistics, activations, energies and charges are free.
void require_same_architecture(const Model& a, const Model& b);

}  // namespace nanoday
