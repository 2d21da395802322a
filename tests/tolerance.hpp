// Every tolerance the tests use, with the error measured beside it.
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nanoday::tolerance {

/// Relative to the largest reference value: against stored DeePMD-kit numbers, models in double.
/// Measured with the oracle: forces 2e-14, virials 3e-14, dipoles 6e-15.
inline constexpr double k_golden_double = 1e-10;
/// The same for models whose nets or tables are float32 (the producer computes in single precision).
/// Measured with the oracle: forces 2.1e-6, virials 1.9e-6.
inline constexpr double k_golden_float32 = 2e-5;

/// Two machines evaluating the same net in double, relative to the largest value. Measured: 3e-15.
inline constexpr double k_same_formula = 1e-13;
/// Fifth-order pieces of 0.01 against the net, forces [eV/Å] and atom energies [eV]. Measured: 8e-14.
inline constexpr double k_quintic_force = 1e-12;
/// Low-rank form at full rank (pieces of 0.05) against the net, the same. Measured: 1e-10.
inline constexpr double k_full_rank_force = 1e-9;
/// Tables of toy models with random weights against their net, relative to the largest value.
/// Measured: 3e-10 (gelu, low rank).
inline constexpr double k_toy_table = 3e-9;
/// Float nets and tables against double, relative to the largest force, and per-atom energies [eV].
/// Measured: 1.1e-7 and 4.1e-7.
inline constexpr double k_mixed_force = 1e-6;
inline constexpr double k_mixed_atom_energy = 4e-6;

/// Forces against central differences of the energy, and virial against strain, relative to the largest.
inline constexpr double k_finite_difference = 1e-6;
/// Quantities that a symmetry fixes exactly, relative to the largest value: rounding only.
inline constexpr double k_symmetry = 1e-10;

}  // namespace nanoday::tolerance
