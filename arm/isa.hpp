// Names the instruction set that kernels are compiled for in arm/, before any kernel header is read.
// SPDX-License-Identifier: Apache-2.0
#pragma once

// The kernels of src/cpu/kernels leave to this machine what it does in ways of its own (arm/lanes.hpp).
#define NANODAY_OWN_LANES
#define NANODAY_VECTOR_REGISTERS 32

// Those of cpu/kernels/simd.hpp are good for any compiler; arm/pack_sve.hpp replaces them.
#if defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS > 0
#define NANODAY_OWN_VECTORS
#endif

#if defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS == 512
#define NANODAY_ISA sve512
#define NANODAY_VECTOR_BYTES 64
#elif defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS == 256
#define NANODAY_ISA sve256
#define NANODAY_VECTOR_BYTES 32
#elif defined(__ARM_FEATURE_SVE_BITS) && __ARM_FEATURE_SVE_BITS == 128
#define NANODAY_ISA sve128
#define NANODAY_VECTOR_BYTES 16
#else
// No SVE, or of unknown length: the same loops for any compiler, with the vectors of A64FX.
#define NANODAY_ISA generic
#define NANODAY_VECTOR_BYTES 64
#endif
