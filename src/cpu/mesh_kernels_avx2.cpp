// The mesh kernels compiled for avx2.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/mesh.hpp"

namespace nanoday::cpu {

constinit const MeshKernelSet k_mesh_kernels_avx2 = avx2::mesh_kernel_set("avx2");

}  // namespace nanoday::cpu
