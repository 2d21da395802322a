// Every set of kernels that runs here, for tests whose body is the same for all.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/sve_backend.hpp"
#include "cpu/cpu_backend.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace nanoday::reference {

/// Those of cpu/ and of arm/ that this processor runs (on x86 the loops of arm/ without SVE).
inline std::vector<cpu::InstructionSet> every_instruction_set() {
  std::vector<cpu::InstructionSet> available;
  for (const auto& sets : {cpu::instruction_sets(), arm::instruction_sets()})
    for (const cpu::InstructionSet& set : sets)
      if (set.available) available.push_back(set);
  return available;
}

/// The machines whose kernels tests of all kernels run on: the processor's best of each family, and on x86
/// the loops of arm/. Name and set; other sets of a family compile the same loops.
inline std::vector<cpu::InstructionSet> best_instruction_sets() {
  std::vector<cpu::InstructionSet> best;
  for (const auto& sets : {cpu::instruction_sets(), arm::instruction_sets()})
    if (const auto found =
            std::find_if(sets.begin(), sets.end(), [](const auto& set) { return set.available; });
        found != sets.end())
      best.push_back(*found);
  return best;
}

/// Its name, for gtest's lists of parameters.
struct NameOfSet {
  std::string operator()(const testing::TestParamInfo<cpu::InstructionSet>& info) const {
    return info.param.name;
  }
};

/// A machine with the kernels of `set`.
inline std::unique_ptr<Backend> machine_with(const cpu::InstructionSet& set, int threads = 1,
                                             bool reproducible = false) {
  return make_lanes_backend(set.name, set, {.threads = threads, .reproducible = reproducible});
}

}  // namespace nanoday::reference
