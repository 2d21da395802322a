// Turns a parsed graph into a Model.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/graph_def.hpp"
#include "model/model.hpp"

#include <string>

namespace nanoday {

/// Reads the model whose nodes carry `prefix`: "" for the graph's own, "dipole_charge/" for an embedded one.
/// `hash` is left empty. Throws InputError naming what is unsupported or inconsistent.
Model read_graph_model(const Graph& graph, const std::string& prefix);

}  // namespace nanoday
