// Activation functions of the nets and their slopes.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core/host_device.hpp"

#include <cmath>

namespace nanoday {

enum class Activation { tanh, gelu, relu, relu6, softplus, sigmoid, silu, linear };

struct ActivationValue {
  double value, slope, curvature;
};

/// φ(x), φ'(x), φ''(x) for every supported activation (spec 2.4).
NANODAY_HD inline ActivationValue activate(Activation kind, double x) {
  switch (kind) {
    case Activation::tanh: {
      const double t = std::tanh(x), d = 1 - t * t;
      return {t, d, -2 * t * d};
    }
    case Activation::gelu: {  // gelu_tf: x/2 (1 + tanh(√(2/π)(x + 0.044715 x³)))
      const double k = std::sqrt(2.0 / M_PI), c = 0.044715;
      const double t = std::tanh(k * (x + c * x * x * x)), d = 1 - t * t;
      const double u1 = k * (1 + 3 * c * x * x), u2 = k * 6 * c * x;
      return {0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * d * u1,
              d * u1 + 0.5 * x * (-2 * t * d * u1 * u1 + d * u2)};
    }
    case Activation::relu:  // what is no number stays none
      return {x <= 0 ? 0 : x, x <= 0 ? 0 : (x == x ? 1 : x), 0};
    case Activation::relu6:
      return {x <= 0 ? 0 : (x >= 6 ? 6 : x), x <= 0 || x >= 6 ? 0 : (x == x ? 1 : x), 0};
    case Activation::softplus: {
      const double s = 1 / (1 + std::exp(-x));
      return {x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)), s, s * (1 - s)};
    }
    case Activation::sigmoid: {
      const double s = 1 / (1 + std::exp(-x)), d = s * (1 - s);
      return {s, d, d * (1 - 2 * s)};
    }
    case Activation::silu: {
      const double s = 1 / (1 + std::exp(-x)), d = s * (1 - s);
      return {x * s, s + x * d, 2 * d + x * d * (1 - 2 * s)};
    }
    case Activation::linear:
      break;
  }
  return {x, 1, 0};
}

}  // namespace nanoday
