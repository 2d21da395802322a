// Models of one architecture with other weights: copies of a model, and of a model file.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "graph.pb.h"
#include "model/model.hpp"
#include "reference/paths.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

namespace nanoday::reference {

inline void scale_weights(std::vector<DenseLayer>& layers, double factor) {
  for (DenseLayer& layer : layers)
    for (double& w : layer.weight) w *= factor;
}

/// All weights times a factor; Wannier nets included.
inline std::shared_ptr<const Model> with_weights_times(const Model& model, double factor) {
  Model copy = model;
  copy.source += " × " + std::to_string(factor);
  for (EmbeddingNet& net : copy.embedding) scale_weights(net.layers, factor);
  for (FittingNet& net : copy.fitting) scale_weights(net.layers, factor);
  if (copy.dipole_charge)
    copy.dipole_charge->wannier = with_weights_times(*model.dipole_charge->wannier, factor);
  return std::make_shared<const Model>(std::move(copy));
}

/// Writes a copy of a file of tests/data whose weights are those times a factor.
inline void write_with_weights_times(const std::string& name, double factor, const std::string& path) {
  std::ifstream from(data_path(name), std::ios::binary);
  graph::GraphDef graph;
  ASSERT_TRUE(
      graph.ParseFromString({std::istreambuf_iterator<char>(from), std::istreambuf_iterator<char>()}));
  constexpr int k_double = 2;  // TensorFlow's DT_DOUBLE
  int scaled = 0;
  for (auto& node : *graph.mutable_node()) {
    if (node.op() != "Const" || node.name().find("/matrix") == std::string::npos) continue;
    for (auto& entry : *node.mutable_attr()) {
      if (entry.key() != "value" || entry.value().tensor().dtype() != k_double) continue;
      std::string& bytes = *entry.mutable_value()->mutable_tensor()->mutable_tensor_content();
      for (std::size_t at = 0; at + sizeof(double) <= bytes.size(); at += sizeof(double)) {
        double w = 0;
        std::memcpy(&w, bytes.data() + at, sizeof w);
        w *= factor;
        std::memcpy(bytes.data() + at, &w, sizeof w);
      }
      ++scaled;
    }
  }
  ASSERT_GT(scaled, 5) << "the file's nets have other names than expected";
  std::ofstream(path, std::ios::binary) << graph.SerializeAsString();
}

}  // namespace nanoday::reference
