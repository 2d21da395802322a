// Activations of a layer's outputs, with the lanes of several outputs in one vector when atoms are few.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/kernels/embedding_net.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// Outputs first … first + count, each with `n_atoms` lanes, through one vector. Neighbors overlap in memory:
/// what an output has behind its atoms is overwritten by the next one's.
template <class Real, class Input, class Output>
NANODAY_INLINE void activate_together(Activation kind, int first, int count, int n_atoms, const Input& input,
                                      const Output& output) {
  constexpr int lanes = k_lanes<Real>;
  alignas(64) Real packed[2 * lanes] = {}, slopes[2 * lanes] = {};
  for (int r = 0; r < count; ++r) store(packed + r * n_atoms, input(first + r, 0));
  Vec<Real> value, slope;
  activate_lanes<Real>(kind, load(packed), value, slope);
  store(packed, value);
  store(slopes, slope);
  for (int r = 0; r < count; ++r)
    output(first + r, 0, load(packed + r * n_atoms), load(slopes + r * n_atoms));
}

/// output(o, lane, φ(x), φ'(x)) with x = input(o, lane) for outputs o = 0 … rows − 1 and every vector of
/// atoms, which begins at `lane`. A lane's result does not depend on the others.
template <class Real, class Input, class Output>
NANODAY_INLINE void activate_rows(Activation kind, int rows, int n_atoms, const Input& input,
                                  const Output& output) {
  constexpr int lanes = k_lanes<Real>;
  const int together = n_atoms > 0 ? lanes / n_atoms : 1;
  if (together > 1) {
    for (int o = 0; o < rows; o += together)
      activate_together<Real>(kind, o, rows - o < together ? rows - o : together, n_atoms, input, output);
    return;
  }
  for (int o = 0; o < rows; ++o)
    for (int lane = 0; lane < n_atoms; lane += lanes) {
      Vec<Real> value, slope;
      activate_lanes<Real>(kind, input(o, lane), value, slope);
      output(o, lane, value, slope);
    }
}

}  // namespace nanoday::cpu::NANODAY_ISA
