// The mesh kernels compiled for any machine of this architecture.
// SPDX-License-Identifier: Apache-2.0
#include "cpu/kernels/mesh.hpp"

namespace nanoday::cpu {

constinit const MeshKernelSet k_mesh_kernels_baseline = baseline::mesh_kernel_set("baseline");

}  // namespace nanoday::cpu
