// The influence function on a half spectrum, made on the device.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/runtime.hpp"
#include "model/influence.hpp"

namespace nanoday::NANODAY_GPU {

/// Modes (N_a, N_b, N_c/2 + 1), the last index fastest. In a skewed cell −N/2 and +N/2 are different waves:
/// with g = green and h = edge_difference the wave of a mode with edge frequencies −N/2 weighs g + h, its
/// mirror with +N/2 weighs g − h. A derivative along d is i·n_d·h where n_d is on the edge and i·n_d·g
/// elsewhere.
struct InfluenceTable {
  DeviceArray<double> green;            ///< G·C/V, of edge modes the mean of both waves [eV/e²]
  DeviceArray<double> edge_difference;  ///< 0 off the edges; empty when it vanishes everywhere
};

/// Waits for the stream.
InfluenceTable make_influence_table(Stream& stream, const LongRangePlan& plan,
                                    const InfluenceFunction& influence);

}  // namespace nanoday::NANODAY_GPU
