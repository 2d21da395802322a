// Addresses in the form that the loads of SVE take.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arm/isa.hpp"

#include "cpu/kernels/vectors.hpp"

namespace nanoday::cpu::NANODAY_ISA {

/// Has `p` in a register of its own: vectors up to seven lengths behind it are then loaded without an
/// addition each, which the compiler spends on long chains of constant offsets.
template <class T>
NANODAY_INLINE void keep_address(T*& p) {
  asm("" : "+r"(p));
}

/// Every lane the number at `p`, by a load that repeats it. Such loads take no index; left to itself the
/// compiler loads a scalar, and multiplies it as one, and copies it in a multiply-add pipe, where it is ready
/// six cycles later.
template <class Real>
NANODAY_INLINE Vec<Real> broadcast_from(const Real* p) {
  keep_address(p);
  Vec<Real> v = broadcast(*p);
#if defined(__ARM_FEATURE_SVE) && !defined(__clang__)  // which keeps no vector of fixed length in "w"
  asm("" : "+w"(v));
#endif
  return v;
}

}  // namespace nanoday::cpu::NANODAY_ISA
