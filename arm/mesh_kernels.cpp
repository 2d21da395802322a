// The mesh kernels of one instruction set of this machine.
// SPDX-License-Identifier: Apache-2.0
#include "arm/lanes.hpp"
#include "arm/sve_kernels.hpp"
#include "cpu/kernels/mesh.hpp"

namespace nanoday::cpu::NANODAY_ISA {

constinit const MeshKernelSet k_mesh_kernels = mesh_kernel_set(NANODAY_NAME(NANODAY_ISA));

}  // namespace nanoday::cpu::NANODAY_ISA
