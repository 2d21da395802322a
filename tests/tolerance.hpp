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
/// The same with half of the products in half precision, and in bfloat16. Measured: 1.1e-4 and 1.5e-4.
inline constexpr double k_half_force = 1e-3, k_bfloat16_force = 1.5e-3;
inline constexpr double k_mixed_atom_energy = 4e-6;

/// Direct sums against each other and against stored ones, relative to the largest value. Measured: 4e-14.
inline constexpr double k_direct_sum = 1e-12;

/// A mesh solver against the same approximation summed without a mesh, relative to the largest value.
/// Measured: 3e-14 in double; in fixed point 2e-11 for a mesh so coarse that it amplifies rounding.
inline constexpr double k_mesh_sum = 1e-12;
inline constexpr double k_mesh_sum_fixed = 2e-10;
/// The device's mesh solver against the CPU's, both in fixed point, relative to the largest value. Measured:
/// 3e-14; 2e-13 where many aliases are summed.
inline constexpr double k_device_mesh = 1e-12;
/// Stored mesh energies of another program, relative. Measured: 5e-14.
inline constexpr double k_golden_mesh = 1e-12;
/// A fine mesh against the direct sum, relative to the largest value. Measured: 1e-10 for "ad" forces, else
/// 6e-12.
inline constexpr double k_mesh_converged = 1e-9;

/// Stored LAMMPS runs of DPLR models, absolute: energies per 100 atoms [eV], forces [eV/Å], virial [eV],
/// centroids [Å]. Measured: 5e-13, 5e-14, 5e-12, 2e-15.
inline constexpr double k_lammps_energy = 1e-11, k_lammps_force = 1e-12, k_lammps_virial = 1e-10;
inline constexpr double k_lammps_centroid = 1e-13;
/// Positions [Å] and velocities [Å/ps] along five steps. Measured: 2e-15 and 1.3e-13.
inline constexpr double k_lammps_position = 1e-13, k_lammps_velocity = 1e-11;

/// Forces against central differences of the energy, and virial against strain, relative to the largest.
inline constexpr double k_finite_difference = 1e-6;
/// Quantities that a symmetry fixes exactly, relative to the largest value: rounding only.
inline constexpr double k_symmetry = 1e-10;

}  // namespace nanoday::tolerance
