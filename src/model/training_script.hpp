// What the training input stored in a graph adds to the graph itself.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/model.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nanoday {

/// Settings of the training input that matter at run time. A graph without one leaves `present` false.
struct TrainingScript {
  bool present = false;
  std::vector<std::string> unsupported;            ///< features in use that we lack, most telling first
  std::optional<Activation> embedding_activation;  ///< set whenever present
  std::optional<Activation> fitting_activation;    ///< set whenever present
  std::vector<int> embedding_neuron;               ///< widths; empty when not stated
  std::vector<int> fitting_neuron;                 ///< widths; empty when not stated
  std::optional<int> axis_neuron;
  std::vector<std::pair<int, int>> exclude_types;  ///< (centre, neighbor) as written, not mirrored
};

/// Parses the JSON text. Throws InputError naming `source` if it is not JSON or a setting has the wrong kind.
TrainingScript parse_training_script(std::string_view json, const std::string& source);

}  // namespace nanoday
