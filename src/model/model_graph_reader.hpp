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

/// Reads the graph's modifier ("modifier_attr/…") and the Wannier net embedded under "dipole_charge/" into
/// model.dipole_charge; leaves a graph without modifier alone. Charges are kept as written: training and
/// DeePMD-kit's Python interface truncate them to integers. The file name of a separate dipole model, which
/// the modifier states too, is ignored. \pre model = read_graph_model(graph, "")
/// Throws InputError for another modifier, and naming the node that is missing, out of bounds or
/// inconsistent.
void read_modifier(const Graph& graph, Model& model);

}  // namespace nanoday
