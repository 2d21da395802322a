// Toy models of many shapes: what packed layouts and tiled kernels could get wrong.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "reference/toy_model.hpp"

#include <string>
#include <utility>
#include <vector>

namespace nanoday::reference {

/// Shapes that a packed kernel could get wrong: odd widths, one layer, no doubling, no padding, …
inline std::vector<std::pair<std::string, ToyOptions>> shapes() {
  return {{"plain", {}},
          {"two sided", {.one_sided = false}},
          {"two sided with an excluded pair", {.one_sided = false, .exclude_00 = true}},
          {"one sided with an excluded pair", {.exclude_00 = true}},
          {"odd widths", {.embedding = {3, 5, 7}, .fitting = {11, 13}, .m2 = 7}},
          {"wide", {.embedding = {8, 16, 32}, .fitting = {33, 33, 33}, .m2 = 16}},
          {"one column", {.embedding = {1}, .fitting = {5}, .m2 = 1}},
          {"first layer as wide as its input", {.fitting = {24, 24, 12, 12}}},
          {"time steps, gelu", {.activation = Activation::gelu, .embedding = {2, 4, 4}, .idt = true}},
          {"softplus", {.activation = Activation::softplus}},
          {"sigmoid", {.activation = Activation::sigmoid}},
          {"silu", {.activation = Activation::silu}},
          {"linear", {.activation = Activation::linear}},
          {"padding is inert", {.shift = 0}}};
}

}  // namespace nanoday::reference
