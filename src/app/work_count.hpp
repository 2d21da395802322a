// Multiply-adds of one step, counted from the plan and the real neighbors, for shares of peak.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/timer.hpp"
#include "forces/evaluator.hpp"

namespace nanoday {

/// Fused multiply-adds of one force evaluation without energy. Those in single precision inside a double plan
/// (weak products) count half, so that a share of the double peak means what it says.
struct WorkCount {
  double neighbors = 0;   ///< real neighbors per atom, mean
  double descriptor = 0;  ///< table, outer product, rotation, products, and their way back to ∂E/∂a
  double fitting = 0;     ///< dense layers forward and back, without activations
  double gradient = 0;    ///< table and slope again, ∂E/∂R of every neighbor
  double of(Stage stage) const;
};

WorkCount count_work(const Evaluator& evaluator);

}  // namespace nanoday
