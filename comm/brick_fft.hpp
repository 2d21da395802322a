// The discrete Fourier transform of a mesh that is cut into bricks.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/view.hpp"

#include <complex>

namespace nanoday {

/// Collective; not normalised; in place: the own brick of points in, the own brick of frequencies out (the
/// same indices), c fastest.
class BrickFft {
 public:
  virtual ~BrickFft() = default;
  /// x[j] → Σ_j x[j] e^{−2πi j·k/N}
  virtual void forward(View<std::complex<double>> brick) = 0;
  /// The same with e^{+2πi j·k/N}.
  virtual void backward(View<std::complex<double>> brick) = 0;
};

}  // namespace nanoday
