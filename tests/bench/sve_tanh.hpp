// The ways to compute tanh whose instructions sve_tanh.cpp counts.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nanoday::bench {

/// y = tanh x by the polynomial that src/cpu uses on other processors, compiled for SVE. \param n whole
/// vectors
void inherited_tanh(const double* x, int n, double* y);
void inherited_tanh(const float* x, int n, float* y);

}  // namespace nanoday::bench
