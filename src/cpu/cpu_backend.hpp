// The default machine: OpenMP over contiguous ranges of atoms, SIMD chosen at run time.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/backend.hpp"
#include "cpu/instruction_sets.hpp"
#include "machines.hpp"

#include <memory>
#include <string>
#include <vector>

namespace nanoday {

/// \param options threads, reproducible and isa are used. Throws InputError for an instruction set that the
/// computer lacks.
std::unique_ptr<Backend> make_cpu_backend(const MachineOptions& options);

/// The same backend with the kernels of any set that this processor runs; `machine` is the name it goes by.
std::unique_ptr<Backend> make_lanes_backend(const char* machine, const cpu::InstructionSet& set,
                                            const MachineOptions& options);

/// Instruction sets of this computer that the kernels were compiled for, best first.
std::vector<std::string> cpu_instruction_sets();

}  // namespace nanoday
