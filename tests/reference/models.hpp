// Models by name: files of tests/data (read once), or toys with random weights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/model_file.hpp"
#include "reference/paths.hpp"
#include "reference/toy_model.hpp"

#include <map>
#include <memory>
#include <string>

namespace nanoday::reference {

/// "toy", "toy_two_sided" (one pair excluded), "toy_gelu", "toy_dipole", or a file of tests/data.
inline Model make_named_model(const std::string& name) {
  if (name == "toy") return toy_model();
  if (name == "toy_two_sided") return toy_model({.one_sided = false, .exclude_00 = true, .seed = 2});
  if (name == "toy_gelu")
    return toy_model({.activation = Activation::gelu, .embedding = {1, 2, 4, 4}, .idt = true, .seed = 3});
  if (name == "toy_dipole") return toy_model({.kind = ModelKind::dipole, .seed = 4});
  return read_model(data_path(name));
}

inline std::shared_ptr<const Model> model_named(const std::string& name) {
  static std::map<std::string, std::shared_ptr<const Model>> models;
  auto& model = models[name];
  if (!model) model = std::make_shared<const Model>(make_named_model(name));
  return model;
}

}  // namespace nanoday::reference
