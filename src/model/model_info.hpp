// Describes a model to people and to programs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/model.hpp"

#include <string>

namespace nanoday {

/// One JSON object, keys as `info --json` promises: model, hash, kind, type_map, descriptor, rcut, rcut_smth
/// [Å], sel, precision, compressed, type_one_side, embedding and fitting (widths), axis_neuron, activation,
/// fitting_activation, resnet_dt, exclude_types (pairs a ≤ b), and where they apply min_nbor_dist [Å],
/// table_range, sel_type. Of a compressed model `embedding` is the last width alone and `activation` that of
/// the fitting nets: the file keeps no others. DPLR models (kind "dplr") also have sel_type (types that carry
/// a Wannier centroid), wannier_charges (one for each of these) and ion_charges (one for each type) [e],
/// ewald_beta [1/Å], ewald_h [Å], and `wannier`: the Wannier net's own model, hash, and keys from descriptor
/// to table_range.
std::string model_info_json(const Model& model);

/// The same for people: aligned lines, without a final newline.
std::string model_info_text(const Model& model);

}  // namespace nanoday
