// What `nanoday estimate` feeds its model with: operations of a plan, a structure's cell, this machine's own
// speed. SPDX-License-Identifier: Apache-2.0
#pragma once

#include "app/engine.hpp"
#include "atoms/structure.hpp"
#include "estimate/step_model.hpp"

#include <string>

namespace nanoday {

/// What the user wants to know about.
struct EstimateQuestion {
  std::string structure;  ///< file; empty: only the model is known
  double atoms = 0;       ///< 0: those of the structure and --replicate
  double density = 0.1;   ///< without a structure [atoms/Å³]
  Algorithm algorithm = Algorithm::nanoday;
  bool measure = false;  ///< step a sample here
};

/// A workload, and where some of it comes from.
struct EstimateInputs {
  Workload work;
  AtomTimes measured;  ///< with `measure`
  std::string plan;    ///< "lowrank, double", for people
};

/// Chooses a plan on the structure as it is (not its copies) and counts its operations; with `measure` also
/// steps enough copies of it here. Without a structure: the quintic table's operations at the given density,
/// types in proportion to `sel`. Throws InputError.
EstimateInputs make_estimate_inputs(Engine& engine, const EstimateQuestion& question);

}  // namespace nanoday
