// The particle mesh on the device: charges to mesh, influence function, fields back to the charges.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "atoms/forces.hpp"
#include "core/vec3.hpp"
#include "cuda/fft.hpp"
#include "cuda/solver_sums.hpp"

#include <array>
#include <cstdint>

namespace nanoday::NANODAY_GPU {

/// Scale of the fixed-point charge mesh, 2^44 per e, and what it can hold [e]. One charge is rounded by
/// addition of 1.5·2^52. Sums wrap around beyond 2^19 e on a point; neighboring points of the smooth stencils
/// stand between half of that and it, and are reported.
inline constexpr double k_charge_scale = 0x1p44;
inline constexpr double k_max_charge = 0x1p6, k_max_point_charge = 0x1p18;

/// A mesh of (N_a, N_b, N_c) points, the last index fastest, and where charges lie on it. Several independent
/// systems of equal size may be served at once: of n charges, system s has those from s·n/systems on.
struct DeviceMesh {
  int n[3] = {0, 0, 0};
  Vec3 row[3];  ///< a charge's coordinate along d in mesh spacings: dot(row[d], x − origin)
  Vec3 origin;
  int systems = 1;
  NANODAY_HD std::int64_t points() const { return static_cast<std::int64_t>(n[0]) * n[1] * n[2]; }
  /// Of the half spectrum (N_a, N_b, N_c/2 + 1).
  NANODAY_HD std::int64_t modes() const { return static_cast<std::int64_t>(n[0]) * n[1] * (n[2] / 2 + 1); }
};

/// The influence function on the half spectrum, see InfluenceTable.
struct ModeTables {
  const double* green = nullptr;            ///< (modes) [eV/e²]
  const double* edge_difference = nullptr;  ///< (modes), or null: 0 everywhere
  Vec3 reciprocal[3];                       ///< 2π b_d [1/Å]
  double beta = 0;                          ///< [1/Å]
};

/// What the spectrum is turned into: derivatives along a, b, c per integer frequency; the potential; the
/// "potentials" of virial components xx xy xz, or yy yz zz.
enum class InfluencePass { derivatives, potential, virial_first, virial_second };

/// From what is gathered to forces. ik: each field is ∂φ/∂p times N_d/2π; ad: the slope by δ = −∂φ/∂p, and
/// the force of a charge's own mesh image is taken off. p is a coordinate in mesh spacings.
struct ForceRule {
  Vec3 to_cartesian[3];    ///< what one unit of value d adds to the force per charge
  double self[3][2] = {};  ///< amplitudes of sin 2πp, sin 4πp [eV/(e²·Å)]
};

/// Adds charges to the fixed-point meshes (systems, points) [2^-44 e]. Charges without a place, or too large,
/// are left out and reported. \param flags (systems)
void spread_charges(Stream& stream, int order, const DeviceMesh& mesh, View<const Vec4> charge,
                    std::int64_t* fixed, ChargeFlags* flags);
/// The meshes as doubles [e]; clears the fixed-point meshes for the next time.
void convert_charges(Stream& stream, const DeviceMesh& mesh, std::int64_t* fixed, double* real,
                     ChargeFlags* flags);

/// Rows of `partial` that apply_influence() writes for each system.
std::int64_t influence_rows(const DeviceMesh& mesh);
/// out[(c·systems + s)·modes + m] = factor_c(m)·spectrum[s·modes + m] for the pass's one or three channels c;
/// `out` may begin where `spectrum` does.
/// \param partial when not null: (systems, influence_rows, 7) energy and virial shares, for finish_sums()
void apply_influence(Stream& stream, const DeviceMesh& mesh, const ModeTables& tables, InfluencePass pass,
                     const Complex* spectrum, Complex* out, double* partial);
/// Forces from three fields ("ik"), or from the slopes of one ("ad"). \param field (3 or 1, systems, points)
/// \param force (n) [eV/Å]; not-a-number for charges without a place
void gather_forces(Stream& stream, int order, const DeviceMesh& mesh, View<const Vec4> charge,
                   const double* field, const ForceRule& rule, bool ik, Vec4* force);
/// \param field (systems, points) potential; energy (n) qφ/2 [eV]
void gather_energies(Stream& stream, int order, const DeviceMesh& mesh, View<const Vec4> charge,
                     const double* field, double* energy);
/// \param field (3, systems, points) of pass virial_first or virial_second; virial (n), those entries [eV]
void gather_virials(Stream& stream, int order, const DeviceMesh& mesh, View<const Vec4> charge,
                    const double* field, InfluencePass pass, std::array<double, 9>* virial);

}  // namespace nanoday::NANODAY_GPU
