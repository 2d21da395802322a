// Reads model files as data: bounded, nothing in them is executed.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/model.hpp"

#include <string>

namespace nanoday {

/// Reads a TensorFlow frozen graph (`.pb`), plain or compressed: energy or dipole model with an se_e2_a
/// descriptor (a hybrid of one member counts as its member); a DPLR model with its charges and the Wannier
/// net inside. Charges are kept as written, also fractions, as LAMMPS would use them; DeePMD-kit's training
/// and Python interface cut them to integers. Throws InputError naming what is unsupported, truncated, or
/// inconsistent.
Model read_model(const std::string& path);

/// As read_model, from memory (used by tests and fuzzers). `source` appears in messages.
Model parse_graph_model(std::string_view bytes, const std::string& source);

}  // namespace nanoday
