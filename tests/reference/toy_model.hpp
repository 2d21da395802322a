// Models with random weights, for tests that need no file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/model.hpp"

#include <random>

namespace nanoday::reference {

struct ToyOptions {
  ModelKind kind = ModelKind::energy;
  bool one_sided = true;
  bool exclude_00 = false;
  Activation activation = Activation::tanh;
  std::vector<int> embedding{4, 8};
  std::vector<int> fitting{7, 7};
  int m2 = 3;
  std::vector<int> sel{40, 80};
  bool idt = false;
  double shift = 0.05;  ///< avg of the first component: padding contributes when not zero
  unsigned seed = 1;
};

inline DenseLayer toy_layer(int n_in, int n_out, bool idt, std::mt19937_64& random) {
  std::normal_distribution<double> normal(0, 1);
  DenseLayer layer{n_in, n_out, {}, {}, {}};
  for (int k = 0; k < n_in * n_out; ++k) layer.weight.push_back(normal(random) / std::sqrt(n_in + n_out));
  for (int k = 0; k < n_out; ++k) layer.bias.push_back(0.3 * normal(random));
  for (int k = 0; idt && k < n_out; ++k) layer.idt.push_back(0.5 + 0.1 * normal(random));
  return layer;
}

inline std::vector<DenseLayer> toy_layers(int n_in, const std::vector<int>& widths, bool idt,
                                          std::mt19937_64& random) {
  std::vector<DenseLayer> layers;
  for (const int n_out : widths) {
    layers.push_back(toy_layer(n_in, n_out, idt, random));
    n_in = n_out;
  }
  return layers;
}

/// Two types, cutoff 4 Å (switch from 1 Å).
inline Model toy_model(const ToyOptions& options = {}) {
  std::mt19937_64 random(options.seed);
  Model model;
  model.source = "toy model";
  model.hash = "0000000000000000";
  model.kind = options.kind;
  model.type_map = {"O", "H"};
  model.rcut = 4;
  model.rcut_smth = 1;
  model.switch_width = 3;
  model.sel = options.sel;
  model.normaliser = options.sel[0] + options.sel[1];
  model.avg = {{options.shift, 0, 0, 0}, {0.7 * options.shift, 0, 0, 0}};
  model.std = {{0.2, 0.15, 0.15, 0.15}, {0.25, 0.2, 0.2, 0.2}};
  model.min_nbor_dist = 0.8;
  model.one_sided = options.one_sided;
  model.m1 = options.embedding.back();
  model.m2 = options.m2;
  model.resnet_dt = options.idt;
  model.excluded.assign(4, 0);
  model.excluded[0] = options.exclude_00;
  for (int pair = 0; pair < model.pair_count(); ++pair) {
    EmbeddingNet net{options.activation, toy_layers(1, options.embedding, options.idt, random)};
    const bool unused = options.exclude_00 && pair == 0 && !options.one_sided;
    model.embedding.push_back(unused ? EmbeddingNet{} : net);
  }
  const bool dipole = options.kind == ModelKind::dipole;
  for (int type = 0; type < 2; ++type) {
    FittingNet net;
    net.activation = options.activation;
    net.layers = toy_layers(model.m1 * model.m2, options.fitting, options.idt, random);
    if (!net.layers.empty()) net.layers[0].idt.clear();
    net.output = toy_layer(options.fitting.back(), dipole ? model.m1 : 1, false, random);
    model.selected.push_back(!dipole || type == 0);
    model.fitting.push_back(model.selected.back() ? net : FittingNet{});
  }
  model.bias_atom_e = {-1.5, 0.25};
  model.out_bias = {0, 0};
  model.out_std = {1, 1};
  return model;
}

}  // namespace nanoday::reference
