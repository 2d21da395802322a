// What both long-range solvers end with: energy and virial from shares, and what went wrong.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/forces.hpp"
#include "cuda/runtime.hpp"

#include <cstdint>

namespace nanoday::NANODAY_GPU {

/// What went wrong in one system, looked at by DeviceSolver::check().
struct ChargeFlags {
  std::uint32_t lost = 0;      ///< 1 + largest index, in its system, of a charge without a place; 0: none
  std::uint32_t overflow = 0;  ///< not 0: charges too large for fixed point
};

/// \param flags of the only system  \param word 1 when they report something, else 0
void tell_stuck(Stream& stream, const ChargeFlags* flags, std::int64_t* word);

/// sums (systems, 7): totals of (systems, rows, 7) energy, virial xx xy xz yy yz zz [eV]; zero where `needs`
/// does not ask. \param halt while the word is not zero, sums keep their values; null: zero
void finish_sums(Stream& stream, int systems, const double* partial, std::int64_t rows, const Needs& needs,
                 double* sums, const std::uint32_t* halt);

}  // namespace nanoday::NANODAY_GPU
