// The mesh kernels compiled for avx512.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/mesh.hpp"

namespace nanoday::cpu {

constinit const MeshKernelSet k_mesh_kernels_avx512 = avx512::mesh_kernel_set("avx512");

}  // namespace nanoday::cpu
