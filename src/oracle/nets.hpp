// Embedding and fitting nets with their derivatives, layer by layer.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/model.hpp"

#include <vector>

namespace nanoday::oracle {

/// A function of one number with its slope.
struct ValueAndSlope {
  std::vector<double> value;  ///< (M1)
  std::vector<double> slope;  ///< (M1) d value / d x
};

/// G(x) of an embedding net and its derivative, both carried forward through the layers (spec 2.4).
ValueAndSlope embed(const EmbeddingNet& net, double x);

/// Inputs of every layer, kept for the way back.
struct FittingTrace {
  std::vector<std::vector<double>>
      input;  ///< (n_layers + 1) input of each hidden layer, then of the output layer
  std::vector<std::vector<double>> slope;  ///< (n_layers) φ' ∘ idt of each hidden layer
  std::vector<double> output;
};

/// Fitting net (spec 2.6): shortcut iff l ≥ 1 and n_l = n_{l−1}.
FittingTrace fit(const FittingNet& net, const std::vector<double>& descriptor);

/// ∂(cotangent · output)/∂descriptor.
std::vector<double> fit_backward(const FittingNet& net, const FittingTrace& trace,
                                 const std::vector<double>& cotangent);

}  // namespace nanoday::oracle
