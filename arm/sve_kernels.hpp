// Declares what was compiled for each instruction set of this machine.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nanoday::cpu {

struct KernelSet;         // cpu/kernels/kernel_set.hpp
struct MeshKernelSet;     // cpu/kernels/mesh_kernel_set.hpp
struct DirectSumKernels;  // cpu/direct_sum_kernels.hpp

#define NANODAY_NAME_OF(isa) #isa
#define NANODAY_NAME(isa) NANODAY_NAME_OF(isa)
#define NANODAY_SETS_OF(isa)                  \
  namespace isa {                             \
  extern const KernelSet k_kernels;           \
  extern const MeshKernelSet k_mesh_kernels;  \
  extern const DirectSumKernels k_direct_sum; \
  }
NANODAY_SETS_OF(sve512)
NANODAY_SETS_OF(sve256)
NANODAY_SETS_OF(sve128)
NANODAY_SETS_OF(generic)
#undef NANODAY_SETS_OF

}  // namespace nanoday::cpu
