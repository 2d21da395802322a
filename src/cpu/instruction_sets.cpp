// Which instruction sets this processor has, and what was compiled for them.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/instruction_sets.hpp"

#include "core/error.hpp"
#include "cpu/direct_sum_kernels.hpp"
#include "cpu/kernels/kernel_set.hpp"
#include "cpu/kernels/mesh_kernel_set.hpp"

namespace nanoday::cpu {

bool processor_has(std::string_view set) {
#if defined(__x86_64__)
  if (set == "avx512")
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512cd");
  if (set == "avx512bf16") return processor_has("avx512") && __builtin_cpu_supports("avx512bf16");
  if (set == "avx2")
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
#endif
  return set == "baseline";
}

std::vector<InstructionSet> instruction_sets() {
  std::vector<InstructionSet> sets;
#if defined(__x86_64__)
  sets.push_back({"avx512bf16", "AVX-512 BF16", &k_kernels_avx512, &k_mesh_kernels_avx512,
                  &k_direct_sum_avx512, PairFormat::bfloat16, processor_has("avx512bf16")});
  sets.push_back({"avx512", "AVX-512", &k_kernels_avx512, &k_mesh_kernels_avx512, &k_direct_sum_avx512,
                  PairFormat::none, processor_has("avx512")});
  sets.push_back({"avx2", "AVX2", &k_kernels_avx2, &k_mesh_kernels_avx2, &k_direct_sum_avx2, PairFormat::none,
                  processor_has("avx2")});
#endif
  sets.push_back({"baseline", "baseline SIMD", &k_kernels_baseline, &k_mesh_kernels_baseline,
                  &k_direct_sum_baseline, PairFormat::none, true});
  return sets;
}

InstructionSet choose_instruction_set(const std::vector<InstructionSet>& sets, std::string_view isa) {
  std::string known = "auto";
  for (const InstructionSet& set : sets) {
    if (isa == "auto" && set.available) return set;
    known += fmt::format(", {}", set.name);
    if (isa != set.name) continue;
    require(set.available, "instruction set {} is not available (this processor lacks it); use --isa auto",
            isa);
    return set;
  }
  require(isa != "auto", "this processor has none of the instruction sets: {}; use --device cpu", known);
  throw InputError(fmt::format("unknown instruction set '{}' (known: {})", isa, known));
}

InstructionSet instruction_set(std::string_view isa) {
  return choose_instruction_set(instruction_sets(), isa);
}

}  // namespace nanoday::cpu
