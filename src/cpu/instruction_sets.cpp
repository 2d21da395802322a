// Which instruction sets this processor has, for whoever chooses among kernels compiled for several.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/instruction_sets.hpp"

#include "core/error.hpp"

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

bool serves(std::string_view set, std::string_view isa) {
  const bool wider = isa == "avx512bf16" && set == "avx512";
  return (isa == "auto" || isa == set || wider) && processor_has(set);
}

void require_baseline(std::string_view isa) {
  require(serves("baseline", isa), "instruction set {} is not available; use --isa auto", isa);
}

}  // namespace nanoday::cpu
