// Machines by name.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"

#include <memory>
#include <string>
#include <vector>

namespace nanoday {

struct MachineOptions {
  std::string device = "auto";  ///< auto, cpu, oracle (slow reference), cuda, sve
  int threads = 0;              ///< 0: OMP_NUM_THREADS or all cores
  bool reproducible = false;
  std::string isa = "auto";  ///< cpu: auto, avx512bf16, avx512, avx2, baseline; sve: auto, sve512, …
  int local_rank = 0;        ///< cuda only: among the ranks of this node; takes visible GPU number
                             ///< local_rank modulo how many there are
};

/// Makes a machine; throws InputError for an unknown one or one this build or computer lacks.
std::unique_ptr<Backend> make_backend(const MachineOptions& options);

/// Names that make_backend accepts here, each with a sentence (for `info --devices`).
std::vector<std::pair<std::string, std::string>> available_devices();

}  // namespace nanoday
