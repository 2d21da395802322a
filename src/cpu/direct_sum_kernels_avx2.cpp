// The direct sum's loops compiled for avx2.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/direct_sum.hpp"

namespace nanoday::cpu {

const DirectSumKernels k_direct_sum_avx2{avx2::fill_waves, avx2::sum_waves, avx2::sum_waves_fixed,
                                         avx2::evaluate};

}  // namespace nanoday::cpu
