// The ARM machine: the processor's backend with kernels for SVE.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cpu/cpu_backend.hpp"

#include <memory>
#include <string>
#include <vector>

namespace nanoday::arm {

/// Length in bits of the SVE vectors that programs get here; 0 where the processor has none.
int vector_bits();

/// Sets that were compiled, longest vectors first: "sve512fp16", which multiplies faint products in half
/// precision (PairFormat::half), "sve512", and the same of 256 and 128 bits. Kernels know the length of their
/// vectors, so only the two sets whose length is vector_bits() are available. On other processors
/// "genericfp16" and "generic", for tests.
std::vector<cpu::InstructionSet> instruction_sets();

/// Why this processor runs none of instruction_sets(); empty when it runs one.
std::string why_not();

/// \param options threads, reproducible and isa are used. Throws InputError where no set is available.
std::unique_ptr<Backend> make_sve_backend(const MachineOptions& options);

}  // namespace nanoday::arm
