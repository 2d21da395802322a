// Activation functions of fitting nets on the device: value and slope in the nets' own precision.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cuda/device.hpp"
#include "math/activation.hpp"

#include <cmath>

namespace nanoday::NANODAY_GPU {

template <class Real>
struct Activated {
  Real value, slope;
};

/// tanh x to rounding in absolute terms (3e-16): without the branches of the library's, whose lanes differ.
NANODAY_DEVICE double accurate_tanh(double x) { return 1.0 - 2.0 / (std::exp(2.0 * x) + 1.0); }
/// In single precision that form would lose 1e-7; the library's is good to 6e-8.
NANODAY_DEVICE float accurate_tanh(float x) { return std::tanh(x); }

/// φ(x) and φ'(x) (spec 2.4), as math/activation.hpp but in Real.
template <class Real>
NANODAY_DEVICE Activated<Real> activate_as(Activation kind, Real x) {
  const Real one = 1, half = Real(0.5);
  switch (kind) {
    case Activation::tanh: {
      const Real t = accurate_tanh(x);
      return {t, one - t * t};
    }
    case Activation::gelu: {
      const Real k = Real(0.79788456080286535588), c = Real(0.044715);  // √(2/π)
      const Real t = accurate_tanh(k * (x + c * x * x * x));
      return {half * x * (one + t), half * (one + t) + half * x * (one - t * t) * k * (one + 3 * c * x * x)};
    }
    case Activation::relu:
      return {x <= 0 ? Real(0) : x, x <= 0 ? Real(0) : (x == x ? one : x)};  // what is no number stays none
    case Activation::relu6:
      return {x <= 0 ? Real(0) : (x >= 6 ? Real(6) : x), x <= 0 || x >= 6 ? Real(0) : (x == x ? one : x)};
    case Activation::softplus:
      return {x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)), one / (one + std::exp(-x))};
    case Activation::sigmoid: {
      const Real s = one / (one + std::exp(-x)), rest = one / (one + std::exp(x));
      return {s, s * rest};
    }
    case Activation::silu: {  // 1 − s as such: the difference would lose digits, and x magnifies that
      const Real s = one / (one + std::exp(-x)), rest = one / (one + std::exp(x));
      return {x * s, s + x * s * rest};
    }
    case Activation::linear:
      break;
  }
  return {x, one};
}

}  // namespace nanoday::NANODAY_GPU
