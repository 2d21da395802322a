// The direct sum's loops compiled for avx512.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/direct_sum.hpp"

namespace nanoday::cpu {

const DirectSumKernels k_direct_sum_avx512{avx512::fill_waves, avx512::sum_waves, avx512::sum_waves_fixed,
                                           avx512::evaluate};

}  // namespace nanoday::cpu
