// Embedding and fitting nets with their derivatives, layer by layer.
// SPDX-License-Identifier: Apache-2.0
#include "oracle/nets.hpp"

#include <cmath>
#include <numbers>
#include <utility>

namespace nanoday::oracle {
namespace {

std::pair<double, double> tanh_and_slope(double x) {
  const double t = std::tanh(x);
  return {t, 1 - t * t};
}

/// The tanh form that DeePMD-kit uses: ½x(1 + tanh(√(2/π)(x + 0.044715x³))).
std::pair<double, double> gelu_and_slope(double x) {
  const double k = std::sqrt(2 / std::numbers::pi);
  const auto [t, dt] = tanh_and_slope(k * (x + 0.044715 * x * x * x));
  return {0.5 * x * (1 + t), 0.5 * (1 + t) + 0.5 * x * dt * k * (1 + 3 * 0.044715 * x * x)};
}

/// φ(x) and φ'(x).
std::pair<double, double> value_and_slope(Activation activation, double x) {
  const double sigmoid = 1 / (1 + std::exp(-x));
  switch (activation) {
    case Activation::tanh:
      return tanh_and_slope(x);
    case Activation::gelu:
      return gelu_and_slope(x);
    case Activation::relu:
      return {x > 0 ? x : 0, x > 0 ? 1 : 0};
    case Activation::relu6:
      return {x < 0 ? 0 : (x > 6 ? 6 : x), x > 0 && x < 6 ? 1 : 0};
    case Activation::softplus:
      return {x > 30 ? x : std::log1p(std::exp(x)), sigmoid};
    case Activation::sigmoid:
      return {sigmoid, sigmoid * (1 - sigmoid)};
    case Activation::silu:
      return {x * sigmoid, sigmoid + x * sigmoid * (1 - sigmoid)};
    case Activation::linear:
      break;
  }
  return {x, 1};
}

/// x · W, without the bias.
std::vector<double> multiply(const std::vector<double>& x, const DenseLayer& layer) {
  std::vector<double> y(layer.n_out, 0.0);
  for (int i = 0; i < layer.n_in; ++i)
    for (int o = 0; o < layer.n_out; ++o) y[o] += x[i] * layer.weight[i * layer.n_out + o];
  return y;
}

double idt_of(const DenseLayer& layer, int o) { return layer.idt.empty() ? 1.0 : layer.idt[o]; }

}  // namespace

ValueAndSlope embed(const EmbeddingNet& net, double x) {
  ValueAndSlope g{{x}, {1.0}};
  for (const DenseLayer& layer : net.layers) {
    const std::vector<double> z = multiply(g.value, layer);
    const std::vector<double> dz = multiply(g.slope, layer);
    const bool same = layer.n_out == layer.n_in;
    const bool doubled = layer.n_out == 2 * layer.n_in;
    ValueAndSlope next{std::vector<double>(layer.n_out), std::vector<double>(layer.n_out)};
    for (int o = 0; o < layer.n_out; ++o) {
      const auto [h, dh] = value_and_slope(net.activation, z[o] + layer.bias[o]);
      next.value[o] = h;
      next.slope[o] = dh * dz[o];
      if (!same && !doubled) continue;
      next.value[o] = h * idt_of(layer, o) + g.value[o % layer.n_in];
      next.slope[o] = dh * dz[o] * idt_of(layer, o) + g.slope[o % layer.n_in];
    }
    g = std::move(next);
  }
  return g;
}

FittingTrace fit(const FittingNet& net, const std::vector<double>& descriptor) {
  FittingTrace trace;
  std::vector<double> x = descriptor;
  for (std::size_t l = 0; l < net.layers.size(); ++l) {
    const DenseLayer& layer = net.layers[l];
    trace.input.push_back(x);
    const std::vector<double> z = multiply(x, layer);
    std::vector<double> y(layer.n_out), slope(layer.n_out);
    for (int o = 0; o < layer.n_out; ++o) {
      const auto [h, dh] = value_and_slope(net.activation, z[o] + layer.bias[o]);
      y[o] = h * idt_of(layer, o);
      slope[o] = dh * idt_of(layer, o);
      if (l >= 1 && layer.n_out == layer.n_in) y[o] += x[o];
    }
    trace.slope.push_back(std::move(slope));
    x = std::move(y);
  }
  trace.input.push_back(x);
  trace.output = multiply(x, net.output);
  for (int o = 0; o < net.output.n_out; ++o) trace.output[o] += net.output.bias[o];
  return trace;
}

std::vector<double> fit_backward(const FittingNet& net, const FittingTrace& trace,
                                 const std::vector<double>& cotangent) {
  const auto pull = [](const DenseLayer& layer, const std::vector<double>& dy) {
    std::vector<double> dx(layer.n_in, 0.0);
    for (int i = 0; i < layer.n_in; ++i)
      for (int o = 0; o < layer.n_out; ++o) dx[i] += layer.weight[i * layer.n_out + o] * dy[o];
    return dx;
  };
  std::vector<double> d = pull(net.output, cotangent);
  for (std::size_t l = net.layers.size(); l-- > 0;) {
    const DenseLayer& layer = net.layers[l];
    std::vector<double> dz(layer.n_out);
    for (int o = 0; o < layer.n_out; ++o) dz[o] = d[o] * trace.slope[l][o];
    std::vector<double> dx = pull(layer, dz);
    if (l >= 1 && layer.n_out == layer.n_in)
      for (int o = 0; o < layer.n_out; ++o) dx[o] += d[o];
    d = std::move(dx);
  }
  return d;
}

}  // namespace nanoday::oracle
