// The direct sum's loops for one instruction set of this machine.
// SPDX-License-Identifier: Apache-2.0
#include "arm/lanes.hpp"
#include "arm/sve_kernels.hpp"
#include "cpu/kernels/direct_sum.hpp"

namespace nanoday::cpu::NANODAY_ISA {

const DirectSumKernels k_direct_sum{fill_waves, sum_waves, sum_waves_fixed, evaluate};

}  // namespace nanoday::cpu::NANODAY_ISA
