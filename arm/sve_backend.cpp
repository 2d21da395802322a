// The ARM machine: which kernels there are, and which of them this processor runs.
// SPDX-License-Identifier: Apache-2.0
#include "arm/sve_backend.hpp"

#include "arm/sve_kernels.hpp"
#include "core/error.hpp"

#include <algorithm>

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#include <sys/prctl.h>
#endif

namespace nanoday::arm {

int vector_bits() {
#if defined(__aarch64__) && defined(__linux__)
  if ((getauxval(AT_HWCAP) & HWCAP_SVE) == 0) return 0;
  const int length = prctl(PR_SVE_GET_VL);  // as this process got it, which may be less than the hardware has
  return length < 0 ? 0 : 8 * (length & PR_SVE_VL_LEN_MASK);
#else
  return 0;
#endif
}

std::vector<cpu::InstructionSet> instruction_sets() {
  using cpu::PairFormat;
  std::vector<cpu::InstructionSet> sets;
#define NANODAY_ADD(isa, title, available)                                                         \
  for (const PairFormat pairs : {PairFormat::half, PairFormat::none}) {                            \
    const bool half = pairs == PairFormat::half;                                                   \
    sets.push_back({half ? #isa "fp16" : #isa, half ? title " FP16" : title, &cpu::isa::k_kernels, \
                    &cpu::isa::k_mesh_kernels, &cpu::isa::k_direct_sum, pairs, available});        \
  }
#if defined(__aarch64__)
  const int bits = vector_bits();
  NANODAY_ADD(sve512, "SVE of 512 bits", bits == 512)
  NANODAY_ADD(sve256, "SVE of 256 bits", bits == 256)
  NANODAY_ADD(sve128, "SVE of 128 bits", bits == 128)
#else
  NANODAY_ADD(generic, "the loops of SVE without it", true)
#endif
#undef NANODAY_ADD
  return sets;
}

std::string why_not() {
  const auto sets = instruction_sets();
  if (std::any_of(sets.begin(), sets.end(), [](const auto& set) { return set.available; })) return {};
  if (vector_bits() == 0) return "this processor has no SVE";
  return fmt::format("its SVE vectors have {} bits here, and kernels are for 512, 256 and 128",
                     vector_bits());
}

std::unique_ptr<Backend> make_sve_backend(const MachineOptions& options) {
  return make_lanes_backend("sve", cpu::choose_instruction_set(instruction_sets(), options.isa), options);
}

}  // namespace nanoday::arm
