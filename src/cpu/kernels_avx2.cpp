// The batch kernels compiled for avx2.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/batch.hpp"

namespace nanoday::cpu {

const KernelSet k_kernels_avx2{"avx2", avx2::evaluate_batch<double>, avx2::evaluate_batch<float>,
                               avx2::peak_fma};

}  // namespace nanoday::cpu
