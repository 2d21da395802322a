// Unit conversions: lengths in Å, energies in eV, times in ps, masses in u (LAMMPS "metal").
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nanoday::units {

// CODATA 2018: e = 1.602176634e-19 C (exact), k = 1.380649e-23 J/K (exact), u = 1.66053906660e-27 kg.
inline constexpr double k_elementary_charge = 1.602176634e-19;
inline constexpr double k_atomic_mass = 1.66053906660e-27;

/// Boltzmann constant [eV/K] = 1.380649e-23 J/K / e.
inline constexpr double k_boltzmann = 1.380649e-23 / k_elementary_charge;

/// Kinetic energy of 1 u at 1 Å/ps, in eV: u · (100 m/s)² / e.
inline constexpr double k_mass_velocity2 = k_atomic_mass * 1e4 / k_elementary_charge;

/// Acceleration of 1 u under 1 eV/Å, in Å/ps²: the inverse of the above.
inline constexpr double k_force_to_acceleration = 1.0 / k_mass_velocity2;

/// 1 eV/Å³ in bar.
inline constexpr double k_pressure_bar = k_elementary_charge * 1e30 * 1e-5;

}  // namespace nanoday::units
