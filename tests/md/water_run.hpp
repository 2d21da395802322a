// The short reproducible run of a few waters that tests of ranks repeat on machines of all kinds.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "md/run.hpp"
#include "reference/dplr.hpp"

#include <string>

namespace nanoday::test {

/// \param structure,out  paths \param dplr  the model with a long-range part; callers choose thermostat and
/// steps
inline RunConfig water_run(const std::string& structure, const std::string& out, bool dplr) {
  RunConfig c;
  c.model = reference::data_path(dplr ? "water_dplr.pb" : "water_sea.pb");
  c.structure = structure;
  c.out = out;
  c.ensemble = Ensemble::nvt;
  c.target = 330;
  c.seed = 4;
  c.dt = 0.001;
  c.every = 0.004;
  c.thermo_every = 3;
  c.checkpoint_every = 10;
  c.table = TableKind::quintic;
  c.skin = 0.3;
  c.reproducible = true;
  return c;
}

}  // namespace nanoday::test
