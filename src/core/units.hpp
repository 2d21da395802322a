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

// CODATA 2018: c = 299792458 m/s (exact), ε0 = 8.8541878128e-12 F/m.
inline constexpr double k_pi = 3.141592653589793238;

/// Speed of light [Å/ps].
inline constexpr double k_light_speed = 299792458 * 1e-2;

/// e²/ε0 [eV·Å]: e/ε0 in V·m, times 1e10.
inline constexpr double k_charge2_per_permittivity = k_elementary_charge / 8.8541878128e-12 * 1e10;

/// 1 e·Å in debye; 1 D = 1e-21 C·m²/s / c.
inline constexpr double k_debye = k_elementary_charge * 1e-10 * 299792458 / 1e-21;

/// Angular frequency of the wavenumber 1 cm⁻¹ [1/ps]: 2πc · 1e-8/Å.
inline constexpr double k_angular_frequency_per_wavenumber = 2 * k_pi * k_light_speed * 1e-8;

}  // namespace nanoday::units
