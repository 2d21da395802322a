// The sum over reciprocal vectors on the device: structure factors, then forces.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/forces.hpp"
#include "core/vec3.hpp"
#include "cuda/pppm.hpp"
#include "cuda/runtime.hpp"

#include <array>
#include <cstdint>

namespace nanoday::NANODAY_GPU {

/// Vectors (nx, ny, nz … nz + 7) of one line along c; a thread or block walks them by one rotation per step.
struct ReciprocalUnit {
  std::int32_t nx, ny, nz, unused;
};
inline constexpr int k_unit_vectors = 8;

/// Half of the sum's vectors in units of eight; the other half are their negatives.
struct ReciprocalUnits {
  const ReciprocalUnit* unit = nullptr;  ///< (units)
  std::int64_t units = 0;
  const double* weight =
      nullptr;         ///< (8, units): φ(x) = Σ w Re S* e^{ik·x}; 0 where a unit is not full [eV/e²]
  Vec3 reciprocal[3];  ///< b_d [1/Å]
  Vec3 origin;
  int systems = 1;  ///< of n charges, system s has those from s·n/systems on
  double beta = 0;  ///< [1/Å]
};

/// coefficient (systems, 8, units) = w Σ_i q_i e^{ik·x_i}, summed in fixed point (2^-44 e): the order of
/// charges changes no bit. Charges without a finite place, or too large, are left out and reported.
/// \param partial when not null: (systems, units, 7) energy and virial shares, for finish_sums()
/// \param flags (systems)
void structure_factors(Stream& stream, const ReciprocalUnits& modes, View<const Vec4> charge,
                       Complex* coefficient, double* partial, ChargeFlags* flags);

/// The same in two calls, between which the shares of ranks that hold parts of the charges of one system are
/// summed. \param shares (factor_words(units)) device memory
std::int64_t factor_words(std::int64_t units);
void structure_shares(Stream& stream, const ReciprocalUnits& modes, View<const Vec4> charge,
                      std::int64_t* shares, ChargeFlags* flags);
void finish_factors(Stream& stream, const ReciprocalUnits& modes, const std::int64_t* shares,
                    Complex* coefficient, double* partial, ChargeFlags* flags);

/// Forces on the charges, and per-charge values where the pointers are not null.
/// \param force (n) [eV/Å]; not-a-number for charges without a place  \param energy (n) qφ/2 [eV]
/// \param virial (n) [eV]
void evaluate_charges(Stream& stream, const ReciprocalUnits& modes, View<const Vec4> charge,
                      const Complex* coefficient, Vec4* force, double* energy, std::array<double, 9>* virial);

}  // namespace nanoday::NANODAY_GPU
