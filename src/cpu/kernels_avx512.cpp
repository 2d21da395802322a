// The batch kernels compiled for avx512.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/batch.hpp"

namespace nanoday::cpu {

const KernelSet k_kernels_avx512{"avx512", avx512::evaluate_batch<double>, avx512::evaluate_batch<float>,
                                 avx512::peak_fma};

}  // namespace nanoday::cpu
