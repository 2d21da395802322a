// Names of activation functions as model files write them.
// SPDX-License-Identifier: Apache-2.0
#include "core/error.hpp"
#include "model/model.hpp"

#include <string_view>
#include <utility>

namespace nanoday {
namespace {

// The first name of each function is the one we print; later ones are further spellings.
constexpr std::pair<std::string_view, Activation> k_names[] = {
    {"tanh", Activation::tanh},   {"gelu", Activation::gelu},         {"relu", Activation::relu},
    {"relu6", Activation::relu6}, {"softplus", Activation::softplus}, {"sigmoid", Activation::sigmoid},
    {"silu", Activation::silu},   {"linear", Activation::linear},     {"gelu_tf", Activation::gelu},
    {"none", Activation::linear},
};

}  // namespace

std::string_view activation_name(Activation activation) {
  for (const auto& [name, value] : k_names) {
    if (value == activation) return name;
  }
  throw InputError("activation has no name (value out of range); this is a programming error");
}

Activation parse_activation(std::string_view name) {
  for (const auto& [known, value] : k_names) {
    if (known == name) return value;
  }
  throw InputError(
      fmt::format("activation function '{}' is not supported; known are tanh, gelu, relu, relu6, "
                  "softplus, sigmoid, silu, linear",
                  name));
}

}  // namespace nanoday
