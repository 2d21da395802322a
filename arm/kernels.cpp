// The batch kernels of one instruction set of this machine.
// SPDX-License-Identifier: Apache-2.0
#include "arm/lanes.hpp"
#include "arm/sve_kernels.hpp"
#include "cpu/kernels/batch.hpp"

namespace nanoday::cpu::NANODAY_ISA {

const KernelSet k_kernels{NANODAY_NAME(NANODAY_ISA), evaluate_batch<double>, evaluate_batch<float>, peak_fma};

}  // namespace nanoday::cpu::NANODAY_ISA
