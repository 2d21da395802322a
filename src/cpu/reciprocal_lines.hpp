// The reciprocal vectors of a direct sum in the order its loops take them, and their weights.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "backend/long_range.hpp"
#include "cpu/direct_sum_kernels.hpp"

#include <array>
#include <cstdint>
#include <utility>

namespace nanoday::cpu {

/// Half of the sum's reciprocal vectors (the other half are their negatives): for every nx, ny ≥ 0 the
/// vectors (nx, ±ny, ±nz), signs only where they give different pairs.
struct ReciprocalLines {
  std::array<Vec3, 3> reciprocal{};  ///< b_d, a_c · b_d = δ_cd [1/Å]
  double beta = 0;                   ///< [1/Å]
  std::array<int, 3> n_max{};        ///< largest index in use along each axis
  Array<ReciprocalLine> line;        ///< ordered by nx, then ny
  Array<double> weight;              ///< (nz, sign) per line: φ(x) = Σ_half w (Re S* e^{ik·x}) [eV/e²]
  std::int64_t table_size = 0;

  /// Contiguous part of the lines of member `me` of a team of `size`, about equal in work.
  std::pair<const ReciprocalLine*, const ReciprocalLine*> share(int me, int size) const;
  /// k [1/Å] of indices (nx, ±ny, ±nz); sign: bit 1 set: −ny, bit 0 set: −nz.
  Vec3 wave_vector(int nx, int ny, int nz, int sign) const;
};

/// Vectors with e^{−k²/4β²} < 1e-18 are left out. Throws InputError for a plan that has no such sum: beta or
/// spacing not positive, a box that does not repeat in all directions or has no volume, more vectors than fit
/// into memory.
ReciprocalLines make_reciprocal_lines(const LongRangePlan& plan);

/// What one line adds to the totals: energy, virial xx, yy, zz, xy, xz, yz [eV].
using LineTotals = std::array<double, 7>;

/// Turns sums Σ q X Y Z of a line into the coefficients of φ = Σ coefficient · X Y Z.
/// \param component −1: the potential; 0 … 5: the "potential" whose q φ/2 is component xx, yy, zz, xy, xz, yz
///   of the virial
/// \param sums, coefficients  tables of waves, whole
/// \param totals when not null, receives the line's energy and virial
void apply_green(const ReciprocalLines& lines, const ReciprocalLine& line, int component, const double* sums,
                 double* coefficients, LineTotals* totals);

}  // namespace nanoday::cpu
