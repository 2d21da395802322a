// Kernels compiled for several instruction sets, and which of them this processor runs.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nanoday::cpu {

struct KernelSet;         // kernels/kernel_set.hpp
struct MeshKernelSet;     // kernels/mesh_kernel_set.hpp
struct DirectSumKernels;  // direct_sum_kernels.hpp

/// 16-bit numbers that kernels multiply in pairs, sums in single precision (sums of a few terms in half
/// precision with `half`).
enum class PairFormat { none, bfloat16, half };

/// Everything that was compiled for one instruction set. Another machine of the same backend (arm/) has sets
/// of its own.
struct InstructionSet {
  const char* name;   ///< as in --isa
  const char* title;  ///< as people say it
  const KernelSet* kernels;
  const MeshKernelSet* mesh;
  const DirectSumKernels* direct;
  PairFormat pairs;
  bool available;  ///< this processor runs it
};

/// True when this processor runs kernels compiled for `set`: "avx512bf16" (avx512 and
/// products of bfloat16), "avx512" (x86-64-v4), "avx2" (x86-64-v3),
/// "baseline".
bool processor_has(std::string_view set);

/// Those of this architecture, best first.
std::vector<InstructionSet> instruction_sets();

/// The one called `isa` among `sets`; "auto": the first that is available. Throws InputError when there is
/// none or the processor lacks it.
InstructionSet choose_instruction_set(const std::vector<InstructionSet>& sets, std::string_view isa);

/// The same among instruction_sets().
InstructionSet instruction_set(std::string_view isa);

}  // namespace nanoday::cpu
