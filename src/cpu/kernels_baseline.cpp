// The batch kernels compiled for baseline x86-64 (and any other machine).
// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/batch.hpp"

namespace nanoday::cpu {

const KernelSet k_kernels_baseline{"baseline", baseline::evaluate_batch<double>,
                                   baseline::evaluate_batch<float>, baseline::peak_fma};

}  // namespace nanoday::cpu
