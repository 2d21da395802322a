// The direct sum's loops compiled for baseline x86-64 (and any other machine).
// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/direct_sum.hpp"

namespace nanoday::cpu {

const DirectSumKernels k_direct_sum_baseline{baseline::fill_waves, baseline::sum_waves,
                                             baseline::sum_waves_fixed, baseline::evaluate};

}  // namespace nanoday::cpu
