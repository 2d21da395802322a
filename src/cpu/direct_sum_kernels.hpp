// The direct sum's loops over charges, compiled once per instruction set, and what they take.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace nanoday::cpu {

/// Reciprocal vectors (±nx, ±ny, 0 … ±nz_max) of one (nx ≥ 0, ny ≥ 0). A wave along one axis is the pair cos,
/// sin (only cos for index 0), so a line has `rows` = 1, 2 or 4 products of x and y waves: cos·cos, cos·sin,
/// sin·cos, sin·sin, and `columns` = 2 nz_max + 1 waves along z: cos 0, cos 1, sin 1, cos 2, …
struct ReciprocalLine {
  int nx, ny, nz_max;
  int rows, columns;
  std::int64_t table;  ///< first number of the line in tables of waves, (columns, rows); also counts the work
                       ///< of the lines before it
  std::int64_t weight;  ///< first number of the line in the table of weights, (nz_max + 1, 4)
};

/// Charges per tile; lists are padded to whole tiles with charges 0 at the origin.
inline constexpr int k_charge_tile = 16;
/// Charges that one pass over the lines sums; their x·y waves stay in the first-level cache.
inline constexpr int k_charge_chunk = 512;

/// Waves cos 2πnf, sin 2πnf of every charge: rows 1, cos 1, sin 1, cos 2, … of `stride` charges per axis.
/// Those along x carry the charge as a factor.
struct ChargeWaves {
  const double* axis[3] = {nullptr, nullptr, nullptr};
  std::int64_t stride = 0;
  std::int64_t count = 0;  ///< charges, whole tiles
};

/// Loops of one instruction set.
struct DirectSumKernels {
  /// Fills waves n of one axis from those at multiples of k_anchor and 1 for charges [first, last).
  void (*fill_waves)(double* axis, std::int64_t stride, int n_max, std::int64_t first, std::int64_t last);
  /// table[line] = Σ_i q X Y Z over all charges for lines [first, last). `scratch`: (4, k_charge_chunk).
  void (*sum_waves)(const ChargeWaves& waves, const ReciprocalLine* first, const ReciprocalLine* last,
                    double* table, double* scratch);
  /// The same in units of 2^-bits, independent of the order of charges. \pre every |Σ| < 2^(62 − bits) and
  /// every charge < 2^(50 − bits)
  void (*sum_waves_fixed)(const ChargeWaves& waves, const ReciprocalLine* first, const ReciprocalLine* last,
                          std::int64_t* table, double* scratch, int bits);
  /// q φ and q ∂φ/∂(2πf) of charges [begin, end), whole tiles, φ = Σ table · X Y Z. `out`: (4, tile) for each
  /// tile of the range: φ, then the three slopes. `scratch`: (2, widest line's columns, k_charge_tile).
  void (*evaluate)(const ChargeWaves& waves, const ReciprocalLine* first, const ReciprocalLine* last,
                   const double* table, std::int64_t begin, std::int64_t end, double* out, double* scratch);
};

/// Waves at multiples of this are computed by cos and sin, the others as products: at most seven factors, so
/// that errors stay near 1e-15.
inline constexpr int k_anchor = 8;

extern const DirectSumKernels k_direct_sum_avx512, k_direct_sum_avx2, k_direct_sum_baseline;

}  // namespace nanoday::cpu
